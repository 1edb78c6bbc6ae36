"""A file is written unless it was found as it should be."""

from __future__ import annotations

import pytest

from tests.unit.plugins import load

PLUGIN = load("plugins/filter/files.py")

PATH = "/etc/redis/tracker.conf"
# As the module find has it: the checksum is the SHA-1 of "port 6379\n".
FOUND = {
    "path": PATH,
    "pw_name": "redis",
    "gr_name": "redis",
    "mode": "0400",
    "checksum": "01dcb5dfb72ec34cbce02696a2b85fb3a2a9f961",
}


def is_written(text: str = "port 6379\n", **changed: str) -> bool:
    """Ask about the configuration, where another file and one that is as it should be but for `changed` were found."""
    other = {**FOUND, "path": "/etc/redis/redis.conf"}
    return bool(PLUGIN.is_written(text, PATH, "redis", "0400", [other, {**FOUND, **changed}]))


def test_file_that_is_as_it_should_be() -> None:
    """It need not be written."""
    assert is_written()


@pytest.mark.parametrize(
    "changed",
    [
        {"path": "/etc/redis/lock.conf"},
        {"pw_name": "root"},
        {"gr_name": "root"},
        {"mode": "0644"},
        {"checksum": "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    ],
    ids=str,
)
def test_file_with_a_difference_is_written(changed: dict[str, str]) -> None:
    """Whatever it is."""
    assert not is_written(**changed)


def test_file_with_another_text_is_written() -> None:
    """Even by a line's end."""
    assert not is_written("port 6379")


def test_file_that_was_not_found_is_written() -> None:
    """On a fresh host there is none, and one that is no more has no owner."""
    assert not PLUGIN.is_written("", PATH, "redis", "0400", [])
    assert not PLUGIN.is_written("", PATH, "redis", "0400", [{"path": PATH}])
