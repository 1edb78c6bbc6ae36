"""What a request and the store have to tell each other: Rasa, which is in between, does not pass it on."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Callable

from steadfast.errors import SteadfastError


@dataclass
class Turn:
    """A request, or a reminder, while it is being answered.

    Attributes:
        replaces: Whether a tracker of unknown origin takes the place of the stored one, as with `PUT /tracker/events`.
        message_id: The client's own id of its message, for which the answer is to be kept; empty for none.
        answer: Makes the answer's body when the turn is saved.
        reminder: Name of the reminder that the turn was triggered by; it is done when the turn is saved.
        is_saved: Whether the store has kept something for it.
        error: Why the store has not.
    """

    replaces: bool = False
    message_id: str = ""
    answer: Callable[[], str] | None = None
    reminder: str = ""
    is_saved: bool = False
    error: SteadfastError | None = None


# Tasks inherit it: what a request starts belongs to the request's turn.
_CURRENT: ContextVar[Turn | None] = ContextVar("turn", default=None)


def begin_turn(**details: Any) -> Turn:
    """Makes a turn the current one, for this task and for the tasks that it starts."""
    turn = Turn(**details)
    _CURRENT.set(turn)
    return turn


def current_turn() -> Turn:
    """Returns the current turn; one that nobody else sees where none was begun, as in a command or another channel."""
    return _CURRENT.get() or Turn()
