"""Errors are for people: the message, and nothing around it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.plugins import load

PLUGIN = load("plugins/callback/steadfast.py")


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        ({"msg": "Task failed: Action failed: port is 0."}, "port is 0."),
        ({"msg": "non-zero return code", "stderr": "a\nb\nc\nd"}, "b\nc\nd"),
        ({"msg": "failed to validate", "stderr": "wrong password"}, "wrong password"),
        ({"msg": "x", "results": [{"failed": False}, {"failed": True, "msg": "y"}]}, "y"),
        ({}, "the task failed and gave no reason; -v shows all of it"),
    ],
)
def test_error_is_a_sentence(result: dict[str, Any], sentence: str) -> None:
    """Taken from what Ansible reports."""
    assert PLUGIN.sentence(result) == sentence
