"""Talks to a deployed bot on the terminal, one message or many."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.text import Text

from control.bot import Bot
from control.events import compact

PROMPT = "you> "
STYLES = {"acknowledged": "bold green", "refused": "bold red", "unknown": "bold red"}


def talk(bot: Bot, sender: str, messages: list[str], console: Console) -> bool:
    """Sends the messages, or else those that are typed, and prints the answers.

    Returns:
        Whether every message was acknowledged.
    """
    good = True
    for message in messages or _typed(console):
        for reply in bot.talk(sender, [message]):
            if messages:
                console.print(Text(f"{PROMPT}{message}", style="bold cyan"))
            for line in _lines(reply):
                console.print(line)
            good = good and reply["status"] == "acknowledged"
    return good


def _typed(console: Console) -> Iterator[str]:
    # Gives the prompt its editing and history, where Python was built with it.
    with suppress(ImportError):
        importlib.import_module("readline")
    console.print(Text("Type a message; an empty one or Ctrl-D ends the talk.", style="dim"))
    with suppress(EOFError, KeyboardInterrupt):
        while message := input(PROMPT).strip():
            yield message


def _lines(reply: dict[str, Any]) -> Iterable[Text]:
    style = STYLES.get(reply["status"], "")
    if reply.get("error"):
        yield Text(f"{reply['status']}: {reply['error']}", style=style)
    elif not reply["answers"]:
        yield Text("bot> (says nothing)", style="dim")
    for answer in reply["answers"]:
        contents = {key: value for key, value in answer.items() if key != "recipient_id"}
        buttons = contents.pop("buttons", [])
        text = contents.pop("text", None)
        titles = " ".join(f"[{button.get('title')}]" for button in buttons)
        rest = [f"{key}: {compact(value)}" for key, value in contents.items()]
        for part in filter(None, [text, titles, *rest]):
            yield Text(f"bot> {part}", style=style)
