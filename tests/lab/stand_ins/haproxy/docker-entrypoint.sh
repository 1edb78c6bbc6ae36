#!/bin/sh
# Runs HAProxy in the foreground, with a master that reloads; also where only its options are given.
set -eu
case ${1:-} in
    -*) set -- haproxy "$@" ;;
esac
if [ "${1:-}" = haproxy ]; then
    shift
    set -- haproxy -W -db "$@"
fi
exec "$@"
