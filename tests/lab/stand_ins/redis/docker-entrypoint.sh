#!/bin/sh
# Runs the server, also where only its options or its configuration are given.
set -eu
case ${1:-} in
    -* | *.conf) set -- redis-server "$@" ;;
esac
# What the server writes is its own.
umask 0077
exec "$@"
