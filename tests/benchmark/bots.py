"""A throwaway machine with the bot as the kit deploys it: with Rasa's memory, Rasa's class, and Steadfast's."""

from __future__ import annotations

import io
import json
import shlex
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from control.bot import Bot
from control.deployment import Deployment
from tests import lab
from tests.benchmark.figures import MEMORY, RASA, STEADFAST
from tests.kit import REPOSITORY, Kit
from tests.machines import machine_settings
from tests.stores import known

CONFIGURATION = "/etc/steadfast"
# What a deploy with another store changes for Rasa.
FILES = ("endpoints.yml", "credentials.yml")
FOLDER = "/opt/steadfast-benchmark"
MODULES = ("tests/__init__.py", "tests/benchmark", "rasa_project/domain.yml")
START_SECONDS = 180
SQL = """
import sys
import sqlalchemy
with sqlalchemy.create_engine(sys.argv[1]).begin() as connection:
    for statement in sys.argv[2:]:
        connection.execute(sqlalchemy.text(statement))
"""
MEASURE_SECONDS = 3600


class Bots:
    """The bots, of which one runs at a time."""

    def __init__(self, host: lab.Host, folder: Path, store: str) -> None:
        """Deploys each of them once, Steadfast's last, and keeps its files."""
        settings = {**machine_settings(host.system), "tracker_store": store}
        self.host = host
        self.kit = Kit(
            folder, {host.name: host.ansible_variables()}, bots=[host.name], stores=[host.name], settings=settings
        )
        self.host.put(_packed(), f"{FOLDER}/modules.tar")
        self.host.exec(f"tar -xf {FOLDER}/modules.tar -C {FOLDER}")
        choices: dict[str, dict[str, str]] = {
            MEMORY: {"tracker_store": "memory"},
            RASA: {"tracker_store_class": "rasa"},
            STEADFAST: {"tracker_store_class": "steadfast"},
        }
        for name, choice in choices.items():
            self.kit.deploy(**choice).succeeded()
            self.host.exec(f"mkdir -p {FOLDER}/{name} && cp -a {self._files(CONFIGURATION)} {FOLDER}/{name}")
        self._separate(store)
        self.bot: Bot = Deployment(str(folder)).bot()

    def use(self, name: str) -> None:
        """Runs one of them, as the service that the kit has made, and waits until it answers."""
        self.host.exec(f"cp -a {self._files(f'{FOLDER}/{name}')} {CONFIGURATION}")
        self.host.exec("systemctl restart rasa rasa-actions")
        self.bot.wait(START_SECONDS)

    @property
    def domain(self) -> str:
        """The path of the bot's domain file on the host."""
        return f"{FOLDER}/rasa_project/domain.yml"

    def endpoints(self, name: str) -> str:
        """Returns the path of the endpoints file of one of them, on the host."""
        return f"{FOLDER}/{name}/endpoints.yml"

    def run(self, module: str, plan: Mapping[str, Any]) -> Any:
        """Runs a module of the benchmark with the bot's Python and account; returns the JSON that it prints.

        Raises:
            lab.LabError: It failed.
        """
        self.host.put(json.dumps(plan).encode(), f"{FOLDER}/plan.json")
        environment = " ".join(
            (
                f"PYTHONPATH={FOLDER}:$(echo /opt/steadfast/package-*)",
                "HOME=/tmp RASA_TELEMETRY_ENABLED=false CUDA_VISIBLE_DEVICES=-1 TF_CPP_MIN_LOG_LEVEL=2",
                "SQLALCHEMY_SILENCE_UBER_WARNING=1 PYTHONDONTWRITEBYTECODE=1",
            )
        )
        python = f"env {environment} /opt/steadfast/venv-*/bin/python"
        command = f"cd / && runuser -u rasa -- {python} -m tests.benchmark.{module} <{FOLDER}/plan.json"
        return json.loads(self.host.exec(command, timeout=MEASURE_SECONDS).stdout)

    def _separate(self, store: str) -> None:
        """Lets Rasa's class make its table itself, where the kit would have mended it.

        Its own one rounds times there, to 128 s, so that each turn reads earlier sessions, too.
        """
        statements = known(store)["own_database"]
        if statements:
            script = f"{FOLDER}/own_database.py"
            self.host.put(SQL.encode(), script)
            arguments = shlex.join([known(store)["administrator"], *statements])
            self.host.exec(f"/opt/steadfast/venv-*/bin/python {script} {arguments}", environment={"HOME": "/tmp"})
            self.host.exec(f"sed -i 's/^  db: .*/  db: rasa_own/' {FOLDER}/{RASA}/endpoints.yml")

    @staticmethod
    def _files(folder: str) -> str:
        return " ".join(f"{folder}/{name}" for name in FILES)


def _packed() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name in MODULES:
            archive.add(REPOSITORY / name, name)
    return content.getvalue()
