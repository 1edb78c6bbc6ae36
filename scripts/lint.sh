#!/bin/sh
# All linters, with no rule switched off.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.steadfast/venv/bin:$PATH

command -v shellcheck >/dev/null || {
    [ "$(id -u)" -eq 0 ] || { echo "error: shellcheck is missing; run: sudo apt-get install -y shellcheck" >&2; exit 1; }
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y shellcheck; } >.steadfast/apt.log 2>&1
}

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
