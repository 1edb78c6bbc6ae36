"""A store at the other end of a pipe, as a migration to or from containers uses it; SQLite stands for all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from control.remote_store import RemoteStore, open_remote_store
from steadfast.errors import SteadfastError
from steadfast.migrate import Migration
from tests.kit import REPOSITORY

NAMES = ("me", "two words", "ä:日本", "a\nb", '"quoted"')

Open = Callable[..., RemoteStore]


def events(*texts: str) -> list[dict[str, Any]]:
    """Makes a conversation with a message for each text."""
    return [{"event": "user", "text": text, "timestamp": 1.5 + at} for at, text in enumerate(texts)]


def steadfast(place: Path, *arguments: str) -> list[str]:
    """Returns what runs the command `steadfast` where a bot is deployed."""
    environment = [f"STEADFAST_FACTS={place}", f"PYTHONPATH={REPOSITORY}"]
    return ["env", *environment, sys.executable, "-m", "steadfast", *arguments]


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Open]:
    """Opens a store by the name of its place, which is made first; it is closed when the test ends."""

    def opened(name: str, *arguments: str) -> RemoteStore:
        place = tmp_path / name
        if not place.exists():
            (place / "stores").mkdir(parents=True)
            sections = {"tracker_store": {"type": "sql", "dialect": "sqlite", "db": str(place / "tracker.db")}}
            for file in ("endpoints.yml", "stores/sqlite.yml"):
                (place / file).write_text(json.dumps(sections))
            fact = {"url": "", "tracker_store": "sqlite", "endpoints": str(place / "endpoints.yml"), "token_file": ""}
            (place / "bot.fact").write_text(json.dumps(fact))
            subprocess.run(steadfast(place, "prepare"), check=True, stdout=subprocess.DEVNULL)
        return stack.enter_context(open_remote_store(name, steadfast(place, "serve-store", *arguments)))

    with ExitStack() as stack:
        yield opened


def test_conversations_move_from_one_place_to_another(open_store: Open) -> None:
    """Whatever their names are; by the store's name on a host, and without one in a container."""
    source, target = open_store("host", "sqlite"), open_store("container")
    for name in NAMES:
        source.append(name, events("hi", name), stored=0)
    (*_, last) = Migration(source, target).run()
    assert last["totals"]["copied"] == last["totals"]["compared"] == len(NAMES)
    assert last["totals"]["different"] == 0
    assert target.senders() == sorted(NAMES)
    assert target.events("a\nb") == events("hi", "a\nb")
    assert target.events("nobody") is None
    (*_, again) = Migration(source, target).run()
    assert again["totals"]["there"] == len(NAMES)


def test_place_that_forgets_is_caught(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what is compared comes from the other end, not from memory."""
    source, target = open_store("host"), open_store("container")
    source.append("me", events("1", "2"), stored=0)
    keep = target.append
    monkeypatch.setattr(target, "append", lambda sender, events, stored: keep(sender, events[:1], stored=stored))
    with pytest.raises(SteadfastError, match=r"^Not the same in container: me\.$"):
        list(Migration(source, target).run())


def test_error_of_the_store_is_told_and_the_next_request_answered(open_store: Open, tmp_path: Path) -> None:
    """The sentence crosses the pipe."""
    store = open_store("host")
    file = tmp_path / "host" / "tracker.db"
    away = file.rename(file.with_suffix(".away"))
    with pytest.raises(SteadfastError, match="is missing: restore it"):
        store.senders()
    away.rename(file)
    store.probe()
    assert store.senders() == []


def test_store_that_was_never_deployed_is_told(open_store: Open) -> None:
    """With those that were."""
    with pytest.raises(SteadfastError, match=r"'radish' was never deployed on this host.*which has: sqlite\.$"):
        open_store("host", "radish").senders()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("exit 2", "was deployed by an older kit"),
        ("echo 'No such container.' >&2; exit 1", "No such container."),
        ("exit 7", "The connection to other ended (exit status 7)."),
        ('printf \'{"answer": ["cut\'', "The connection to other ended (exit status 0)."),
        ("read -r request; kill -9 $$", "The connection to other ended (exit status -9)."),
    ],
)
def test_command_that_ends_is_told(command: str, told: str) -> None:
    """By its last words, if it has some."""
    with open_remote_store("other", ["sh", "-c", command]) as store, pytest.raises(SteadfastError) as raised:
        store.senders()
    assert told in str(raised.value)
