"""Runs the kit's playbooks against an inventory of the tests, as a user would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
TOOLS = REPOSITORY / ".steadfast" / "venv" / "bin"

# A deploy takes one to four minutes on a busy machine; more than this is a hang.
TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Run:
    """One run of a command.

    Attributes:
        status: the exit status.
        output: standard output and standard error as they came.
        seconds: how long it took.
    """

    status: int
    output: str
    seconds: float

    @property
    def changed(self) -> dict[str, int]:
        """How many tasks changed something, by host."""
        found = re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+)", self.output, flags=re.MULTILINE)
        return {host: int(count) for host, count in found}

    @property
    def errors(self) -> list[str]:
        """The errors that a person reads."""
        return [line.strip() for line in self.output.splitlines() if "error:" in line]

    def succeeded(self) -> Run:
        """Return this run.

        Raises:
            AssertionError: it failed; the text is the end of what it printed.
        """
        assert self.status == 0, self.output[-4000:]
        return self

    def failed_with(self, *parts: str) -> None:
        """Assert that it failed with one error that has these parts, and no stack trace.

        Raises:
            AssertionError: it did not; the text is what it printed.
        """
        assert self.status != 0, self.output
        assert len(self.errors) == 1, self.output
        told = self.output.partition("error:")[2]
        for part in parts:
            assert part in told, self.output
        assert "Traceback" not in self.output


def run(*command: str, environment: dict[str, str] | None = None) -> Run:
    """Run a command in the repository, with the kit's tools on its path."""
    path = f"{TOOLS}:{os.environ['PATH']}"
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "PATH": path, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return Run(done.returncode, done.stdout, time.monotonic() - started)


class Kit:
    """An inventory of the tests, with its own settings and secrets, and what is run against it."""

    def __init__(
        self,
        folder: Path,
        hosts: dict[str, dict[str, str]],
        *,
        bots: list[str],
        stores: list[str],
        settings: dict[str, Any] | None = None,
    ) -> None:
        """Write the inventory.

        Args:
            folder: an empty folder for it.
            hosts: Ansible's variables of each host, by name.
            bots: the hosts of the group `bots`.
            stores: the hosts of the group `stores`.
            settings: what a user would write to group_vars/all.yml.
        """
        self.folder = folder
        self.settings = {"tracker_store": "redis", **(settings or {})}
        inventory = {
            "all": {"hosts": hosts},
            "bots": {"hosts": dict.fromkeys(bots)},
            "stores": {"hosts": dict.fromkeys(stores)},
        }
        (folder / "group_vars").mkdir(parents=True)
        (folder / "hosts.json").write_text(json.dumps(inventory))
        (folder / "group_vars" / "all.json").write_text(json.dumps(self.settings))

    def playbook(self, name: str, *arguments: str, **variables: Any) -> Run:
        """Run a playbook with extra variables."""
        extra = ["--extra-vars", json.dumps(variables)] if variables else []
        return run("ansible-playbook", "-i", str(self.folder), f"playbooks/{name}.yml", *extra, *arguments)

    def deploy(self, *arguments: str, **variables: Any) -> Run:
        """Deploy."""
        return self.playbook("deploy", *arguments, **variables)

    def remove(self, **variables: Any) -> Run:
        """Remove."""
        return self.playbook("remove", **variables)

    def verify(self, report: Path, only: Iterable[str] = ()) -> Run:
        """Prove persistence, or that some scenarios leave it, writing the JSON report."""
        verify = ("python", "-m", "tests.persistence", "--inventory", str(self.folder))
        return run(*verify, "--json", str(report), *(f"--only={name}" for name in only))

    def secrets(self) -> dict[str, str]:
        """Read the secrets that the kit generated for this inventory, by name."""
        return {path.name: path.read_text().strip() for path in (self.folder / "secrets").iterdir() if path.is_file()}
