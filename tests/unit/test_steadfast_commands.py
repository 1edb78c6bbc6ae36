"""The command `steadfast` and the start of Rasa."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from steadfast import __main__ as commands
from steadfast import serve, servers
from steadfast.bot import Bot, Reply
from steadfast.errors import SteadfastError
from steadfast.facts import read_bot_facts, read_token
from steadfast.readers import reader as reader_module
from steadfast.readers.memory import Store
from steadfast.readers.reader import Reader


@pytest.fixture(autouse=True)
def facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Lays out a host with a bot whose store is in memory."""
    (tmp_path / "endpoints.yml").write_text("", encoding="utf-8")
    (tmp_path / "token").write_text("-the-token\n", encoding="utf-8")
    written = {
        "url": "http://127.0.0.1:9",
        "tracker_store": "memory",
        "endpoints": str(tmp_path / "endpoints.yml"),
        "token_file": str(tmp_path / "token"),
        "services": ["rasa"],
    }
    (tmp_path / "bot.fact").write_text(json.dumps(written), encoding="utf-8")
    monkeypatch.setenv("STEADFAST_FACTS", str(tmp_path))
    return written


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Runs a command and returns the sentence that it ended with; empty if it went well."""
    monkeypatch.setattr(sys, "argv", ["steadfast", *arguments])
    try:
        commands.main()
    except SystemExit as end:
        return str(end.code)
    return ""


def test_nothing_is_listed_in_memory(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Which is no error."""
    assert run(monkeypatch, "list") == ""
    assert run(monkeypatch, "list", "--names") == ""
    assert capsys.readouterr().out == "[]\n[]\n"


def test_conversation_that_is_not_stored_is_null_and_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Null for programs, a sentence for people."""
    told = run(monkeypatch, "read", "--", "-me")
    assert told.startswith("No conversation of '-me' is stored (the tracker store 'memory'")
    assert capsys.readouterr().out == "null\n"


def test_several_conversations_are_read_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line each, in the order that was asked for; the error names the first that is missing."""
    stored = {"a": {"name": "a", "events": []}, "b": {"name": "b", "events": []}}
    monkeypatch.setattr(Store, "read", lambda self, sender: stored.get(sender))
    assert run(monkeypatch, "read", "--", "b", "a") == ""
    assert run(monkeypatch, "read", "--", "a", "x", "y", "b").startswith("No conversation of 'x' is stored")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [stored["b"], stored["a"], stored["a"], None, None, stored["b"]]


def test_list_has_the_latest_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It is the one that people look for."""
    stored = {name: {"events": [{"event": "user", "timestamp": time}]} for name, time in PEOPLE}
    monkeypatch.setattr(Store, "conversations", lambda self: iter(stored.items()))
    assert run(monkeypatch, "list") == ""
    assert [each["sender"] for each in json.loads(capsys.readouterr().out)] == ["b", "c", "a"]


PEOPLE = (("a", 1.0), ("b", 3.0), ("c", 2.0))


def test_rasa_is_not_asked_about_a_sender_who_is_not_stored(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would store an empty conversation; about those that are stored it is asked, one after the other."""
    monkeypatch.setattr(Store, "keeps_nothing_because", "")
    monkeypatch.setattr(Store, "read", lambda self, sender: None if sender == "me" else {"events": []})
    monkeypatch.setattr(Bot, "tracker", lambda self, sender, timeout: {"sender_id": sender})
    assert run(monkeypatch, "tracker", "a", "me", "b") == "No conversation of 'me' is stored."
    assert capsys.readouterr().out == '{"sender_id": "a"}\nnull\n{"sender_id": "b"}\n'


def test_talk_prints_a_line_for_each_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And fails if one was not acknowledged."""

    def say(self: Bot, sender: str, text: str, timeout: float) -> Reply:
        error = "It broke." if text == "b" else None
        return Reply(text, "unknown" if error else "acknowledged", [], 1.0, 0.1, error)

    monkeypatch.setattr(Bot, "say", say)
    assert run(monkeypatch, "talk", "me", "a", "b") == "1 of 2 not acknowledged: It broke."
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["text"], line["status"]) for line in lines] == [
        ("a", "acknowledged"),
        ("b", "unknown"),
    ]
    assert run(monkeypatch, "talk", "me", "a") == ""


def test_probe_and_wait_print_what_they_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON, like everything."""
    monkeypatch.setattr(Bot, "wait", lambda self, seconds, action_url: {"seconds": seconds})
    assert run(monkeypatch, "probe") == ""
    assert run(monkeypatch, "wait", "--seconds", "3") == ""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["store"] == "memory"
    assert lines[1] == {"seconds": 3.0}


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "No bot is deployed here"), ("{", "is damaged"), ('{"url": ""}', "is damaged")],
)
def test_missing_and_damaged_facts_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, told: str
) -> None:
    """With what to do."""
    path = tmp_path / "bot.fact"
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert told in run(monkeypatch, "list")


def test_unknown_facts_are_left_alone(facts: dict[str, Any]) -> None:
    """Others need them."""
    assert read_bot_facts().tracker_store == facts["tracker_store"]
    assert read_bot_facts().channel == "rest"


def test_token_is_one_line(facts: dict[str, Any], tmp_path: Path) -> None:
    """A line break at its end is not part of it."""
    assert read_token(facts["token_file"]) == "-the-token"
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    with pytest.raises(SteadfastError, match="is empty"):
        read_token(str(tmp_path / "empty"))
    with pytest.raises(SteadfastError, match="cannot be read"):
        read_token(str(tmp_path / "none"))


@pytest.mark.parametrize("option", [[], ["--token-file"]])
def test_rasa_is_given_the_token_in_this_process_only(
    monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any], option: list[str]
) -> None:
    """The arguments that the system shows stay as they were."""
    given: list[list[str]] = []

    class PlayedRasa:
        @staticmethod
        def main() -> None:
            given.append(sys.argv)

    monkeypatch.setitem(sys.modules, "rasa.__main__", PlayedRasa)
    where = [*option, facts["token_file"]] if option else []
    monkeypatch.setattr(sys, "argv", ["serve", *where, "run", "--enable-api", "model.tar.gz"])
    serve.main()
    assert given == [["rasa", "run", "--auth-token=-the-token", "--enable-api", "model.tar.gz"]]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Usage"),
        (["train"], "Usage"),
        (["--token-file"], "Usage"),
        (["run", "--auth-token", "x"], "would show the token"),
        (["run", "--auth-token=x"], "would show the token"),
        (["run", "-tx"], "would show the token"),
        (["--token-file", "/no/such/file", "run"], "cannot be read"),
    ],
)
def test_wrong_arguments_end_before_rasa_starts(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    """Which takes many seconds."""
    monkeypatch.setattr(sys, "argv", ["serve", *arguments])
    with pytest.raises(SystemExit, match=told):
        serve.main()


def test_probe_needs_no_deployed_bot(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    facts: dict[str, Any],
) -> None:
    """A deploy tries new settings before it writes them."""
    monkeypatch.setenv("STEADFAST_FACTS", "/no/such/folder")
    where = ("--store", "memory", "--endpoints", facts["endpoints"])
    assert run(monkeypatch, "probe", *where) == ""
    assert json.loads(capsys.readouterr().out)["store"] == "memory"


class PlayedServer:
    """A server of the kit's own class, with two conversations."""

    def __init__(self) -> None:
        """Both are in the kit's format."""
        self.formats = {"a": "own", "b": "own"}
        self.told: list[str] = []

    def probe(self) -> None:
        """Notes it."""
        self.told.append("probed")

    def senders(self) -> Iterator[str]:
        """Both."""
        yield from self.formats

    def give_back(self, sender: str) -> bool:
        """Changes the format, once."""
        given = self.formats[sender] == "own"
        self.formats[sender] = "rasa"
        return given

    def forget(self, sender: str) -> bool:
        """Removes a conversation."""
        return self.formats.pop(sender, None) is not None

    def close(self) -> None:
        """Notes it."""
        self.told.append("closed")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any]) -> PlayedServer:
    """Lays out a bot whose store has a class of the kit's own."""
    found = PlayedServer()
    for module in (servers, reader_module):
        monkeypatch.setattr(module, "open_server", lambda options: found)
    monkeypatch.setattr(Store, "forget", Reader.forget)
    monkeypatch.setattr(Store, "keeps_nothing_because", "")
    endpoints = {"tracker_store": {"type": "steadfast.stores.redis.RedisTrackerStore"}}
    Path(facts["endpoints"]).write_text(json.dumps(endpoints), encoding="utf-8")
    return found


def test_probe_tries_what_the_kits_class_will_do(monkeypatch: pytest.MonkeyPatch, server: PlayedServer) -> None:
    """Beside what the reader needs; and nothing of it where the class is Rasa's."""
    assert run(monkeypatch, "probe") == ""
    assert server.told == ["probed", "closed"]
    monkeypatch.setattr(servers, "is_own", lambda options: False)
    assert run(monkeypatch, "probe") == ""
    assert server.told == ["probed", "closed"]


def test_conversations_are_given_back_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: PlayedServer
) -> None:
    """The number tells a deploy whether anything changed."""
    assert (run(monkeypatch, "give-back"), run(monkeypatch, "give-back")) == ("", "")
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [{"given_back": 2}, {"given_back": 0}]
    assert (set(server.formats.values()), server.told) == ({"rasa"}, ["closed", "closed"])


def test_conversation_is_forgotten_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: PlayedServer
) -> None:
    """Null for programs and a sentence for people when there is none."""
    assert run(monkeypatch, "forget", "a") == ""
    assert run(monkeypatch, "forget", "a") == "No conversation of 'a' is stored."
    assert capsys.readouterr().out == '{"forgotten": "a"}\nnull\n'
    assert (list(server.formats), server.told) == (["b"], ["closed", "closed"])


def test_memory_has_nothing_to_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the sentence says why."""
    assert run(monkeypatch, "forget", "a").startswith("No conversation of 'a' is stored (the tracker store 'memory'")
