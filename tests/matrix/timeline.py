"""A run as the page draws it: times in milliseconds since its first turn, a column for each part of a turn."""

from __future__ import annotations

from typing import Any

from tests.checks.fate import DOUBLED, KEPT, LOST, MISPLACED
from tests.checks.history import ACKNOWLEDGED, REFUSED, UNKNOWN
from tests.matrix.results import Result, SentTurn

# A turn that was refused and yet is stored: nothing of it may be.
LEFT_BEHIND = "left behind"
# What a turn is drawn as; the page has the numbers of them only.
KINDS = (ACKNOWLEDGED, REFUSED, UNKNOWN, LOST, DOUBLED, MISPLACED, LEFT_BEHIND)
_WRONG = (LOST, DOUBLED, MISPLACED)


def kind(turn: SentTurn) -> str:
    """Returns what a turn is drawn as: what is wrong with it, or else its status."""
    if turn.status == REFUSED and turn.fate == KEPT:
        return LEFT_BEHIND
    if turn.status == ACKNOWLEDGED and turn.fate not in (KEPT, *_WRONG):
        return LOST
    return turn.fate if turn.fate in _WRONG else turn.status


def timeline(run: Result) -> dict[str, Any]:
    """Returns the turns of a run and its faults, compact: a page holds tens of thousands of turns."""
    begun = min([turn.started for turn in run.turns] + [band.injected for band in run.bands], default=run.started)
    senders = sorted({turn.sender for turn in run.turns}, key=_in_order)
    turns = sorted(run.turns, key=lambda turn: turn.started)
    errors = list(dict.fromkeys(turn.error for turn in turns if turn.error))
    return {
        "senders": senders,
        "errors": errors,
        "turns": {
            "sender": [senders.index(turn.sender) for turn in turns],
            "text": [turn.text for turn in turns],
            "kind": [KINDS.index(kind(turn)) for turn in turns],
            "sent": [round((turn.started - begun) * 1000) for turn in turns],
            "took": [round(turn.seconds * 1000) for turn in turns],
            "tries": [turn.tries for turn in turns],
            "error": [errors.index(turn.error) if turn.error else None for turn in turns],
        },
        "bands": [
            {
                "injected": round((band.injected - begun) * 1000),
                "heal": round((band.heal - begun) * 1000),
                "healed": round((band.healed - begun) * 1000),
                "cure": band.cure,
            }
            for band in run.bands
        ],
    }


def _in_order(sender: str) -> tuple[int, str]:
    """Sorts a10 after a2."""
    return len(sender), sender
