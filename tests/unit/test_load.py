"""The users of tests/promises, against a bot that is only played."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any, cast

import pytest

from control.deployment import Bot
from control.host import Result
from tests.checks.check import FAIL, PASS, run_checks, worst
from tests.checks.history import ACKNOWLEDGED, REFUSED, UNKNOWN
from tests.promises import clients, crowd
from tests.promises.clients import Client
from tests.promises.crowd import ALL, HALF, Crowd, User

# No answer at all.
SILENCE = 0


@contextmanager
def played(*statuses: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Plays a bot that answers with these statuses, one after the other, and then always with 200.

    Yields:
        Its address, and the messages that it has got.
    """
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status = statuses[len(got) - 1] if len(got) <= len(statuses) else 200
            if status == SILENCE:
                self.connection.close()
                return
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps([{"text": "fine"}]).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", got
        finally:
            server.shutdown()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(crowd, "CALM_SECONDS", 0)


def test_message_with_an_id_is_sent_again_until_it_is_acknowledged() -> None:
    """The same one, and it is one turn."""
    with played(503, SILENCE, 500) as (url, got):
        turn = Client("ann", "ann", url, [True], True).say("hello", 1)
    assert turn["status"] == ACKNOWLEDGED
    assert got == [{"sender": "ann", "message": "hello", "message_id": "ann-1"}] * 4


@pytest.mark.parametrize(("status", "told"), [(503, REFUSED), (400, REFUSED), (500, UNKNOWN), (SILENCE, UNKNOWN)])
def test_message_without_an_id_is_sent_once(status: int, told: str) -> None:
    """It would be another turn."""
    with played(status) as (url, got):
        turn = Client("ann", "ann", url, [False], True).say("hello", 1)
    assert (turn["status"], bool(turn["error"]), len(got)) == (told, True, 1)


def test_one_try_that_may_have_been_stored_is_enough_for_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though all later ones were refused."""
    monkeypatch.setattr(clients, "RETRY_SECONDS", 0.1)
    with played(SILENCE, *[503] * 10000) as (url, got):
        turn = Client("ann", "ann", url, [True], True).say("hello", 1)
    assert len(got) > 1
    assert turn["status"] == UNKNOWN


def test_users_talk_until_they_are_told_to_stop(tmp_path: Path) -> None:
    """And then ask what the bot knows."""
    until = tmp_path / "until"
    until.touch()
    with played() as (url, got):
        Client("ann", "ann", url, [True], True).talk(until)
        Client("ben", "ben", url, [True], False).talk(until)
    assert [message["message"] for message in got] == ["what did I ask you to remember?"]


def event(kind: str, text: str) -> dict[str, Any]:
    """Makes an event that has a text."""
    return {"event": kind, "text": text}


def turn(text: str, answer: str) -> dict[str, Any]:
    """Makes what a client prints of a turn."""
    return {"text": text, "status": ACKNOWLEDGED, "answers": [{"text": answer}]}


def crowd_that_said(turns: list[list[dict[str, Any]]], stored: dict[str, list[dict[str, Any]]], *users: User) -> Crowd:
    """Makes users who have talked to a bot that is only played."""
    host = SimpleNamespace(name="played", run=lambda command: Result(0, json.dumps(turns), ""))
    lines = "\n".join(json.dumps({"events": events}) for events in stored.values())
    found = Crowd(cast(Bot, SimpleNamespace(host=host, run=lambda *arguments: Result(0, lines, ""))), users)
    with found.talking():
        pass
    return found


def test_answers_must_show_that_the_bot_knows_the_earlier_turns() -> None:
    """The number of a note, and the list of them."""
    said = [
        turn("remember a-1", "I will remember note 1: a-1"),
        turn("remember a-2", "I will remember note 1: a-2"),
        turn("what did I ask you to remember?", "You asked me to remember: a-1, a-2"),
    ]
    events = [event(kind, text) for each in said for kind, text in (("user", each["text"]), ("bot", "..."))]
    (history,) = crowd_that_said([said], {"a": events}, User("a", "a", "", HALF)).histories()
    verdicts = {verdict.check: verdict for verdict in run_checks(history)}
    assert verdicts["no_turn_lost"].outcome == PASS
    assert verdicts["context_survived"].outcome == FAIL
    assert len(verdicts["context_survived"].details) == 1


@pytest.mark.parametrize(
    ("order", "outcome"),
    [(["a-1", "b-1", "a-2"], PASS), (["a-1", "b-1"], FAIL), (["a-2", "b-1", "a-1"], FAIL), (["a-1"] * 2, FAIL)],
)
def test_users_of_one_conversation_are_checked_one_by_one(order: list[str], outcome: str) -> None:
    """Each with the own messages, which the others' come in between of."""
    said = [[turn("a-1", "fine"), turn("a-2", "fine")], [turn("b-1", "fine")]]
    events = [event(kind, text) for note in order for kind, text in (("user", note), ("bot", "fine"))]
    users = [User(name, "shared", "", ALL, is_alone=False) for name in ("a", "b")]
    histories = crowd_that_said(said, {"shared": events}, *users).histories()
    checked = ("no_turn_lost", "no_turn_doubled", "order_kept", "answers_stored")
    verdicts = [verdict for history in histories for verdict in run_checks(history) if verdict.check in checked]
    assert worst(verdicts) == outcome
