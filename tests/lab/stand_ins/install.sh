#!/bin/sh
# Installs packages from where this machine's apt gets them; starts nothing. Usage: install.sh PACKAGE...
set -eu
cd "$(dirname "$0")"
# Empty when this machine knows no mirror: then the base image's own sources stay.
if [ -s sources.list ]; then
    rm -f /etc/apt/sources.list.d/*
    cp sources.list /etc/apt/sources.list
fi
cp machine.conf /etc/apt/apt.conf.d/90machine
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
apt-get update --quiet
DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "$@"
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log
