#!/bin/sh
# All linters, with no rule switched off.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.steadfast/venv/bin:$PATH

# By the lab, which may be installing something for the tests at the same time.
command -v shellcheck >/dev/null || python -m tests.lab install shellcheck

failed=
check() {
    echo "lint: $1"
    "$@" || failed="$failed $1"
}
check ruff check --quiet .
check ruff format --quiet --check .
check mypy
check yamllint --strict .
check shellcheck scripts/*.sh .ci/run roles/*/files/*.sh tests/lab/stand_ins/*.sh tests/lab/stand_ins/*/*.sh
check ansible-lint --offline -q --nocolor
[ -z "$failed" ] || { echo "error: not clean:$failed" >&2; exit 1; }
