"""PostgreSQL in a container is what it is on a host."""

from __future__ import annotations

import re

import yaml

from tests.kit import REPOSITORY


def test_cluster_is_made_as_on_a_host() -> None:
    """With its encoding and checksums, and the way in which its administrator logs in."""
    tasks = yaml.safe_load((REPOSITORY / "roles/postgresql/tasks/cluster.yml").read_text())
    (initdb,) = (task["ansible.builtin.command"]["argv"] for task in tasks if task["name"] == "Initialise the cluster")
    options = {word for word in initdb if re.match("--(encoding|locale|data-checksums|auth)", word)}
    file = yaml.safe_load((REPOSITORY / "compose/postgresql.yml").read_text())
    environment = file["services"]["postgresql"]["environment"]
    assert set(environment["POSTGRES_INITDB_ARGS"].split()) == options
