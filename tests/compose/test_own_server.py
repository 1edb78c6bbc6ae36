"""A server that the user has: the kit makes the tables, and runs the bot only."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import lab
from tests.certificates import Certificate
from tests.compose.project import Project
from tests.lab import dynamodb

OVERRIDE = "own.yml"
NAME = "redis.example"
PASSWORD = secrets.token_hex(16)
GREETING = ("talk", "--", "me", "Find me some good venues")
AWS = {"AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab"}


@pytest.fixture(scope="module")
def network(images: None) -> Iterator[lab.Network]:
    """Make a network that the kit does not know of."""
    made = lab.network("own")
    try:
        yield made
    finally:
        made.remove()


def joined(folder: Path, network: lab.Network, store: str, *services: str, **settings: Any) -> Project:
    """Write a project of which some services are in that network, too."""
    project = Project(folder, store, runs_server=False, **settings)
    there: dict[str, Any] = {"networks": {"default": {}, "own": {}}}
    override = {
        "services": dict.fromkeys(services, there),
        "networks": {"own": {"external": True, "name": network.name}},
    }
    (project.folder / OVERRIDE).write_text(json.dumps(override))
    project.kit.settings["compose_overrides"].append(OVERRIDE)
    return project


def up(project: Project) -> None:
    """Run it, and once more, which changes nothing."""
    settings = {"compose_overrides": project.kit.settings["compose_overrides"]}
    project.up(**settings).succeeded()
    assert project.up(**settings).succeeded().changed == {"localhost": 0}


def test_redis_by_tls(network: lab.Network, tmp_path: Path) -> None:
    """By its name, which its certificate must have; a certificate of another authority is refused."""
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    authority, other = Certificate(certificates, "company"), Certificate(certificates, "other")
    server = Certificate(certificates, "server", issuer=authority, addresses=[NAME])
    project = joined(
        tmp_path / "project",
        network,
        "redis",
        "rasa",
        # They need locks, of a server that the kit runs beside theirs.
        compose_rasa_count=2,
        tracker_store_tls=True,
        tracker_store_tls_authority=str(authority.path),
        tracker_store_options={"url": NAME, "password": PASSWORD},
        compose_start_seconds=60,
    )
    redis = project.docker(
        *("run", "--detach", "--rm", "--user=0", "--entrypoint=redis-server", f"--volume={certificates}:/tls:ro"),
        *(f"--label={name}={value}" for name, value in lab.labels().items()),
        *(f"--network={network.name}", f"--network-alias={NAME}", lab.stand_in("redis")),
        *("--port", "0", "--tls-port", "6379", "--tls-auth-clients", "no", "--requirepass", PASSWORD),
        *("--tls-cert-file", f"/tls/{server.path.name}", "--tls-key-file", f"/tls/{server.key_path.name}"),
    ).strip()
    try:
        up(project)
        assert "Big Arena" in project.steadfast(*GREETING)
        assert "Find me some good venues" in project.steadfast("read", "--", "me")
        settings = {"compose_overrides": project.kit.settings["compose_overrides"]}
        refused = project.up(tracker_store_tls_authority=str(other.path), **settings)
        refused.failed_with(f"container {project.name}-rasa-", "is unhealthy")
    finally:
        project.down()
        project.docker("rm", "--force", redis)


def test_dynamodb(network: lab.Network, tmp_path: Path) -> None:
    """The kit's job makes its tables."""
    host = lab.start_host("debian-12", "dynamodb", network=network)
    try:
        dynamodb.start_dynamodb(host, address="0.0.0.0")
        project = joined(
            tmp_path / "project",
            network,
            "dynamodb",
            *("rasa", "tables"),
            tracker_store_environment={"AWS_ENDPOINT_URL": f"http://{host.ip}:4567", **AWS},
        )
        try:
            up(project)
            assert "Big Arena" in project.steadfast(*GREETING)
            found = project.verify(tmp_path / "verify.json", "kill-rasa").succeeded()
        finally:
            project.down()
    finally:
        host.remove()
    assert "PERSISTED" in found.output
    assert "LOST" not in found.output
