"""Reads conversations from the store itself, from Rasa's API, and by Rasa's own export."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

import yaml

from control.bot import COMMAND, Bot
from control.errors import ControlError
from tests.checks.history import Reading

STORE, API, EXPORT = "store", "API", "export"


def read_store(bot: Bot, senders: Sequence[str], moment: str) -> dict[str, Reading]:
    """Reads conversations from the store itself; one that is not there has no events."""
    return _read(bot, "read", STORE, senders, moment)


def read_api(bot: Bot, senders: Sequence[str], moment: str) -> dict[str, Reading]:
    """Reads conversations as Rasa's HTTP API tells them, with their slots; one that is not stored has no events."""
    return _read(bot, "tracker", API, senders, moment)


def export(bot: Bot) -> dict[str, list[dict[str, Any]]]:
    """Returns the events of every conversation as `rasa export` publishes them.

    Raises:
        ControlError: It fails, as Rasa's own does where it finds no conversation.
    """
    folder = f"/run/export-{token_hex(4)}"
    endpoints = yaml.safe_load(bot.host.run(f"cat {bot.facts['endpoints']}").output)
    endpoints["event_broker"] = {"type": "file", "path": f"{folder}/events.log"}
    # JSON is YAML. Nobody else may read it: it has the store's password.
    bot.host.run(f"umask 077 && mkdir {folder} && cat >{folder}/endpoints.yml <<'END'\n{json.dumps(endpoints)}\nEND")
    # The command `steadfast` has Rasa's environment; with another module it is Rasa's own command line.
    command = bot.facts.get("command", COMMAND)
    rasa = f"sed 's/-m steadfast /-m steadfast.launch /' {command} | runuser -u {bot.facts['user']} -- sh -s"
    try:
        done = bot.host.run(
            f"cd / && chown -R {bot.facts['user']}: {folder} && {rasa} export --endpoints {folder}/endpoints.yml"
        )
        if done.status != 0:
            last = (done.errors or done.output).strip().splitlines()[-1:]
            raise ControlError(f"rasa export failed on {bot.host.name}: {''.join(last)}")
        lines = bot.host.run(f"cat {folder}/events.log").output.splitlines()
    finally:
        bot.host.run(f"rm -r {folder}")
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        event = json.loads(line)
        found[event.pop("sender_id")].append(event)
    return dict(found)


def _read(bot: Bot, command: str, source: str, senders: Sequence[str], moment: str) -> dict[str, Reading]:
    done = bot.run(command, "--", *senders)
    lines = done.output.splitlines()
    # Of a conversation that is not there the line is null; no line is an error.
    error = None if len(lines) == len(senders) else (done.errors.strip().splitlines() or ["It gave nothing."])[-1]
    trackers = [json.loads(line) or {} for line in lines]
    read = {
        sender: Reading(source, moment, tuple(tracker.get("events") or ()), slots=tracker.get("slots"))
        for sender, tracker in zip(senders, trackers, strict=False)
    }
    return {sender: read.get(sender) or Reading(source, moment, None, error=error) for sender in senders}
