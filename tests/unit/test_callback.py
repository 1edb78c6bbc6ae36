"""Errors are for people: the message, and nothing around it."""

from __future__ import annotations

from types import SimpleNamespace
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


def played(name: str, parent: Any = None, rescue: tuple[str, ...] = ()) -> Any:
    """Play a task or a block; `rescue` names the tasks that it is rescued by."""
    return SimpleNamespace(_uuid=name, _parent=parent, rescue=[SimpleNamespace(_uuid=each) for each in rescue])


def test_error_that_has_a_rescue_waits_for_its_word() -> None:
    """The rescue's own is told at once, and so is what it includes."""
    block = played("block", rescue=("say", "include"))
    assert PLUGIN.is_rescued(played("task", block))
    assert PLUGIN.is_rescued(played("task", played("included", block)))
    assert not PLUGIN.is_rescued(played("say", block))
    assert not PLUGIN.is_rescued(played("task", played("inner block", played("include", block))))
    assert not PLUGIN.is_rescued(played("task", played("block without a rescue")))
