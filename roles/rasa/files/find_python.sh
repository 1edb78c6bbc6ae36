#!/bin/sh
# Prints the first CPython 3.8 - 3.10 of this host that really runs, with the modules that Rasa needs; nothing when there is none.
# Interpreters are tried by running them: a version manager's shim on PATH has the right name and fails.
# usage: find_python.sh [INTERPRETER ...]   those given, otherwise all the places where one may be
set -u

[ $# -gt 0 ] || set -- \
    /usr/bin/python3.10 /usr/bin/python3.9 /usr/bin/python3.8 \
    /usr/local/bin/python3.10 /usr/local/bin/python3.9 /usr/local/bin/python3.8 \
    /opt/steadfast/python/*/bin/python3.10 /opt/steadfast/python/*/bin/python3.9 /opt/steadfast/python/*/bin/python3.8 \
    "${PYENV_ROOT:-/root/.pyenv}"/versions/3.10.*/bin/python3.10 /home/*/.pyenv/versions/3.10.*/bin/python3.10 \
    "${PYENV_ROOT:-/root/.pyenv}"/versions/3.9.*/bin/python3.9 /home/*/.pyenv/versions/3.9.*/bin/python3.9 \
    "${PYENV_ROOT:-/root/.pyenv}"/versions/3.8.*/bin/python3.8 /home/*/.pyenv/versions/3.8.*/bin/python3.8

for interpreter in "$@"; do
    [ -x "$interpreter" ] || continue
    # This runs as root: an interpreter that some other user could have put there is none of ours.
    owner=$(stat --dereference --format %u "$interpreter")
    [ "$owner" = 0 ] || [ "$owner" = "${SUDO_UID:-0}" ] || continue
    "$interpreter" -c '
import bz2, ctypes, hashlib, lzma, sqlite3, ssl, sys, zlib
if not (3, 8) <= sys.version_info[:2] <= (3, 10) or sys.implementation.name != "cpython":
    sys.exit(1)
print(sys.executable)' 2>/dev/null && exit 0
done
exit 0
