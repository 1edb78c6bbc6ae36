#!/bin/sh
# The tests, with the time that each part took. What a failed or killed run leaves behind is removed by the next one.
# With --every-system each store is tried on each of its systems, not on one of them only; with --minutes=N what has not begun N minutes
# after the start is named as not run.
set -u
cd "$(dirname "$0")/.." || exit
[ "$(id -u)" -eq 0 ] || exec sudo --preserve-env=CI,SSL_CERT_FILE,PIP_CERT,PYENV_ROOT "$0" "$@"
python=.steadfast/venv/bin/python
times=
failed=

part() {
    name=$1
    shift
    printf '\n== %s\n' "$name"
    started=$(date +%s)
    if "$@"; then verdict=passed; else
        verdict=FAILED
        failed="$failed $name"
    fi
    times="$times$(printf '%-28s %4d s  %s' "$name" $(($(date +%s) - started)) "$verdict")
"
}

# A moment, since several processes run the tests.
for argument; do
    shift
    case $argument in
        --minutes=*[!0-9]* | --minutes= | --minutes=0)
            echo "error: MINUTES is '${argument#--minutes=}': give a number of minutes, 1 or more, or leave it out." >&2
            exit 1
            ;;
        --minutes=*) argument=--none-after=$(($(date +%s) + 60 * ${argument#--minutes=})) ;;
    esac
    set -- "$@" "$argument"
done

# The images of the throwaway machines are made meanwhile; whoever needs one before it is there makes it or waits.
$python -m tests.machines >.steadfast/machines.log 2>&1 &
machines=$!
made() {
    wait "$machines"
    status=$?
    cat .steadfast/machines.log
    return "$status"
}

part lint scripts/lint.sh
part unit $python -m pytest --quiet --numprocesses 2 tests/unit
# Three at a time, each with hosts of its own: deploys and restarts mostly wait.
part deploys-and-restarts $python -m pytest --verbose -rs --durations 25 --numprocesses 3 --dist loadgroup \
    --no-loadscope-reorder "$@" tests/compose tests/deploy tests/persistence tests/servers
part machines made

# What was written as root must not stand in the way of the user who has started this by sudo.
[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" .steadfast

printf '\n== not run\n'
sed -n '/^## What was not run/,/^## /{/^#/d; /^$/d; p}' docs/reliability.md

printf '\n%s' "$times"
[ -z "$failed" ] || {
    echo "error: not passed:$failed" >&2
    exit 1
}
