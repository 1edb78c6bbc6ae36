"""The kit's own MongoDB under Compose, without one: what its client asks of it, and what its health check says."""

from __future__ import annotations

import re
import struct
import subprocess

import bson
import pymongo
import yaml

from tests.kit import REPOSITORY


def write_concern(url: str) -> dict[str, object]:
    """Give what a client asks for with each write that is made as Rasa's MongoTrackerStore makes it."""
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
        url, username="rasa", password="secret", authSource="admin", connect=False
    )
    return dict(client["rasa"]["conversations"].write_concern.document)


def test_every_write_waits_for_the_journal() -> None:
    """By the URL, which is the only place for it; without it, none would."""
    store = yaml.safe_load((REPOSITORY / "roles/tracker_store/stores/mongodb.yml").read_text())
    url = store["tracker_store_server_defaults"]["url"].replace("{{ tracker_store_server_address }}", "mongodb")
    assert write_concern(url) == {"j": True}
    assert write_concern(url.split("?")[0]) == {}


def test_health_check_asks_a_whole_question() -> None:
    """An OP_MSG with the command hello, which needs no login."""
    file = yaml.safe_load((REPOSITORY / "compose/mongodb.yml").read_text())
    (question,) = re.findall(r"printf \".*?\"", file["services"]["mongodb"]["healthcheck"]["test"][-1])
    message = subprocess.run(
        ["bash", "-c", question.replace("$$", "$")], capture_output=True, check=True, env={"db": "not expanded"}
    ).stdout
    length, _, answers, kind, flags, section = struct.unpack("<iiiiIb", message[:21])
    assert (length, answers, kind, flags, section) == (len(message), 0, 2013, 0, 0)
    assert bson.decode(message[21:]) == {"hello": 1, "$db": "admin"}
