"""The stand-ins for official images, run as Compose runs them: each server answers, and keeps its data."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import tenacity

from tests import lab
from tests.lab.runs import labels

HARDENED = (
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--tmpfs=/tmp",
    "--tmpfs=/run",
    "--init",
)
PASSWORD = "of-the-administrator"
SECRET = "/run/secrets/password"
# Seconds for a server to make its data and to answer.
START_TIMEOUT = 240.0


class Server(NamedTuple):
    """How a server is started, and what is written and read in it."""

    user: str
    data: str
    environment: tuple[str, ...]
    command: tuple[str, ...]
    write: str
    read: str


def _sql(client: str, server: str, prefix: str) -> Server:
    login = (
        f"{client} --no-defaults --user=root --password={PASSWORD} --socket=/var/lib/mysql/s.sock --skip-column-names"
    )
    return Server(
        "mysql",
        "/var/lib/mysql",
        (f"{prefix}_ROOT_PASSWORD_FILE={SECRET}", f"{prefix}_ROOT_HOST=localhost"),
        (server, "--datadir=/var/lib/mysql/data", "--socket=/var/lib/mysql/s.sock", "--pid-file=/tmp/pid"),
        f"{login} --execute='CREATE DATABASE kept; CREATE TABLE kept.kept SELECT 42 AS kept'",
        f"{login} --execute='SELECT kept FROM kept.kept'",
    )


PSQL = f"PGPASSWORD={PASSWORD} psql --host=127.0.0.1 --username=postgres --tuples-only --no-align"
SERVERS = {
    "redis": Server(
        "redis",
        "/data",
        (),
        ("redis-server", "--appendonly", "yes", "--appendfsync", "always"),
        "redis-cli set kept 42",
        "redis-cli get kept",
    ),
    "mysql": _sql("mysql", "mysqld", "MYSQL"),
    "mariadb": _sql("mariadb", "mariadbd", "MARIADB"),
    "postgres": Server(
        "postgres",
        "/var/lib/postgresql/data",
        (f"POSTGRES_PASSWORD_FILE={SECRET}", "PGDATA=/var/lib/postgresql/data/cluster"),
        ("postgres", "-c", "unix_socket_directories=/var/run/postgresql"),
        f"{PSQL} --command='CREATE TABLE kept AS SELECT 42 AS kept'",
        f"{PSQL} --command='SELECT kept FROM kept'",
    ),
}


def docker(*arguments: str, check: bool = True) -> str:
    """Run the docker command; return its output."""
    done = subprocess.run(("docker", *arguments), capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(params=list(SERVERS))
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], tuple[Server, str]]]:
    """Start a server of each kind on one volume, as often as it is called."""
    server = SERVERS[request.param]
    image = lab.stand_in(request.param)
    marked = tuple(f"--label={name}={value}" for name, value in labels().items())
    name = f"steadfast-{lab.run_id()}-{request.param}"
    docker("volume", "create", *marked, name)
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o444)
    mounts = [f"--volume={name}:{server.data}", f"--volume={secret}:{SECRET}:ro"]
    if request.param == "postgres":
        # Of the image, where the volume is new.
        mounts.append("--volume=/var/run/postgresql")

    def started() -> tuple[Server, str]:
        docker("rm", "--force", "--volumes", name, check=False)
        environment = (f"--env={variable}" for variable in server.environment)
        options = (f"--name={name}", f"--user={server.user}", *marked, *HARDENED, *mounts, *environment)
        docker("run", "--detach", *options, image, *server.command)
        return server, name

    yield started
    docker("rm", "--force", "--volumes", name, check=False)
    docker("volume", "rm", name)


def run_in(name: str, command: str) -> str:
    """Run a shell command in the container as soon as the server answers."""
    for attempt in tenacity.Retrying(
        stop=tenacity.stop_after_delay(START_TIMEOUT), wait=tenacity.wait_fixed(1), reraise=True
    ):
        with attempt:
            assert docker("inspect", "--format={{.State.Running}}", name) == "true", docker("logs", name)
            return docker("exec", name, "sh", "-c", command)
    raise AssertionError


def test_data_is_kept(start: Callable[[], tuple[Server, str]]) -> None:
    """Interrupted while it makes its data it does so anew; a second start has what was written."""
    _, name = start()
    docker("kill", name)
    server, name = start()
    run_in(name, server.write)
    docker("stop", "--time=60", name)
    start()
    assert run_in(name, server.read) == "42"
