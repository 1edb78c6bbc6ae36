"""What `make compose-up` says of a machine or of settings that will not do: one sentence, and nothing half done."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests import lab
from tests.compose.project import Project, running
from tests.kit import TOOLS, Run, run

# What a cluster of another series says of itself.
OLDER = "13"


def docker(version: str, plugins: str) -> str:
    """Write a command `docker` of a version with its plugins, since the real one cannot be had of each."""
    return f"case $1 in info) echo '{version}{plugins}' ;; esac"


@pytest.fixture()
def project(tmp_path: Path) -> Project:
    """Write a project; nothing runs."""
    return Project(tmp_path, "redis")


def up_with(project: Project, folder: Path, script: str) -> Run:
    """Run the playbook where the command `docker` is a script."""
    program = folder / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    path = f"{program.parent}:{TOOLS}:{os.environ['PATH']}"
    return run("ansible-playbook", "-i", str(project.kit.folder), "playbooks/compose.yml", environment={"PATH": path})


@pytest.mark.parametrize(
    ("script", "parts"),
    [
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 1", ("Docker cannot be used here", "start it")),
        (docker("19.03.8", " compose=v2.27.0"), ("Docker's engine is of version 19.03.8", "20.10 or newer is needed")),
        (
            docker("27.0.1", " buildx=v0.14.0"),
            ("`docker compose` is not there", "The old docker-compose 1 will not do"),
        ),
        (
            docker("27.0.1", " buildx=v0.14.0 compose=v2.10.2"),
            ("Docker Compose is of version 2.10.2", "2.20.0 or newer is needed"),
        ),
    ],
    ids=["no engine", "engine too old", "no Compose 2", "Compose too old"],
)
def test_docker_that_will_not_do_is_named(
    project: Project, tmp_path: Path, script: str, parts: tuple[str, ...]
) -> None:
    """With what it has to be."""
    up_with(project, tmp_path, script).failed_with(*parts)
    assert not (project.folder / ".env").exists()


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"tracker_store": "oracle"}, ("oracle",)),
        ({"tracker_store_tls": True}, ("tracker_store_tls is true",)),
        ({"rasa_workers": 2}, ("rasa_workers is 2", "compose_rasa_count")),
        ({"compose_rasa_count": "three"}, ("compose_rasa_count (RASA) is 'three'", "1 to 99")),
        ({"compose_rasa_count": 100}, ("compose_rasa_count (RASA) is '100'", "1 to 99")),
        (
            {"compose_rasa_count": 3, "tracker_store": "sqlite"},
            ("compose_rasa_count (RASA) is 3", "one container only"),
        ),
        ({"compose_project": "My Bot"}, ("compose_project is 'My Bot'", "small letters")),
        ({"tracker_store_options": {"url": "127.0.0.1"}}, ("url is '127.0.0.1'", "leave it out")),
        (
            {"tracker_store": "mongodb", "tracker_store_options": {"url": "mongodb://db.example"}},
            ("url is set", "leave it out"),
        ),
        (
            {"tracker_store": "sqlite", "tracker_store_options": {"db": "/srv/bot/rasa.db"}},
            ("db is '/srv/bot/rasa.db'",),
        ),
        ({"event_broker": "sql"}, ("event_broker is 'sql'", "cannot write")),
        (
            {"lock_store_options": {"url": "localhost", "port": 6380}},
            ("lock_store_options.url is 'localhost'", "an address of the machine"),
        ),
        (
            {
                "tracker_store": "dynamodb",
                "tracker_store_environment": {"AWS_ENDPOINT_URL": "http://127.0.0.1:8000"},
            },
            ("AWS_ENDPOINT_URL is 'http://127.0.0.1:8000'", "an address of the machine"),
        ),
        (
            {
                "event_broker": "kafka",
                "event_broker_options": {"url": "broker.example:9092,localhost:9092", "topic": "events"},
            },
            ("event_broker_options.url is 'broker.example:9092,localhost:9092'", "an address of the machine"),
        ),
        ({"compose_overrides": ["typo.yml"]}, ("compose_overrides names", "typo.yml, which is not there")),
        ({"compose_images": {"postgresql": "postgres:17"}}, ("compose_images has postgresql", "postgres")),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_settings_that_containers_cannot_have_are_refused(
    project: Project, settings: dict[str, object], parts: tuple[str, ...]
) -> None:
    """Before anything is written."""
    project.up(**settings).failed_with(*parts)
    assert not (project.folder / ".env").exists()


def test_image_that_cannot_be_pulled_is_named(images: None, project: Project) -> None:
    """With the setting that names it, and what to do where no registry can be reached."""
    nowhere = {"redis": "registry.invalid/redis:7"}
    project.up(compose_images=nowhere).failed_with("registry.invalid/redis:7 cannot be pulled", "compose_images")
    assert not (project.folder / ".env").exists()


def test_port_that_is_taken_is_named(images: None, tmp_path: Path) -> None:
    """Before a container is made."""
    project = Project(tmp_path, "redis")
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            project.up(rasa_port=port).failed_with(f"rasa_port is {port}", "choose a free port")
        assert project.made() == set()
        assert not (project.folder / ".env").exists()
    finally:
        project.down()


def test_settings_that_cannot_be_used_leave_those_that_are(images: None, tmp_path: Path) -> None:
    """What runs reads its files at its next start."""
    with running(tmp_path, "redis") as project:
        files = [project.folder / ".env", *(path for path in (project.folder / "rendered").iterdir() if path.is_file())]
        before = {path: path.read_text() for path in files}
        project.up(tracker_store="mariadb", compose_images={"mariadb": "registry.invalid/mariadb:1"}).failed_with(
            "registry.invalid/mariadb:1 cannot be pulled"
        )
        assert {path: path.read_text() for path in files} == before


def test_volume_of_another_version_is_named(images: None, tmp_path: Path) -> None:
    """By the server, which leaves it as it is; the sentence says how to go on."""
    with running(tmp_path, "postgresql") as project:
        version = "/var/lib/postgresql/data/cluster/PG_VERSION"
        project.compose("exec", "-T", "postgresql", "sh", "-c", f"echo {OLDER} >{version}")
        project.compose("down")
        refused = project.up()
    refused.failed_with("database files are incompatible with server", "compose_images.postgres", "make migrate")


@pytest.mark.parametrize(
    ("newer", "older", "told"),
    [
        ("debian-13", "debian-12", "Can't handle RDB format version"),
        ("debian-12", "debian-11", "is of Redis 7 or newer, and this is Redis 6"),
    ],
    ids=["8 to 7", "7 to 6"],
)
def test_older_redis_than_that_of_the_volume_is_named(
    images: None, tmp_path: Path, newer: str, older: str, told: str
) -> None:
    """One that would pass over the data, too; with the newer one again, the conversation is there."""
    with running(tmp_path, "redis", compose_images={"redis": lab.stand_in("redis", newer)}) as project:
        project.steadfast("talk", "--", "me", "hello")
        before = json.loads(project.steadfast("read", "--", "me"))
        project.up(compose_images={"redis": lab.stand_in("redis", older)}).failed_with(
            told, "compose_images.redis", "make migrate"
        )
        project.up().succeeded()
        assert json.loads(project.steadfast("read", "--", "me")) == before


@pytest.mark.parametrize(
    ("store", "settings", "told"),
    [
        ("custom", {"tracker_store_options": {"type": "no.Such"}}, "no.Such"),
        (
            "redis",
            {
                "event_broker": "pika",
                "event_broker_options": {"url": "broker.invalid", "username": "bot", "password": "bot"},
            },
            "broker.invalid",
        ),
        ("redis", {"lock_store_options": {"url": "locks.invalid"}}, "locks.invalid"),
    ],
    ids=["store", "event broker", "locks"],
)
def test_server_that_cannot_be_used_is_named(
    images: None, tmp_path: Path, store: str, settings: dict[str, Any], told: str
) -> None:
    """Where Rasa would answer from its memory, keep its events to itself, or answer nobody."""
    project = Project(tmp_path, store, **settings)
    try:
        refused = project.up()
        refused.failed_with(told)
        assert "data of another version" not in refused.output
        assert project.compose("ps", "--all", "--quiet", "rasa") == ""
    finally:
        project.down()


def test_lost_password_of_the_datas_root_is_named(images: None, tmp_path: Path) -> None:
    """Before another one is made, which would be of no use: the volume has had its own since it was made."""
    project = Project(tmp_path, "mariadb")
    volume = f"{project.name}_mariadb"
    project.docker("volume", "create", *(f"--label={name}={value}" for name, value in lab.labels().items()), volume)
    try:
        project.up().failed_with("mariadb_root_password is missing", f"the volume {volume}", "bring the file back")
        assert "mariadb_root_password" not in project.kit.secrets()
    finally:
        project.docker("volume", "rm", volume)
    # The control: where there is no data, there is nothing to lose.
    project.up("--check").succeeded()
