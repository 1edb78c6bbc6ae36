"""A Rasa process beside the deployed one, on the same host: the same service, with another port and other settings."""

from __future__ import annotations

import json
import time
from types import TracebackType
from typing import Any

import yaml

from tests import lab

CONFIGURATION = "/etc/steadfast"
UNITS = "/run/systemd/system"
SERVICE = "rasa"
START_SECONDS = 120
REST = "steadfast.channels.rest.RestInput"


class AnotherRasa:
    """A service for as long as a `with` block lasts; not restarted when it ends, so that its end can be seen.

    Attributes:
        url: Where it listens.
    """

    def __init__(self, host: lab.Host, port: int, *, channel: str = REST, **options: Any) -> None:
        """Does not start it yet.

        Args:
            host: The bot's host, with systemd.
            port: A free port there.
            channel: The channel that it is talked to through.
            options: Of the section `tracker_store:` in endpoints.yml, instead of the deployed ones; without those
                that are None.
        """
        self.host = host
        self.port = port
        self.name = f"{SERVICE}-{port}"
        self.url = f"http://127.0.0.1:{port}"
        self._channel = channel
        self._options = options
        self._folder = f"/run/{self.name}"

    def __enter__(self) -> AnotherRasa:
        """Starts it, and does not wait until it answers."""
        endpoints = yaml.safe_load(self.host.exec(f"cat {CONFIGURATION}/endpoints.yml").stdout)
        section = {**endpoints["tracker_store"], **self._options}
        endpoints["tracker_store"] = {name: value for name, value in section.items() if value is not None}
        self.host.put(json.dumps(endpoints).encode(), f"{self._folder}/endpoints.yml", mode=0o400)
        self.host.put(json.dumps({self._channel: {}}).encode(), f"{self._folder}/credentials.yml", mode=0o400)
        self.host.exec(f"chown -R rasa: {self._folder}")
        unit = self.host.exec(f"cat /etc/systemd/system/{SERVICE}.service").stdout
        for old, new in (
            ("--port 5005", f"--port {self.port}"),
            (f"{CONFIGURATION}/endpoints.yml", f"{self._folder}/endpoints.yml"),
            (f"{CONFIGURATION}/credentials.yml", f"{self._folder}/credentials.yml"),
            ("Restart=always", "Restart=no"),
        ):
            assert old in unit, f"{old} is not in the unit of {SERVICE}"
            unit = unit.replace(old, new)
        self.host.put(unit.encode(), f"{UNITS}/{self.name}.service")
        self.host.exec(f"systemctl daemon-reload && systemctl start {self.name}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it and removes its settings."""
        self.host.exec(f"systemctl stop {self.name}; rm -r {self._folder} {UNITS}/{self.name}.service")
        self.host.exec("systemctl daemon-reload")

    def wait(self) -> AnotherRasa:
        """Waits until it answers.

        Raises:
            AssertionError: It has ended, or does not answer in time; the text is its log.
        """
        asks = f"import urllib.request; urllib.request.urlopen('{self.url}/', timeout=2)"
        deadline = time.monotonic() + START_SECONDS
        while self.host.exec(["python3", "-c", asks], check=False).exit_code != 0:
            assert self.is_running() and time.monotonic() < deadline, self.log()
            time.sleep(0.5)
        return self

    def ended(self) -> str:
        """Waits until it has ended by itself, which must be an error; returns its log.

        Raises:
            AssertionError: It goes on, or has ended well.
        """
        deadline = time.monotonic() + START_SECONDS
        while self.is_running():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.5)
        result = self.host.exec(f"systemctl show --value --property=Result {self.name}").stdout.strip()
        assert result == "exit-code", f"{result}: {self.log()}"
        return self.log()

    def is_running(self) -> bool:
        """Tell whether its process is there."""
        state = self.host.exec(f"systemctl is-active {self.name}", check=False).stdout.strip()
        return state in ("active", "activating")

    def log(self) -> str:
        """Return what it has logged since it was started."""
        started = self.host.exec(f"systemctl show --value --property=InvocationID {self.name}").stdout.strip()
        return self.host.exec(f"journalctl --no-pager --output=short-precise _SYSTEMD_INVOCATION_ID={started}").stdout
