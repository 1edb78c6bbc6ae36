"""The users of tests/load, against a bot that is only played."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest

from control.errors import ControlError
from control.host import Host, Result
from tests.checks.check import FAIL, PASS, run_checks, worst
from tests.checks.history import ACKNOWLEDGED, REFUSED, UNKNOWN, Reading, Turn
from tests.load import client, crowd
from tests.load.client import Client, Record, read_record
from tests.load.crowd import Crowd
from tests.load.plan import HABITS, Habit, User, make_users
from tests.promises.shared import histories, users_of_one

# No answer at all, and one that comes late.
SILENCE, SLOW = 0, 1
PATIENT = HABITS["patient"]


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
            if status == SLOW:
                time.sleep(0.6)
                status = 200
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps([{"text": "fine"}]).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", got
        finally:
            server.shutdown()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "RETRY_PAUSE_SECONDS", 0)
    monkeypatch.setattr(crowd, "CALM_SECONDS", 0.2)


def say(folder: Path, url: str, habit: Habit, message_id: str | None = "ann-1") -> dict[str, Any]:
    """Lets a client say hello, and returns what is recorded of it in the end."""
    plan = {"url": url, "pause_seconds": 0, "interval_seconds": 0, "longest_seconds": 60}
    user = asdict(User("ann", habit, ()))
    record = Record(folder / "record.jsonl")
    Client(user, plan, folder, record).say("ann", {"text": "hello", "message_id": message_id})
    (turn,) = read_record((folder / "record.jsonl").read_text())
    return turn


def test_message_with_an_id_is_sent_again_until_it_is_acknowledged(tmp_path: Path) -> None:
    """The same one, and it is one turn."""
    with played(503, SILENCE, 500) as (url, got):
        turn = say(tmp_path, url, PATIENT)
    assert (turn["status"], turn["tries"], turn["error"]) == (ACKNOWLEDGED, 4, None)
    assert got == [{"sender": "ann", "message": "hello", "message_id": "ann-1"}] * 4


def test_client_that_times_out_sends_the_same_message_again(tmp_path: Path) -> None:
    """And hears the answer then."""
    with played(SLOW) as (url, got):
        turn = say(tmp_path, url, Habit(True, timeout_seconds=0.2, retry_seconds=60))
    assert (turn["status"], turn["tries"]) == (ACKNOWLEDGED, 2)
    assert got == [{"sender": "ann", "message": "hello", "message_id": "ann-1"}] * 2


@pytest.mark.parametrize(("status", "told"), [(503, REFUSED), (400, REFUSED), (500, UNKNOWN), (SILENCE, UNKNOWN)])
def test_message_without_an_id_is_sent_once(tmp_path: Path, status: int, told: str) -> None:
    """It would be another turn."""
    with played(status) as (url, got):
        turn = say(tmp_path, url, HABITS["simple"], None)
    assert (turn["status"], bool(turn["error"]), turn["tries"]) == (told, True, 1)
    assert got == [{"sender": "ann", "message": "hello"}]


def test_bot_that_is_not_there_refuses(tmp_path: Path) -> None:
    """Nothing listens, so nothing can be stored."""
    with played() as (url, _):
        pass
    assert say(tmp_path, url, HABITS["resigned"])["status"] == REFUSED


def test_one_try_that_may_have_been_stored_is_enough_for_unknown(tmp_path: Path) -> None:
    """Though all later ones were refused."""
    with played(SILENCE, *[503] * 10000) as (url, got):
        turn = say(tmp_path, url, Habit(True, timeout_seconds=60, retry_seconds=0.1))
    assert turn["tries"] == len(got) > 1
    assert turn["status"] == UNKNOWN


def test_turn_in_flight_when_the_users_ended_is_unknown() -> None:
    """Its first line is there, and the last line may be cut off."""
    begun = {"user": "ann", "sender": "ann", "text": "hello", "status": UNKNOWN, "error": client.IN_FLIGHT}
    ended = {**begun, "status": ACKNOWLEDGED, "error": None}
    lines = [json.dumps(begun), json.dumps({**begun, "text": "again"}), json.dumps(ended)[:-9]]
    assert [turn["status"] for turn in read_record("\n".join(lines))] == [UNKNOWN, UNKNOWN]
    assert [turn["status"] for turn in read_record("\n".join([*lines, json.dumps(ended)]))] == [ACKNOWLEDGED, UNKNOWN]


class Here:
    """This machine, as the host of users."""

    name = "here"

    def run(self, command: str) -> Result:
        """Runs a command in a shell."""
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture()
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Gives this machine, with a folder of its own."""
    monkeypatch.setattr(crowd, "PARENT", str(tmp_path))
    return cast(Host, Here())


def make_crowd(host: Host, url: str, **options: Any) -> Crowd:
    """Makes two users who talk without a pause."""
    users = make_users(7, habits=["patient", "simple"], turns=20)
    return Crowd(host, url, users, pause_seconds=0, **options)


def test_users_say_what_the_plan_says_and_a_last_question(here: Host, tmp_path: Path) -> None:
    """Each in the planned order; where a conversation is cut off, the last question comes all the same."""
    with played() as (url, got):
        talking = make_crowd(here, url, turns_per_second=20)
        with talking.talking():
            while len(got) < 8:
                time.sleep(0.02)
    assert len(got) == len(talking.all_turns)
    for user in talking.users:
        first = user.conversations[0]
        texts = [message["message"] for message in got if message["sender"] == first.sender]
        assert texts == [turn.text for turn in talking.turns[first.sender]]
        assert 2 <= len(texts) < len(first.messages)
        assert first.closing and texts == [
            message.text for message in (*first.messages[: len(texts) - 1], first.closing)
        ]
        ids = [message.get("message_id") for message in got if message["sender"] == first.sender]
        assert ids[:-1] == [message.message_id for message in first.messages[: len(texts) - 1]]
    assert list(tmp_path.iterdir()) == []


def test_users_who_have_said_all_are_done(here: Host) -> None:
    """Every message of the plan was sent once."""
    with played() as (url, got):
        talking = make_crowd(here, url)
        talking.start()
        while talking.is_talking():
            time.sleep(0.05)
        talking.stop()
    planned = [(each.sender, *each.messages) for user in talking.users for each in user.conversations]
    assert {sender for sender, *_ in planned} == set(talking.senders)
    assert len(got) == sum(map(len, planned))


def test_users_who_were_killed_go_on_where_they_were(here: Host, tmp_path: Path) -> None:
    """Nothing is sent again, and what was in flight is unknown."""
    with played(*[200] * 10, *[SLOW] * 2) as (url, got):
        talking = make_crowd(here, url)
        talking.start()
        while len(got) < 12:
            time.sleep(0.02)
        (pid,) = tmp_path.glob("*/pid")
        os.kill(int(pid.read_text()), signal.SIGKILL)
        while talking.is_talking():
            time.sleep(0.02)
        talking.start()
        while talking.is_talking():
            time.sleep(0.05)
        talking.stop()
    sent = [(message["sender"], message["message"]) for message in got]
    assert len(set(sent)) == len(sent) == len(talking.all_turns)
    unknown = [turn for turn in talking.all_turns if turn.status == UNKNOWN]
    assert 1 <= len(unknown) <= 2
    assert {turn.error for turn in unknown} == {client.IN_FLIGHT}


def test_users_end_by_themselves(here: Host) -> None:
    """Whatever becomes of the test."""
    with played() as (url, _):
        talking = make_crowd(here, url, longest_seconds=0.3, turns_per_second=20)
        talking.start()
        time.sleep(1.5)
        assert not talking.is_talking()
        talking.stop()
    assert talking.all_turns


def test_users_that_fail_are_an_error(here: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the end of what they said."""
    monkeypatch.setattr(crowd, "SCRIPT", b"raise SystemExit('no such thing')")
    talking = make_crowd(here, "http://127.0.0.1:1")
    talking.start()
    with pytest.raises(ControlError, match="The users on here failed: no such thing"):
        talking.stop()


def test_histories_have_what_was_read(here: Host) -> None:
    """Of each sender, and the bot that must have answered."""
    with played() as (url, _):
        talking = make_crowd(here, url, turns_per_second=20)
        with talking.talking():
            pass
    place = {sender: Reading("store", "afterwards", ()) for sender in talking.senders}
    found = talking.histories(place)
    assert [history.sender for history in found] == talking.senders
    verdicts = {verdict.check: verdict.outcome for verdict in run_checks(found[0])}
    assert verdicts["no_turn_lost"] == FAIL
    assert verdicts["context_survived"] == FAIL


@pytest.mark.parametrize(
    ("order", "outcome"),
    [(["a-1", "b-1", "a-2"], PASS), (["a-1", "b-1"], FAIL), (["a-2", "b-1", "a-1"], FAIL), (["a-1"] * 2, FAIL)],
)
def test_users_of_one_conversation_are_checked_one_by_one(here: Host, order: list[str], outcome: str) -> None:
    """Each with the own messages, which the others' come in between of."""
    found = Crowd(here, "", users_of_one("shared", {"a": "", "b": ""}, seed=1))
    answer = {"text": "fine"}
    texts = {"a": ["a-1", "a-2"], "b": ["b-1"]}
    found.turns_by_user = {
        user: tuple(Turn(text, ACKNOWLEDGED, (answer,)) for text in said) for user, said in texts.items()
    }
    found.turns = {"shared": tuple(turn for turns in found.turns_by_user.values() for turn in turns)}
    events = [{"event": kind, "text": text} for note in order for kind, text in (("user", note), ("bot", "fine"))]
    checked = ("no_turn_lost", "no_turn_doubled", "order_kept", "answers_stored")
    judged = [run_checks(history) for history in histories(found, Reading("store", "afterwards", tuple(events)))]
    assert worst(verdict for verdicts in judged for verdict in verdicts if verdict.check in checked) == outcome
