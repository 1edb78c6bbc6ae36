"""Packages come onto this machine although somebody else uses apt; the apt here is only played."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import packages
from tests.lab.errors import LabError

LOCKED = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)"


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Plays apt-get, which writes down how it is called: one answer after the other, then success."""
    folder = tmp_path / "bin"
    folder.mkdir()
    answers = tmp_path / "answers"
    answers.touch()
    apt = folder / "apt-get"
    apt.write_text(
        f"""#!/bin/sh
echo "$1" >>{tmp_path}/calls
answer=$(head -n 1 {answers})
sed -i 1d {answers}
[ -z "$answer" ] || {{ echo "$answer" >&2; exit 100; }}
"""
    )
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(packages, "POLL_SECONDS", 0)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return tmp_path


def calls(play: Path) -> list[str]:
    """Read what apt-get was asked for."""
    return (play / "calls").read_text().split()


def test_one_that_is_there_is_installed_at_once(play: Path) -> None:
    """Without fetching the lists."""
    packages.apt_install("shellcheck")
    assert calls(play) == ["install"]


def test_without_lists_they_are_fetched(play: Path) -> None:
    """A new machine has none."""
    (play / "answers").write_text("E: Unable to locate package shellcheck\n")
    packages.apt_install("shellcheck")
    assert calls(play) == ["install", "update", "install"]


def test_another_process_is_waited_for(play: Path) -> None:
    """Whichever of apt's locks it holds; a machine that has just started updates itself."""
    unknown = "E: Unable to locate package shellcheck"
    (play / "answers").write_text("\n".join([LOCKED, LOCKED, unknown, LOCKED, "\n"]))
    packages.apt_install("shellcheck")
    assert calls(play) == ["install", "install", "install", "update", "update", "install"]


def test_one_that_never_ends_is_told(play: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With apt's own words, after a while."""
    monkeypatch.setattr(packages, "LOCK_SECONDS", 0)
    (play / "answers").write_text("\n".join([LOCKED] * 9))
    with pytest.raises(LabError, match=r"shellcheck failed:\nE: Could not get lock .*process 7"):
        packages.apt_install("shellcheck")
    assert calls(play) == ["install", "update", "install"]


def test_who_is_not_root_is_told_the_command(play: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(LabError, match="sudo apt-get install shellcheck"):
        packages.apt_install("shellcheck")
    assert not (play / "calls").exists()
