#!/bin/sh
# Makes the data of a new server, whose administrator has the password of a file, and runs the server.
set -eu
case ${1:-} in
    -*) set -- mongod "$@" ;;
esac
[ "${1:-}" = mongod ] || exec "$@"

if [ ! -e /data/db/WiredTiger ]; then
    "$@" --bind_ip 127.0.0.1 &
    until mongosh --quiet --norc --eval 'quit(0)' >/dev/null 2>&1; do
        kill -0 $!
        sleep 0.2
    done
    mongosh --quiet --norc admin <<EOF >/dev/null
db.createUser({
  user: "$MONGO_INITDB_ROOT_USERNAME",
  pwd: "$(cat "$MONGO_INITDB_ROOT_PASSWORD_FILE")",
  roles: [{role: "root", db: "admin"}]
})
EOF
    kill $!
    wait $!
fi
exec "$@" --auth
