#!/bin/sh
# Makes the data of a new server, whose root has the password of a file, and runs the server.
set -eu
case ${1:-} in
    -*) set -- mysqld "$@" ;;
esac
[ "${1:-}" = mysqld ] || exec "$@"

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
    [ "${MYSQL_ROOT_HOST:-}" = localhost ] || { echo 'MYSQL_ROOT_HOST must be localhost: this image makes no other root.' >&2; exit 1; }
    password=$(cat "$MYSQL_ROOT_PASSWORD_FILE")
    mkdir "$new"
    "$@" --initialize-insecure --datadir="$new"
    "$@" --datadir="$new" --socket="$socket" --skip-networking &
    until mysqladmin --no-defaults --user=root --socket="$socket" ping >/dev/null 2>&1; do
        kill -0 $!
        sleep 0.2
    done
    mysql --no-defaults --user=root --socket="$socket" <<EOF
ALTER USER root@localhost IDENTIFIED BY '$password';
SHUTDOWN;
EOF
    wait $!
    mv "$new"/* "$data"
    sync --file-system "$data"
    rmdir "$new"
fi
exec "$@"
