"""What is said where Docker Engine cannot be had."""

import os
from pathlib import Path

import pytest

from tests.lab import engine
from tests.lab.errors import LabError


@pytest.fixture
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the lab at a socket that nobody serves; return an empty folder on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return programs


@pytest.mark.usefixtures("no_engine")
def test_engine_without_root(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who may not start an Engine is told so in one sentence."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="only root can start or install one"):
        engine.ensure_engine()


@pytest.mark.usefixtures("no_engine")
def test_engine_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Engine on another machine is not started here."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(LabError, match="which DOCKER_HOST names"):
        engine.ensure_engine()


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        pytest.param("exit 3", "dockerd ended with exit code 3", id="ends"),
        pytest.param("exec sleep 60", "no Docker Engine answers at .* after 1 s", id="hangs"),
    ],
)
def test_engine_fails(no_engine: Path, monkeypatch: pytest.MonkeyPatch, then: str, reason: str) -> None:
    """An Engine that does not start shows the end of its log."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    dockerd = no_engine / "dockerd"
    dockerd.write_text(f'#!/bin/sh\necho "failed to start daemon: why"\n{then}\n')
    dockerd.chmod(0o755)
    with pytest.raises(LabError, match=f"(?s){reason}.*failed to start daemon: why"):
        engine.ensure_engine(timeout=1)
