"""Three readings of each conversation: from the server itself, by a fresh Rasa's API, and as for an export."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from control.bot import COMMAND, Bot
from tests.checks.history import Reading
from tests.load.readings import EXPORT, read_api, read_store
from tests.stores import definition

SCRIPT = Path(__file__).with_name("export_on_host.py")
MOMENT = "after a last restart of Rasa"
# They are arguments of one command; so many keep a failure small.
AT_ONCE = 50

Read = Callable[[Bot, Sequence[str], str], dict[str, Reading]]
Readings = dict[str, list[Reading]]


def read_all(bot: Bot, senders: Sequence[str]) -> Readings:
    """Reads conversations in every way that their store has.

    Returns:
        By sender. What could not be read is a reading without events, which no check passes.
    """
    ways: list[Read] = [read_api]
    # What is in the process alone is nowhere else.
    if definition(bot.facts["tracker_store"])["durable"]:
        ways = [read_store, read_export, *ways]
    found: Readings = {sender: [] for sender in senders}
    for begin in range(0, len(senders), AT_ONCE):
        some = senders[begin : begin + AT_ONCE]
        for read in ways:
            for sender, reading in read(bot, some, MOMENT).items():
                found[sender].append(reading)
    return found


def read_export(bot: Bot, senders: Sequence[str], moment: str) -> dict[str, Reading]:
    """Reads conversations as `rasa export` gets at them, see the script."""
    # The command `steadfast` has Rasa's interpreter and environment; here it runs a script in the place of the module.
    command = shlex.quote(bot.facts.get("command", COMMAND))
    account = f"runuser -u {shlex.quote(bot.facts['user'])} -- " if "user" in bot.facts else ""
    script = shlex.quote(SCRIPT.read_text(encoding="utf-8"))
    done = bot.host.run(
        f"cd / && printf %s {script} | "
        f"{account}sh -c \"$(sed 's|-m steadfast |- |' {command})\" {command} {shlex.join(senders)}"
    )
    lines = [json.loads(line) for line in done.output.splitlines()]
    if len(lines) != len(senders):
        error = (done.errors.strip().splitlines() or ["It gave nothing."])[-1]
        return {sender: Reading(EXPORT, moment, None, error=error) for sender in senders}
    return {
        sender: Reading(EXPORT, moment, None if events is None else tuple(events), error=error)
        for sender, (events, error) in zip(senders, lines, strict=True)
    }
