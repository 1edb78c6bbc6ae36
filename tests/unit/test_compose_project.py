"""What the tests' Compose makes is theirs, whatever the run is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import lab
from tests.compose.project import Project


@pytest.mark.parametrize("run", ["0123abcd", "321739e3", "12345678"])
def test_label_is_a_text(run: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Though for YAML a run may look like a number: in quotes it is none."""
    monkeypatch.setattr("tests.lab.runs.run_id", lambda: run)
    folder = Project(tmp_path, "memory").folder
    label = f'"{lab.runs.LABEL}": "{run}"'
    assert label in (folder / "base.yml").read_text()
    assert label in (folder / "labels.yml").read_text()
