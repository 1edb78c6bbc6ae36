"""Packages of npm, without npm: what is there is packed once."""

import tarfile
from pathlib import Path

import pytest

from tests.lab.npm import npm_archive


def test_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It has what was fetched, under the name that programs look for."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    program = tmp_path / "some-1.0.0/node_modules/some/index.js"
    program.parent.mkdir(parents=True)
    program.write_text("1")
    archive = npm_archive(tmp_path, "some@1.0.0")
    program.write_text("2")
    assert npm_archive(tmp_path, "some@1.0.0") == archive
    with tarfile.open(archive) as packed:
        found = packed.extractfile("node_modules/some/index.js")
        assert found is not None
        assert found.read() == b"1"
