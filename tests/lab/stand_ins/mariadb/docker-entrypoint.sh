#!/bin/sh
# Makes the data of a new server, whose root has the password of a file, and runs the server.
set -eu
case ${1:-} in
    -*) set -- mariadbd "$@" ;;
esac
[ "${1:-}" = mariadbd ] || exec "$@"

# What the server itself makes of its options and files. Usage: setting NAME PROGRAM [ARGUMENT...]
setting() {
    name=$1
    shift
    "$@" --verbose --help 2>/dev/null | awk -v name="$name" 'index($0, name " ") == 1 { sub(/^[^ ]+ +/, ""); print; exit }'
}
data=$(setting datadir "$@")
data=${data%/}
socket=$(setting socket "$@")

# As long as it is there, the data is half made: then all of it is made anew. InnoDB finds nothing in a hidden folder.
new=$data/unfinished
mkdir -p "$data"
[ ! -d "$new" ] || find "$data" -mindepth 1 -delete

if [ ! -d "$data/mysql" ]; then
    [ "${MARIADB_ROOT_HOST:-}" = localhost ] || { echo 'MARIADB_ROOT_HOST must be localhost: this image makes no other root.' >&2; exit 1; }
    password=$(cat "$MARIADB_ROOT_PASSWORD_FILE")
    probe=$(od -An -N16 -tx1 /dev/urandom | tr -d ' ')
    program=$1
    shift
    mariadb-install-db "$@" --datadir="$new" --auth-root-authentication-method=normal --skip-test-db
    set -- "$program" "$@"
    "$@" --datadir="$new" --socket="$socket" --skip-networking &
    until mariadb-admin --no-defaults --user=root --socket="$socket" ping >/dev/null 2>&1; do
        kill -0 $!
        sleep 0.2
    done
    mariadb --no-defaults --user=root --socket="$socket" <<EOF
DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');
DELETE FROM mysql.proxies_priv WHERE Host <> 'localhost';
FLUSH PRIVILEGES;
-- Of the official image. Without an account for 127.0.0.1, a ping from there fails, as if the server were down.
CREATE USER healthcheck@localhost IDENTIFIED BY '$probe', healthcheck@'127.0.0.1' IDENTIFIED BY '$probe', healthcheck@'::1' IDENTIFIED BY '$probe';
ALTER USER root@localhost IDENTIFIED BY '$password';
SHUTDOWN;
EOF
    wait $!
    mv "$new"/* "$data"
    sync --file-system "$data"
    rmdir "$new"
fi
exec "$@"
