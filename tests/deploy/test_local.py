"""Promises to a newcomer: a fresh machine without systemd, a clone, the README's commands."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import lab
from tests.kit import REPOSITORY, TIMEOUT_SECONDS
from tests.machines import machine_settings

CLONE = "/root/steadfast"


class Machine(NamedTuple):
    """A fresh machine with a clone of this repository, and the settings that it needs here."""

    host: lab.Host
    settings: dict[str, Any]

    def make(self, *arguments: str, check: bool = True) -> lab.Result:
        """Run make in the clone."""
        command = f"cd {CLONE} && make {shlex.join(arguments)} 2>&1"
        return self.host.exec(command, check=check, timeout=TIMEOUT_SECONDS)


@pytest.fixture(scope="module")
def machine(
    start: Callable[..., lab.Host],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Machine]:
    """A machine with make, which trusts what this one trusts, and nothing else."""
    host = start("debian-12", "newcomer", systemd=False)
    chosen = machine_settings("debian-12")
    bundle = chosen.pop("host_ca_certificates", None)
    if bundle:
        host.put(Path(bundle), "/usr/local/share/ca-certificates/lab.crt")
        host.exec("update-ca-certificates")
    if "rasa_python_archive" in chosen:
        host.put(Path(chosen["rasa_python_archive"]), "/root/python.tar.gz")
        chosen["rasa_python_archive"] = "/root/python.tar.gz"
    host.install("make")

    files = subprocess.run(("git", "ls-files", "-z"), cwd=REPOSITORY, check=True, stdout=subprocess.PIPE).stdout
    archive = tmp_path_factory.mktemp("clone") / "clone.tar"
    subprocess.run(
        ("tar", "--create", "--file", str(archive), "--null", "--files-from=-"),
        cwd=REPOSITORY,
        input=files,
        check=True,
    )
    host.put(archive, "/root/clone.tar")
    host.exec(f"mkdir {CLONE} && tar -xf /root/clone.tar -C {CLONE}")
    # What this machine needs and others do not, where a user would write it.
    settings_file = f"{CLONE}/inventory/local/group_vars/all"
    host.exec(f"mkdir {settings_file} && mv {settings_file}.yml {settings_file}/settings.yml")
    host.put(json.dumps(chosen).encode(), f"{settings_file}/lab.json")
    yield Machine(host, chosen)
    host.remove()


def test_deploy_ends_with_the_bots_answer(machine: Machine) -> None:
    """The first command of the README, on a machine that has nothing."""
    output = machine.make("deploy").stdout
    assert "Bot:  Big Arena, Rock Cellar" in output


def test_second_deploy_changes_nothing(machine: Machine) -> None:
    """Neither a file nor a running process."""
    before = machine.host.exec("supervisorctl status").stdout
    assert before.count("RUNNING") == 3, before
    assert "changed=0" in machine.make("deploy").stdout
    process_ids = [line.split()[3] for line in before.splitlines()]
    after = machine.host.exec("supervisorctl status").stdout
    assert [line.split()[3] for line in after.splitlines()] == process_ids


def test_talk_and_show(machine: Machine) -> None:
    """A user looks at what was said."""
    assert "Rock Cellar" in machine.make("talk", "SENDER=ann", "MESSAGE=find me venues").stdout
    shown = machine.make("show", "SENDER=ann").stdout
    assert "find me venues" in shown
    assert "ann" in machine.make("show").stdout


def test_memory_store_is_warned_of_and_convicted(machine: Machine) -> None:
    """The control of every persistence check: a store that forgets must be caught."""
    assert "forgets every conversation" in machine.make("deploy", "STORE=memory").stdout
    verdict = machine.make("verify", check=False)
    assert verdict.exit_code != 0
    assert "LOST" in verdict.stdout


def test_remove_leaves_the_data(machine: Machine) -> None:
    """Unless it is asked for; and a new deploy finds it again."""
    machine.make("deploy")
    machine.make("talk", "SENDER=bob", "MESSAGE=remember blue-17")
    assert "The data stays in" in machine.make("remove").stdout
    assert machine.host.exec("ls /var/lib/redis/tracker").stdout.strip()
    machine.make("deploy")
    answer = machine.make("talk", "SENDER=bob", "MESSAGE=what did I ask you to remember?").stdout
    assert "blue-17" in answer


def test_remove_takes_everything_away(machine: Machine) -> None:
    """The machine is as it was, but for the clone."""
    machine.make("remove", "DATA=yes")
    for path in ("/opt/steadfast", "/etc/steadfast", "/var/lib/steadfast", "/var/lib/redis/tracker"):
        assert machine.host.exec(f"ls {path}", check=False).exit_code != 0, path
    running = machine.host.exec("ps -eo args").stdout
    assert "rasa" not in running
    assert "redis-server" not in running
