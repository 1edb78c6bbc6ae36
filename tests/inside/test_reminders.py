"""A reminder is kept with its conversation, and triggered once, whichever server is there when it is due."""

from __future__ import annotations

import time
from typing import Callable

from tests.inside.bot import Bot
from tests.inside.memory import MemoryServer

REMINDED = "This is your reminder"
PATIENCE_SECONDS = 12


def reminded(server: MemoryServer, sender: str = "ann") -> int:
    """Counts the reminders that were triggered."""
    return sum(event["event"] == "bot" and event["text"] == REMINDED for event in server.events(sender))


def wait_for(server: MemoryServer, count: int) -> None:
    """Waits until so many reminders were triggered."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while reminded(server) < count and time.monotonic() < deadline:
        time.sleep(0.2)
    assert reminded(server) == count


def test_a_reminder_outlives_its_server_and_is_triggered_once(
    start_bot: Callable[..., Bot], server: MemoryServer
) -> None:
    """A reminder outlives its server and is triggered once."""
    bot = start_bot(server)
    bot.told("ann", "remind me in 2 seconds")
    bot.stop()
    time.sleep(2.5)
    assert reminded(server) == 0
    start_bot(server)
    start_bot(server)
    wait_for(server, 1)
    time.sleep(2)
    assert reminded(server) == 1
    assert not server.conversations["ann"].reminders


def test_a_cancelled_reminder_is_not_triggered(bot: Bot, server: MemoryServer) -> None:
    """A cancelled reminder is not triggered."""
    bot.told("ann", "remind me in 3 seconds")
    assert len(server.conversations["ann"].reminders) == 1
    bot.told("ann", "cancel the reminder")
    assert not server.conversations["ann"].reminders
    time.sleep(4.5)
    assert reminded(server) == 0


def test_a_reminder_that_is_too_late_is_dropped(start_bot: Callable[..., Bot], server: MemoryServer) -> None:
    """A reminder that is too late is dropped."""
    bot = start_bot(server)
    bot.told("ann", "remind me in 1 seconds")
    bot.stop()
    time.sleep(2.5)
    start_bot(server, reminder_seconds=0.5)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while server.conversations["ann"].reminders and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not server.conversations["ann"].reminders
    assert reminded(server) == 0


def test_a_reminder_waits_for_a_server_that_is_away(bot: Bot, server: MemoryServer) -> None:
    """A reminder waits for a server that is away."""
    bot.told("ann", "remind me in 1 seconds")
    server.is_down = True
    time.sleep(3)
    server.is_down = False
    wait_for(server, 1)
