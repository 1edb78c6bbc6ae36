"""How commands get into a host, with a program that stands in for docker."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest

from tests.lab.host import Host

SECRET = "a secret for a test"


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the program `docker` that is found, to be written; its host is called `bot`."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    program = tmp_path / "docker"
    program.touch(mode=0o755)
    return program


def host() -> Host:
    """Make a host without a container."""
    return Host(cast("Any", SimpleNamespace(name="steadfast-bot")), "bot", "debian-12", systemd=True)


def test_quick_command_is_heard(says: Path) -> None:
    """Both streams and the exit code are what the command had."""
    says.write_text("#!/bin/sh\necho out; echo err >&2; exit 3\n")
    done = host().exec("anything", check=False)
    assert (done.exit_code, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_secret_is_in_no_argument(says: Path) -> None:
    """The process gets the variable; who lists processes sees its name only."""
    says.write_text('#!/bin/sh\necho "$@"; echo "$PASSWORD" >&2\n')
    done = host().exec("anything", environment={"PASSWORD": SECRET})
    assert "--env=PASSWORD" in done.stdout
    assert SECRET not in done.stdout
    assert done.stderr == f"{SECRET}\n"


def test_host_that_does_not_run_is_the_engines_error(says: Path) -> None:
    """It is not taken for what a command said."""
    says.write_text("#!/bin/sh\necho 'Error response from daemon: Container 1 is not running' >&2; exit 1\n")
    with pytest.raises(docker.errors.APIError, match="is not running"):
        host().exec("anything", check=False)
