#!/bin/sh
# Writes requirements/*.txt anew from requirements/*.in, with hashes and without the address of any index.
set -eu
cd "$(dirname "$0")/../requirements"

lock() {
    echo "lock: $1"
    ../.steadfast/uv/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
        --python-version "$2" "$1.in" --output-file "$1.txt"
}

lock bootstrap 3.10
lock control 3.10
lock test 3.10
lock rasa 3.8
for list in ../tests/lab/stand_ins/*/requirements.in; do
    # The Python of Debian 13, for tests/lab/stand_in_packages.py.
    lock "${list%.in}" 3.13
done
