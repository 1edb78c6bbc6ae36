#!/bin/sh
# Stops what compose-up runs. With --volumes the conversations go, too, those in a store that was chosen before as well.
set -eu
cd "$(dirname "$0")/../compose"
if [ ! -f .env ]; then
    echo 'Nothing runs by Compose from here: compose/.env is not there.'
    exit
fi
if ! command -v docker >/dev/null; then
    echo 'error: docker is not on the PATH, so that what compose-up runs cannot be stopped: install it, or say where it is.' >&2
    exit 1
fi
# What somebody has set for another project goes before .env.
unset COMPOSE_FILE COMPOSE_PROJECT_NAME
docker compose --profile '*' down --remove-orphans "$@"
if [ "${1:-}" = --volumes ]; then
    project=$(sed -n "s/^COMPOSE_PROJECT_NAME='\(.*\)'$/\1/p" .env)
    docker volume ls --quiet --filter "label=com.docker.compose.project=$project" | xargs --no-run-if-empty docker volume rm
fi
