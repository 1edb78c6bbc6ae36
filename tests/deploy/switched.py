"""A host whose bot goes from one store to another, and what its tests ask of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests import lab
from tests.conftest import Deployed
from tests.kit import Kit, Run, run
from tests.stores import known

ENDPOINTS = "/tmp/tried.yml"
SQL = """
import json, sys
import sqlalchemy
with sqlalchemy.create_engine(sys.argv[1]).begin() as connection:
    done = [connection.execute(sqlalchemy.text(statement)) for statement in sys.argv[2:]]
    print(json.dumps([list(row) for row in done[-1]] if done[-1].returns_rows else []))
"""
COMMAND = "/opt/steadfast/bin/steadfast"


class Switched:
    """A host whose bot was switched to a store, and the run that did it."""

    def __init__(self, deployed: Deployed, store: str) -> None:
        """Deploy with the store, as STORE= on the command line does."""
        self.host = deployed.host
        self.kit = deployed.kit
        self.store = store
        self.is_back = False
        self.talk("before-the-switch", "Find me some good venues")
        self.run = self.deploy()

    def deploy(self, **settings: Any) -> Run:
        """Deploy with the store."""
        return self.kit.deploy(tracker_store=self.store, **settings)

    def switch_back(self) -> None:
        """Deploy with the store that the bot had, unless that has been done."""
        if not self.is_back:
            self.kit.deploy().succeeded()
        self.is_back = True

    def external(self, folder: Path, **settings: Any) -> Run:
        """Deploy with a server of the user's own, which the kit's is taken for."""
        kit = Kit(
            folder,
            {self.host.name: self.host.ansible_variables()},
            bots=[self.host.name],
            stores=[],
            settings={**self.kit.settings, "tracker_store": self.store, **settings},
        )
        return kit.deploy()

    def state(self) -> str:
        """Tell what a deploy that fails must leave alone: the configuration and the process."""
        return self.host.exec(
            "sha256sum /etc/steadfast/endpoints.yml; systemctl show --value --property=MainPID rasa"
        ).stdout

    def options(self) -> dict[str, Any]:
        """Read the bot's section `tracker_store:`."""
        found: dict[str, Any] = yaml.safe_load(self.host.exec("cat /etc/steadfast/endpoints.yml").stdout)
        return dict(found["tracker_store"])

    def steadfast(self, command: str, options: dict[str, Any]) -> lab.Result:
        """Prepare or probe the store as a deploy does, with these options."""
        self.host.put(json.dumps({"tracker_store": options}).encode(), ENDPOINTS)
        return self.host.exec(
            f"runuser -u rasa -- {COMMAND} {command} --store {self.store} --endpoints {ENDPOINTS}", check=False
        )

    def refusal(self, options: dict[str, Any], command: str = "probe") -> str:
        """Return the sentence by which a deploy with these options would end."""
        done = self.steadfast(command, options)
        assert done.exit_code != 0, done.stdout
        (sentence,) = done.stderr.splitlines()
        return sentence

    def sql(self, *statements: str) -> list[list[Any]]:
        """Give the server statements as its administrator; the rows of the last one."""
        done = self.python(SQL, known(self.store)["administrator"], *statements)
        rows: list[list[Any]] = json.loads(done)
        return rows

    def python(self, script: str, *arguments: str) -> str:
        """Run a script with the bot's Python and packages, as root."""
        (python,) = self.host.exec("ls /opt/steadfast/venv-*/bin/python").stdout.split()
        return self.host.exec([python, "-c", script, *arguments], environment={"HOME": "/tmp"}).stdout

    def control(self, *arguments: str) -> str:
        """Return what `make talk` or `make show` prints."""
        return run("python", "-m", "control", "--inventory", str(self.kit.folder), *arguments).succeeded().output

    def talk(self, sender: str, message: str) -> str:
        """Say something to the bot and return its answer."""
        return self.control("talk", sender, message)


Switch = Callable[[str, str], Switched]
