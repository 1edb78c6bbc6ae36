"""Removed hosts: what stays until the run ends, without Docker."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest
from docker.models.containers import Container

from tests.lab import retirement


class FakeContainer:
    """Notes what is done to it; one that is gone answers as Docker does."""

    def __init__(self, name: str, *, is_gone: bool = False) -> None:
        """Stand for a container of that name."""
        self.name = name
        self.is_gone = is_gone
        self.done: list[str] = []

    def _do(self, what: str) -> None:
        if self.is_gone:
            raise docker.errors.NotFound("no such container")
        self.done.append(what)

    def stop(self, timeout: int) -> None:
        """Note it."""
        self._do(f"stop in {timeout} s")

    def rename(self, name: str) -> None:
        """Note it, under the new name."""
        self._do("rename")
        self.name = name

    def remove(self, **options: Any) -> None:
        """Note it, with its options."""
        self._do(f"remove {options}")


DELETED = "remove {'force': True, 'v': True}"


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Retire nothing yet, on a disk whose free bytes a test sets."""
    disk = {"bytes": retirement.LEAST_FREE_BYTES}
    monkeypatch.setattr(retirement, "_retired", [])
    monkeypatch.setattr(retirement, "free_bytes", lambda: disk["bytes"])
    return disk


def retire(*containers: FakeContainer) -> None:
    """Retire containers one after the other."""
    for container in containers:
        retirement.retire(cast(Container, container))


@pytest.mark.usefixtures("free")
def test_files_stay() -> None:
    """A removed host is stopped, its files stay, and two later ones may have its name."""
    first, second = FakeContainer("steadfast-1-bot"), FakeContainer("steadfast-1-bot")
    retire(first, second)
    assert first.done == second.done == ["stop in 0 s", "rename"]
    assert len({first.name, second.name, "steadfast-1-bot"}) == 3


def test_disk_gets_full(free: dict[str, int]) -> None:
    """Where disk is short, all that was removed before is deleted, once."""
    first, second, third = FakeContainer("first"), FakeContainer("second"), FakeContainer("third")
    retire(first)
    free["bytes"] -= 1
    retire(second)
    assert first.done == second.done == ["stop in 0 s", "rename", DELETED]
    free["bytes"] += 1
    retire(third)
    assert first.done.count(DELETED) == 1
    assert DELETED not in third.done


@pytest.mark.usefixtures("free")
def test_removed_twice() -> None:
    """A host that is gone is no error."""
    gone = FakeContainer("gone", is_gone=True)
    retire(gone)
    assert gone.done == []


def test_gone_meanwhile(free: dict[str, int]) -> None:
    """One that somebody else has deleted does not keep the others."""
    taken, last = FakeContainer("taken"), FakeContainer("last")
    retire(taken)
    taken.is_gone = True
    free["bytes"] = 0
    retire(last)
    assert last.done[-1] == DELETED


def test_free_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Engine's own disk counts; one that is not here has nothing free."""
    root = {"DockerRootDir": str(tmp_path)}
    monkeypatch.setattr(retirement, "ensure_engine", lambda: SimpleNamespace(info=lambda: root))
    assert retirement.free_bytes() > 0
    root["DockerRootDir"] = str(tmp_path / "elsewhere")
    assert retirement.free_bytes() == 0
