"""Events as Rasa writes them, made short."""

from __future__ import annotations

import itertools
from typing import Any

from steadfast.servers.server import Event

_times = itertools.count(1_795_239_765)


def user(text: str = "hello") -> Event:
    """Make a message."""
    return _event("user", text=text, parse_data={"intent": {"name": "greet", "confidence": 0.25}, "entities": []})


def bot(text: str = "Hi!") -> Event:
    """Make a reply."""
    return _event("bot", text=text, data={"buttons": None, "elements": []})


def action(name: str = "action_listen") -> Event:
    """Make an action; `action_session_start` begins a session."""
    return _event("action", name=name, policy=None, confidence=1.0, action_text=None)


def turn(text: str = "hello") -> list[Event]:
    """Make a message, a reply and what Rasa keeps beside them."""
    return [user(text), bot(f"You said {text}"), action()]


def _event(kind: str, **values: Any) -> Event:
    # Microseconds: no server may round them.
    return {"event": kind, "timestamp": next(_times) + 0.123456, "metadata": {"empty": {}, "list": []}, **values}
