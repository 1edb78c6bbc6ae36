#!/bin/sh
# Puts the control side's tools into .steadfast/ of this repository: uv, then the locked packages.
# usage: scripts/bootstrap.sh control|test
set -eu

cd "$(dirname "$0")/.."
tools=.steadfast
set_of_packages=${1:?usage: scripts/bootstrap.sh control|test}

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# Runs apt-get as root. A new machine may be updating itself, and apt-get does not wait until that is done.
apt_get() {
    waits=300
    until $as_root env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >"$tools/apt.log" 2>&1; do
        if ! grep -q 'Could not get lock' "$tools/apt.log" || [ "$waits" -eq 0 ]; then
            tail -n 5 "$tools/apt.log" >&2
            fail "apt-get $* failed; the lines above say why (all of it: $tools/apt.log)."
        fi
        [ "$waits" -ne 300 ] || echo "Waiting for another process that uses apt ..."
        waits=$((waits - 1))
        sleep 2
    done
}

# Where nobody can become root, prints the one command that mends it.
install_packages() {
    command -v apt-get >/dev/null || fail "'$*' is missing and this machine has no apt-get: Steadfast runs on Debian and Ubuntu."
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        as_root=sudo
    else
        fail "missing packages; run: sudo apt-get install -y $*"
    fi
    echo "Installing $* ..."
    apt_get update
    apt_get install -y "$@"
}

mkdir -p "$tools"
command -v python3 >/dev/null || install_packages python3 python3-venv ca-certificates
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    fail "python3 is $(python3 -V 2>&1 | cut -d' ' -f2), but the control machine needs 3.10 or newer (hosts may have older ones)."
python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv ca-certificates

# pip and uv keep lists of certificate authorities of their own; behind a proxy with its own authority, the machine's list is
# the right one.
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    : "${SSL_CERT_FILE:=/etc/ssl/certs/ca-certificates.crt}" "${PIP_CERT:=/etc/ssl/certs/ca-certificates.crt}"
    export SSL_CERT_FILE PIP_CERT
fi

uv=$tools/uv/bin/uv
wanted=$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements/bootstrap.txt)
if [ "$("$uv" --version 2>/dev/null | cut -d' ' -f2)" != "$wanted" ]; then
    echo "Fetching uv $wanted ..."
    rm -rf "$tools/uv"
    python3 -m venv "$tools/uv"
    "$tools/uv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --retries 2 \
        --require-hashes --requirement requirements/bootstrap.txt 2>"$tools/pip.log" || {
        tail -n 3 "$tools/pip.log" >&2
        fail "pip could not fetch uv $wanted: is the package index reachable, and its proxy and certificate known to pip? (all of it: $tools/pip.log)"
    }
fi

echo "Fetching the packages of requirements/$set_of_packages.txt ..."
[ -x "$tools/venv/bin/python" ] || "$uv" venv --quiet --python python3 "$tools/venv"
"$uv" pip install --quiet --python "$tools/venv/bin/python" --require-hashes \
    --requirement "requirements/$set_of_packages.txt" 2>"$tools/uv.log" || {
    tail -n 3 "$tools/uv.log" >&2
    fail "uv could not install requirements/$set_of_packages.txt: the lines above say why (all of it: $tools/uv.log)."
}
