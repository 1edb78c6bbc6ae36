"""Packages of a stand-in, without a registry: what is asked for, what is packed, and that it is kept."""

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.lab import stand_in_packages
from tests.lab.errors import LabError

STAND_INS = Path(stand_in_packages.__file__).with_name("stand_ins")


def fetched(made: Path, command: str) -> None:
    """Leave what uv or npm would."""
    file = made / ("python/server.py" if command.endswith("uv") else "node_modules/shell/shell.js")
    file.parent.mkdir(parents=True)
    file.touch()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write the lists of a stand-in."""
    found = tmp_path / "server"
    found.mkdir()
    (found / "requirements.txt").write_text("server==1.0\n")
    (found / "package.json").write_text('{"dependencies": {"shell": "1.0"}}\n')
    return found


def test_archive_is_made_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And anew for another list."""
    asked = []

    def run(command: tuple[str, ...], **options: object) -> subprocess.CompletedProcess[str]:
        asked.append(Path(command[0]).name)
        (target,) = [word.split("=", 1)[1] for word in command if word.startswith(("--target=", "--prefix="))]
        fetched(Path(target).parent if target.endswith("python") else Path(target), command[0])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    first = stand_in_packages.packages_archive(folder, tmp_path)
    assert stand_in_packages.packages_archive(folder, tmp_path) == first
    with tarfile.open(first) as tar:
        assert [name for name in tar.getnames() if "." in name] == ["python/server.py", "node_modules/shell/shell.js"]
    (folder / "requirements.txt").write_text("server==1.1\n")
    assert stand_in_packages.packages_archive(folder, tmp_path) != first
    assert asked == ["uv", "npm"] * 2
    (folder / "requirements.txt").unlink()
    with tarfile.open(stand_in_packages.packages_archive(folder, tmp_path)) as tar:
        assert [name for name in tar.getnames() if "." in name] == ["node_modules/shell/shell.js"]
    assert asked == ["uv", "npm"] * 2 + ["npm"]


def test_package_that_cannot_be_had_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the client said; nothing is kept."""
    monkeypatch.setattr(subprocess, "run", lambda command, **options: subprocess.CompletedProcess(command, 1, "", "no"))
    with pytest.raises(LabError, match="uv pip install cannot fetch the packages of a stand-in:\nno"):
        stand_in_packages.packages_archive(folder, tmp_path)
    assert list(tmp_path.iterdir()) == [folder]


def test_packages_are_pinned() -> None:
    """Those of PyPI with their hashes, that of npm by its version."""
    for path in STAND_INS.glob("*/requirements.txt"):
        lines = [line for line in path.read_text().splitlines() if "==" in line]
        assert lines and path.read_text().count("--hash=sha256:") >= len(lines)
