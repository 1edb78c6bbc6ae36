"""Which runs of the lab have ended, and how what they left is removed."""

import os
import subprocess

import docker
import pytest

from tests.lab import cleanup, runs
from tests.lab.errors import LabError


def test_live_run() -> None:
    """What a live run has made is no leftover."""
    assert not runs.is_leftover(runs.labels())


def test_killed_run() -> None:
    """What a killed run has made is a leftover, even before its parent notices."""
    process = subprocess.Popen(("sleep", "60"))
    labels = {
        **runs.labels(),
        runs.PID: str(process.pid),
        runs.STARTED: runs.started(process.pid) or "",
    }
    assert not runs.is_leftover(labels)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert runs.is_leftover(labels)
    process.wait()
    assert runs.is_leftover(labels)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({runs.STARTED: "1"}, True, id="process number used again"),
        pytest.param({runs.PID: ""}, True, id="no process"),
        pytest.param({runs.STARTED: "1", runs.WHERE: "elsewhere"}, False, id="other machine"),
    ],
)
def test_leftover(change: dict[str, str], *, expected: bool) -> None:
    """A process number alone does not make a run alive, and elsewhere it says nothing."""
    assert runs.is_leftover({**runs.labels(), **change}) is expected


def test_foreign() -> None:
    """What is not the lab's is never a leftover."""
    assert not runs.is_leftover({})
    assert not runs.is_leftover({"com.docker.compose.project": "mine"})


def fake_resource(name: str, labels: dict[str, str], removed: list[str]) -> cleanup.Resource:
    """Return a resource that only notes its removal."""
    return cleanup.Resource("container", name, labels, lambda: removed.append(name))


def test_remove_leftovers() -> None:
    """What dead runs left is removed, all else stays."""
    removed: list[str] = []
    dead = {**runs.labels(), runs.STARTED: "1"}
    found = [
        fake_resource("dead", dead, removed),
        fake_resource("alive", runs.labels(), removed),
        fake_resource("foreign", {}, removed),
    ]
    assert cleanup.remove(cleanup.leftovers(found)) == ["container dead"]
    assert removed == ["dead"]


def test_remove_goes_on() -> None:
    """One that cannot be removed does not keep the others, and is named."""
    removed: list[str] = []

    def gone() -> None:
        raise docker.errors.NotFound("no such container")

    def busy() -> None:
        raise docker.errors.APIError("conflict", explanation="has active endpoints")

    found = [
        cleanup.Resource("container", "gone", {}, gone),
        cleanup.Resource("network", "busy", {}, busy),
        fake_resource("last", {}, removed),
    ]
    with pytest.raises(LabError, match="not removed: network busy: has active endpoints"):
        cleanup.remove(found)
    assert removed == ["last"]
