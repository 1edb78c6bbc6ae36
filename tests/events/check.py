"""Writes every event of the table, restarts everything, and says what is not as it must be."""

from __future__ import annotations

import json
import secrets
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control.bot import COMMAND, Bot
from control.deployment import Deployment
from control.errors import ControlError
from tests.events.compare import DUE_SECONDS, Difference, Reading, Trial, differences
from tests.events.table import STEADFAST, Habits, load_table
from tests.faults.process import Restart
from tests.persistence.scenarios import bot_target, server_target
from tests.stores import known

SCRIPT = (Path(__file__).parent / "on_host.py").read_text(encoding="utf-8")
READY_SECONDS = 180
# It changes nothing in Rasa's tracker: what Rasa answers is what the next message of the user would find.
NEXT = {"event": "agent", "text": "still here", "data": None}


@dataclass(frozen=True)
class Report:
    """What came out.

    Attributes:
        rows: How many conversations were compared.
        differences: All that was not as the table says.
        forgotten: The rows whose reminder was pending before the restart, and is lost, as the table says.
        seconds: How long it took without the restart and the wait for reminders.
    """

    rows: int
    differences: tuple[Difference, ...]
    forgotten: tuple[str, ...]
    seconds: float


def check_events(bot: Bot, restart: Callable[[], None]) -> Report:
    """Tries every event of the table on a deployed sample bot.

    Args:
        bot: The bot; its host needs python3.
        restart: Restarts the store's server, Rasa and the action server, and returns when they are ready.

    Raises:
        ControlError: A conversation could not be written or read.
    """
    started = time.monotonic()
    table = load_table()
    is_own = bot.facts.get("tracker_store_class") == "steadfast"
    habits = STEADFAST if is_own else Habits(**known(bot.facts["tracker_store"]).get("events", {}))
    run = f"events-{secrets.token_hex(4)}"
    # Reminders that must be pending at the restart are made right before it.
    rows = {f"{run}-{number}": row for number, row in enumerate(sorted(table.rows, key=lambda row: row.is_late))}
    written: dict[str, Any] = {}
    before: dict[str, Reading] = {}
    for is_late in (False, True):
        steps = {sender: table.steps(row) for sender, row in rows.items() if row.is_late == is_late}
        written |= _on_host(bot, "write", steps)
        before |= _readings(bot, list(steps))
    broken = time.monotonic()
    restart()
    # A reminder that is not forgotten must have had its chance.
    due = max(before[sender].due for sender, row in rows.items() if row.is_late)
    now = max(reading.now for reading in before.values()) + time.monotonic() - broken
    time.sleep(max(0.0, due + 2 * DUE_SECONDS - now))
    mended = time.monotonic()
    after = _readings(bot, list(rows))
    following = _on_host(bot, "write", {sender: [{"post": [NEXT]}] for sender in rows})
    counts = {each["sender"]: each["events"] for each in bot.conversations()}
    found: list[Difference] = []
    for sender, row in rows.items():
        state = following[sender][-1]["answer"]
        trial = Trial(sender, written[sender], before[sender], after[sender], state, counts.get(sender, 0))
        found += differences(table, row, trial, habits)
    failed = {difference.row for difference in found}
    return Report(
        rows=len(rows),
        differences=tuple(found),
        forgotten=tuple(
            row.name for row in table.rows if row.is_late and row.name not in failed and not habits.keeps_reminders
        ),
        seconds=time.monotonic() - started - (mended - broken),
    )


def restarter(deployment: Deployment, bot: Bot) -> Callable[[], None]:
    """Returns what restarts the bot's services, and the server behind its store where this kit runs it."""
    server = deployment.server(bot)
    targets = [bot_target(bot), *([server_target(server)] if server else [])]

    def restart() -> None:
        fault = Restart(targets)
        fault.inject()
        fault.heal()
        bot.wait(READY_SECONDS)
        bot.probe()

    return restart


def _readings(bot: Bot, senders: list[str]) -> dict[str, Reading]:
    return {sender: Reading(**reading) for sender, reading in _on_host(bot, "read", senders).items()}


def _on_host(bot: Bot, do: str, what: Any) -> dict[str, Any]:
    """Runs `on_host.py` on the bot's host.

    Raises:
        ControlError: It failed; the text is the last that it said.
    """
    plan = {
        "do": do,
        "with": what,
        "url": bot.facts["url"],
        "token_file": bot.facts["token_file"],
        "command": ["runuser", "-u", bot.facts["user"], "--", bot.facts.get("command", COMMAND)],
    }
    done = bot.host.run(f"printf %s {shlex.quote(json.dumps(plan))} | python3 -c {shlex.quote(SCRIPT)}")
    if done.status != 0:
        said = (done.errors or done.output).strip().splitlines()
        raise ControlError(f"{bot.host.name}: the events cannot be tried: {said[-1] if said else 'no reason given'}")
    found: dict[str, Any] = json.loads(done.output)
    return found
