#!/bin/sh
# Makes the data of a new server, whose administrator has the password of a file, and runs the server.
set -eu
case ${1:-} in
    -*) set -- postgres "$@" ;;
esac
[ "${1:-}" = postgres ] || exec "$@"

# As long as it is there, the data is half made: then all of it is made anew.
new=$PGDATA/unfinished
mkdir -p "$PGDATA"
chmod 0700 "$PGDATA"
[ ! -d "$new" ] || find "$PGDATA" -mindepth 1 -delete

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # The words of POSTGRES_INITDB_ARGS are options of their own.
    echo "${POSTGRES_INITDB_ARGS:-}" | xargs initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --pgdata="$new"
    echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$new/pg_hba.conf"

    # The administrator must be able to log in at the socket, as the official image needs it.
    "$@" -D "$new" -c listen_addresses= -c port=5432 &
    until pg_isready --quiet; do
        kill -0 $!
        sleep 0.2
    done
    PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") \
        psql --username=postgres --no-password --no-psqlrc --output=/dev/null --command='SELECT' postgres
    kill -INT $!
    wait $!

    mv "$new"/* "$PGDATA"
    sync --file-system "$PGDATA"
    rmdir "$new"
fi
exec "$@"
