"""Puts one event of a conversation into words: who, what, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from control.replay import Event, State

RANKING = 4
LISTEN, SESSION_START = "action_listen", "action_session_start"
QUIET = "dim"


@dataclass(frozen=True)
class Line:
    """One line of a conversation.

    Attributes:
        who: `user`, `bot`, or what kind of event it is.
        what: What was said or done.
        why: What led to it: intent, policy, confidence.
        style: A style of rich for `who` and `what`.
        is_minor: Whether it is mere bookkeeping of Rasa, which tells a reader nothing new.
    """

    who: str
    what: str
    why: str = ""
    style: str = ""
    is_minor: bool = False


Words = Callable[[Event, State], Iterable[Line]]


def compact(value: Any) -> str:
    """Returns a value as JSON on one line, with characters of all languages as they are."""
    return "not set" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def confidence(value: Any) -> str:
    """Returns a confidence with three digits; empty where there is none."""
    if not isinstance(value, (int, float)):
        return ""
    return "<0.001" if 0 < value < 0.001 else f"{value:.3f}"


def policy(event: Event) -> str:
    """Returns the policy behind an action with its confidence.

    Rasa 3 writes `policy_0_MemoizationPolicy`, earlier ones the name alone.
    """
    name = re.sub(r"^policy_\d+_", "", event.get("policy") or "")
    return f"{name} {confidence(event.get('confidence'))}".strip() if name else ""


def words_for(event: Event, state: State) -> list[Line]:
    """Returns the lines that tell of an event.

    Args:
        event: As Rasa stores it. One of an unknown type is shown as it is.
        state: What the bot knew before.
    """
    return list(WORDS.get(event.get("event", ""), _as_it_is)(event, state))


def _user(event: Event, state: State) -> Iterator[Line]:
    parsed = event.get("parse_data") or {}
    intent = parsed.get("intent") or {}
    name = intent.get("name")
    why = f"{name} {confidence(intent.get('confidence'))}" if name else "no intent"
    yield Line("user", event.get("text") or "(no text)", why, "bold cyan")
    others = [other for other in parsed.get("intent_ranking") or [] if other.get("name") != name]
    told = [f"{other.get('name')} {confidence(other.get('confidence'))}" for other in others]
    if told:
        yield Line("", "", f"then {', '.join(told[:RANKING])}", QUIET)
    yield from _entities(parsed, state)


def _entities(event: Event, _: State) -> Iterator[Line]:
    for entity in event.get("entities") or []:
        told = f"{entity.get('entity')} = {compact(entity.get('value'))}"
        parts = [f"{key} {entity[key]}" for key in ("role", "group") if entity.get(key)]
        found = [entity.get("extractor") or "", confidence(entity.get("confidence_entity"))]
        yield Line("entity", ", ".join([told, *parts]), " ".join(filter(None, found)), "blue")


def _bot(event: Event, _: State) -> Iterator[Line]:
    data = {key: value for key, value in (event.get("data") or {}).items() if value}
    buttons = data.pop("buttons", []) + data.pop("quick_replies", [])
    titles = " ".join(f"[{button.get('title') or compact(button)}]" for button in buttons)
    rest = [f"{key}: {compact(value)}" for key, value in data.items()]
    told = "\n".join(filter(None, [event.get("text"), titles, *rest]))
    why = (event.get("metadata") or {}).get("utter_action") or ""
    yield Line("bot", told or "(no text)", why, "bold green")


def _agent(event: Event, _: State) -> Iterator[Line]:
    yield Line("agent", event.get("text") or compact(event.get("data")), "a human", "bold green")


def _slot(event: Event, state: State) -> Iterator[Line]:
    name, value = str(event.get("name")), event.get("value")
    before = state.slots.get(name)
    changed = before != value
    told = f"{compact(before)} → {compact(value)}" if changed else f"{compact(value)} as before"
    yield Line("slot", f"{name}: {told}", "", "yellow" if changed else QUIET)


def _reset_slots(_: Event, state: State) -> Iterator[Line]:
    names = ", ".join(name for name, value in state.slots.items() if value is not None)
    yield Line("slots", "all reset to their initial values", names and f"were set: {names}", "yellow")


def _action(event: Event, _: State) -> Iterator[Line]:
    name = event.get("name")
    told = name or f"says {compact(event.get('action_text'))}"
    why = policy(event)
    is_minor = name == SESSION_START or (name == LISTEN and not why)
    yield Line("action", told, why, QUIET if name == LISTEN else "magenta", is_minor)


def _rejected(event: Event, _: State) -> Iterator[Line]:
    yield Line("action", f"{event.get('name')} refused to run", policy(event), "bold red")


def _followup(event: Event, _: State) -> Iterator[Line]:
    yield Line("followup", f"{event.get('name')} must come next", "", "magenta")


def _reminder(event: Event, _: State) -> Iterator[Line]:
    # Until 2020 a reminder named an action, since then an intent.
    trigger = event.get("intent") or event.get("action") or "?"
    entities = f" with {compact(event['entities'])}" if event.get("entities") else ""
    killed = "a message of the user cancels it" if event.get("kill_on_user_msg") else ""
    told = f"{event.get('name')}: {trigger}{entities} at {event.get('date_time')}"
    yield Line("reminder", told, killed, "yellow")


def _cancel_reminder(event: Event, _: State) -> Iterator[Line]:
    # Rasa stores this event without any of its own contents.
    parts = [event.get("name"), event.get("intent"), event.get("entities")]
    told = ", ".join(str(part) for part in parts if part) or "which one is not stored"
    yield Line("reminder", f"cancelled ({told})", "", "yellow")


def _loop(event: Event, state: State) -> Iterator[Line]:
    name = event.get("name")
    told = f"{name} is active" if name else f"{state.loop or 'none'} ends"
    yield Line("loop", told, "", "magenta")


def _loop_interrupted(event: Event, _: State) -> Iterator[Line]:
    # `validate` is its older opposite, of `form_validation`.
    interrupted = event.get("is_loop_interrupted", not event.get("validate", True))
    yield Line("loop", "interrupted" if interrupted else "goes on", "", QUIET)


def _featurization(event: Event, _: State) -> Iterator[Line]:
    by_text = bool(event.get("use_text_for_featurization"))
    told = "policies looked at the text" if by_text else "policies looked at the intent"
    yield Line("", "", told, QUIET, is_minor=not by_text)


def _fixed(who: str, what: str, style: str = "bold red", is_minor: bool = False) -> Words:
    return lambda event, state: [Line(who, what, "", style, is_minor)]


def _as_it_is(event: Event, _: State) -> Iterator[Line]:
    rest = {key: value for key, value in event.items() if key not in ("event", "timestamp")}
    yield Line(str(event.get("event") or "event"), compact(rest), "unknown event", "red")


WORDS: dict[str, Words] = {
    "user": _user,
    "bot": _bot,
    "agent": _agent,
    "action": _action,
    "action_execution_rejected": _rejected,
    "slot": _slot,
    "reset_slots": _reset_slots,
    "entities": _entities,
    "user_featurization": _featurization,
    "followup": _followup,
    "reminder": _reminder,
    "cancel_reminder": _cancel_reminder,
    "active_loop": _loop,
    "form": _loop,
    "loop_interrupted": _loop_interrupted,
    "form_validation": _loop_interrupted,
    "session_started": _fixed("session", "starts", QUIET, is_minor=True),
    "restart": _fixed("restart", "the conversation starts over, all before is forgotten"),
    "pause": _fixed("pause", "the bot keeps silent from now on"),
    "resume": _fixed("resume", "the bot talks again"),
    "rewind": _fixed("rewind", "the last message of the user, and all after it, is taken back"),
    "undo": _fixed("undo", "the last action, and all after it, is taken back"),
    "export": _fixed("export", "the conversation was exported as a story", QUIET),
}
