"""A deployed bot, on a host or in containers."""

from __future__ import annotations

import json
import shlex
from contextlib import AbstractContextManager
from typing import Any

from control.errors import ControlError
from control.host import Host, Result
from control.remote_store import RemoteStore, open_remote_store

COMMAND = "/opt/steadfast/bin/steadfast"


class Bot:
    """A deployed bot, seen through the command `steadfast` on its host."""

    def __init__(self, host: Host, facts: dict[str, Any]) -> None:
        """Takes the host and the contents of its `bot.fact`."""
        self.host = host
        self.facts = facts

    def run(self, *arguments: str) -> Result:
        """Runs `steadfast` with these arguments as the bot's user; for one in a container, as whoever calls this."""
        return self._run(self._command(*arguments))

    def store(self, name: str, label: str) -> AbstractContextManager[RemoteStore]:
        """Opens a store that was deployed with this bot, for as long as it is used.

        Args:
            name: The store's name; empty for the bot's own.
            label: How to speak of it.

        Raises:
            ControlError: The host cannot be reached.
        """
        command = self._command("serve-store", *filter(None, [name]))
        return open_remote_store(label, self.host.command_line(command, as_root=not self._is_in_container))

    def ask(self, *arguments: str) -> Any:
        """Runs `steadfast` and returns the JSON that it prints.

        Raises:
            ControlError: It failed; the text is what it said.
        """
        result = self.run(*arguments)
        if result.status != 0:
            raise ControlError(self._said(result))
        return self._decoded(result)

    def conversations(self) -> list[dict[str, Any]]:
        """Returns a summary of each stored conversation, the latest first.

        See `steadfast.readers.reader.summarise` for the shape.
        """
        found: list[dict[str, Any]] = self.ask("list")
        return found

    def senders(self) -> list[str]:
        """Returns the sender of each stored conversation."""
        found: list[str] = self.ask("list", "--names")
        return found

    def read(self, sender: str) -> dict[str, Any] | None:
        """Returns a conversation straight from the store; None if there is none."""
        return self._conversation("read", sender)

    def forget(self, sender: str) -> bool:
        """Removes a conversation from the store; whether it was there.

        Raises:
            ControlError: The store cannot be used, or has no way to remove one.
        """
        result = self.run("forget", "--", sender)
        # Not there is an error with an answer, namely null.
        if result.status != 0 and result.output.strip() != "null":
            raise ControlError(self._said(result))
        return result.status == 0

    def tracker(self, sender: str) -> dict[str, Any] | None:
        """Returns a conversation as Rasa's HTTP API tells it; None if there is none."""
        return self._conversation("tracker", sender)

    def talk(self, sender: str, messages: list[str]) -> list[dict[str, Any]]:
        """Sends messages one after the other; see `steadfast.bot.Reply` for the shape.

        Returns:
            One reply per message, whether acknowledged or not.

        Raises:
            ControlError: There are fewer replies than messages.
        """
        result = self.run("talk", "--", sender, *messages)
        replies = [json.loads(line) for line in result.output.splitlines()]
        if len(replies) < len(messages):
            raise ControlError(self._said(result))
        return replies

    def wait(self, seconds: float) -> dict[str, Any]:
        """Waits until the bot is ready, for at most so many seconds."""
        found: dict[str, Any] = self.ask("wait", "--seconds", str(seconds))
        return found

    def probe(self) -> dict[str, Any]:
        """Checks the way from the bot to its store; returns where that is."""
        found: dict[str, Any] = self.ask("probe")
        return found

    def migrate(self, source: str, target: str, after: str | None, seconds: float) -> list[dict[str, Any]]:
        """Copies and compares conversations for so many seconds; see `steadfast.migrate.Migration.run` for the lines.

        Returns:
            All lines; `next` of the last one is where to go on, None if all is done.

        Raises:
            ControlError: It ended before that.
        """
        go_on = [f"--after={after}"] if after else []
        result = self.run("migrate", f"--seconds={seconds}", *go_on, "--", source, target)
        lines = [json.loads(line) for line in result.output.splitlines()]
        # Conversations that differ are an error with an answer.
        if not lines or "next" not in lines[-1]:
            raise ControlError(self._said(result))
        return lines

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return "in containers of this machine" if self._is_in_container else f"on {self.host.name}"

    def is_running(self) -> bool:
        """Whether Rasa runs, as its service manager tells."""
        if self._is_in_container:
            return bool(self._containers())
        looks = {"systemd": "systemctl is-active --quiet {}", "supervisord": "supervisorctl status {}"}
        look: str = looks[self.facts["service_manager"]]
        return any(self._run(look.format(service)).status == 0 for service in self._services)

    @property
    def stop_command(self) -> str:
        """What stops Rasa on its host."""
        if self._is_in_container:
            return " ".join(["docker stop", *self._containers()])
        stops = {"systemd": "systemctl stop", "supervisord": "supervisorctl stop"}
        return " ".join([stops[self.facts["service_manager"]], *self._services])

    @property
    def _older_kit(self) -> str:
        command = "make compose-up" if self._is_in_container else "make deploy"
        return f"The bot on {self.host.name} was deployed by an older kit: run {command} first."

    @property
    def _is_in_container(self) -> bool:
        return bool(self.facts["service_manager"] == "docker")

    @property
    def _services(self) -> list[str]:
        return [service for service in self.facts["services"] if not service.endswith("-actions")]

    def _containers(self) -> list[str]:
        # By their labels: there may be several, and which there are changes by hand, too.
        if "project" not in self.facts:
            raise ControlError(self._older_kit)
        labels = {"project": self.facts["project"], "service": "rasa", "oneoff": "False"}
        filters = [f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()]
        result = self._run(shlex.join(["docker", "ps", "--format", "{{.Names}}", *filters]))
        if result.status != 0:
            raise ControlError(self._said(result))
        return sorted(result.output.split())

    def _run(self, command: str) -> Result:
        run = self.host.run_as_caller if self._is_in_container else self.host.run
        return run(command)

    def _command(self, *arguments: str) -> str:
        command = shlex.join([self.facts.get("command", COMMAND), *arguments])
        if self._is_in_container:
            return command
        # From the root directory: where Python starts, it looks for modules first.
        return f"cd / && runuser -u {shlex.quote(self.facts['user'])} -- {command}"

    def _conversation(self, command: str, sender: str) -> dict[str, Any] | None:
        result = self.run(command, "--", sender)
        # Not there is an error with an answer, namely null.
        if result.status != 0 and result.output.strip() != "null":
            raise ControlError(self._said(result))
        found: dict[str, Any] | None = self._decoded(result)
        return found

    def _decoded(self, result: Result) -> Any:
        try:
            return json.loads(result.output)
        except ValueError:
            raise ControlError(
                f"steadfast on {self.host.name} printed something that is not JSON: {result.output[:80]!r}."
            ) from None

    def _said(self, result: Result) -> str:
        # What argparse ends with: there is no such command.
        if result.status == 2:
            return self._older_kit
        lines = (result.errors or result.output).strip().splitlines()
        return f"{self.host.name}: {lines[-1] if lines else f'exit status {result.status}'}"
