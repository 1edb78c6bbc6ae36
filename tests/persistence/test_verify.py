"""`make verify` finds that conversations survive, on a real host with real restarts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Deployed


def test_no_acknowledged_turn_is_lost_whatever_restarts(deployed: Callable[[str], Deployed], tmp_path: Path) -> None:
    """Restart and kill -9 of Rasa, of Redis, of both; test_local.py in tests/deploy has the control."""
    report = tmp_path / "verify.json"
    found = deployed("debian-12").kit.verify(report).succeeded()
    assert "PERSISTED" in found.output
    assert "LOST" not in found.output
    json.loads(report.read_text())
