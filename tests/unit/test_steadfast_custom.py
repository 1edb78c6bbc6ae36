"""The reader of custom stores, with Rasa's modules only played: the real ones take seconds to import."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from steadfast.errors import SteadfastError
from steadfast.readers import custom, open_reader

EVENTS = [{"event": "user", "text": "hi"}, {"event": "slot", "name": "x", "value": 1}]


class Event(SimpleNamespace):
    """An event that is what it was made from."""

    @classmethod
    def from_parameters(cls, parameters: dict[str, Any]) -> Event:
        """As Rasa's."""
        return cls(parameters=parameters)

    def as_dict(self) -> dict[str, Any]:
        """As Rasa's."""
        found: dict[str, Any] = self.parameters
        return found


class Tracker:
    """A conversation."""

    def __init__(self, sender: str, events: list[Event]) -> None:
        """Takes the events so far."""
        self.sender_id = sender
        self.events = list(events)

    def update(self, event: Event) -> None:
        """Adds an event."""
        self.events.append(event)


class TrackerStore:
    """The base of all stores."""

    def __init__(self, domain: Any, event_broker: Any = None, **options: Any) -> None:
        """Takes whatever is given."""
        self.options = options

    def init_tracker(self, sender: str) -> Tracker:
        """Makes an empty conversation."""
        return Tracker(sender, [])

    async def retrieve(self, sender: str) -> Tracker | None:
        """Is not there."""
        raise NotImplementedError

    async def retrieve_full_tracker(self, sender: str) -> Tracker | None:
        """Is the latest session."""
        return await self.retrieve(sender)


class InMemoryTrackerStore(TrackerStore):
    """Rasa's default."""


class AwaitableTrackerStore:
    """Only its name is needed."""


def class_from_module_path(path: str) -> type:
    """As Rasa's."""
    module, _, name = path.rpartition(".")
    found: type | None = getattr(__import__(module), name, None)
    if found is None:
        raise ImportError(f"Cannot retrieve class from path {path}.")
    return found


class EndpointConfig:
    """As Rasa's: takes away `url` and `type`."""

    @classmethod
    def from_dict(cls, options: dict[str, Any]) -> Any:
        """As Rasa's."""
        rest = {name: value for name, value in options.items() if name not in ("url", "type")}
        return SimpleNamespace(url=options.get("url"), kwargs=rest)


MODULE = '''
import time
from rasa.core.tracker_store import InMemoryTrackerStore, TrackerStore
saved = {}

class Good(TrackerStore):
    """Keeps what it is given."""
    def __init__(self, domain, host=None, event_broker=None, color="none"):
        print("a word too many")
        self.seen = (host, color)
    async def keys(self): return [*saved, *saved]
    async def retrieve(self, sender):
        events = saved.get(sender)
        return None if events is None else type(self.init_tracker(""))(sender, events)
    async def save(self, tracker): saved[tracker.sender_id] = list(tracker.events)

class Forgetful(Good):
    async def save(self, tracker): pass

class Failing(TrackerStore):
    def __init__(self, domain, host=None, event_broker=None, db_password=""):
        raise AttributeError("cannot log in with " + db_password)

class Hanging(Good):
    def __init__(self, domain, **options): time.sleep(30)

class Bare(TrackerStore): pass
class Memory(InMemoryTrackerStore): pass
class Stranger: pass
'''


@pytest.fixture(autouse=True)
def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Plays Rasa's modules, and a module of a bot's project."""
    contents: dict[str, dict[str, Any]] = {
        "rasa": {},
        "rasa.core": {},
        "rasa.core.tracker_store": {
            "AwaitableTrackerStore": AwaitableTrackerStore,
            "InMemoryTrackerStore": InMemoryTrackerStore,
            "TrackerStore": TrackerStore,
            "check_if_tracker_store_async": lambda store: True,
        },
        "rasa.shared": {},
        "rasa.shared.core": {},
        "rasa.shared.core.domain": {"Domain": SimpleNamespace(empty=lambda: None)},
        "rasa.shared.core.events": {"Event": Event},
        "rasa.shared.utils": {},
        "rasa.shared.utils.common": {"class_from_module_path": class_from_module_path},
        "rasa.utils": {},
        "rasa.utils.endpoints": {"EndpointConfig": EndpointConfig},
    }
    for name, content in contents.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    (tmp_path / "played_stores.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "played_stores", raising=False)


def test_class_is_made_as_rasa_makes_it(capsys: pytest.CaptureFixture[str]) -> None:
    """`url` is its `host`, the other options are keyword arguments; what it prints is no answer."""
    reader: Any = open_reader("custom", {"type": "played_stores.Good", "url": "x.example", "color": "blue"})
    assert reader.probe() == {"store": "custom", "type": "played_stores.Good"}
    assert reader._open().seen == ("x.example", "blue")
    assert capsys.readouterr().out == ""


def test_conversations_come_through_the_class() -> None:
    """Each once, with all its events."""
    reader: Any = open_reader("custom", {"type": "played_stores.Good"})
    reader.append("me", EVENTS, stored=0)
    reader.append("me", EVENTS[:1], stored=2)
    assert reader.read("me") == {"name": "me", "events": [*EVENTS, EVENTS[0]]}
    assert reader.read("you") is None
    assert list(reader.senders()) == ["me"]
    assert [sender for sender, _ in reader.conversations()] == ["me"]


@pytest.mark.parametrize("stored", [0, 1, 3])
def test_append_refuses_another_number_of_events(stored: int) -> None:
    """And leaves the conversation as it is."""
    reader: Any = open_reader("custom", {"type": "played_stores.Good"})
    reader.append("me", EVENTS, stored=0)
    with pytest.raises(SteadfastError, match=f"has 2 events .* where {stored} were expected"):
        reader.append("me", EVENTS, stored=stored)
    assert reader.read("me") == {"name": "me", "events": EVENTS}


def test_nothing_can_be_forgotten() -> None:
    """Rasa's interface has no way; the sentence says where to look."""
    reader: Any = open_reader("custom", {"type": "played_stores.Good"})
    with pytest.raises(SteadfastError, match=r"type is played_stores\.Good, .* remove that of 'me' where"):
        reader.forget("me")


def test_append_sees_a_class_that_forgets() -> None:
    """Afterwards."""
    reader: Any = open_reader("custom", {"type": "played_stores.Forgetful"})
    with pytest.raises(SteadfastError, match=r"has 0 events .* where 2 were expected"):
        reader.append("me", EVENTS, stored=0)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("no_such_module.Store", "cannot be imported .*No module named 'no_such_module'"),
        ("played_stores.Missing", "cannot be imported .*Cannot retrieve class"),
        ("played_stores.Failing", r"cannot be made \(AttributeError: cannot log in with \.\.\.\)"),
        ("played_stores.Stranger", "is no tracker store: derive the class"),
        ("played_stores.Memory", "keeps conversations in Rasa's process only"),
        ("played_stores.Bare", r"fails in retrieve\(\) \(NotImplementedError\)"),
    ],
)
def test_class_that_rasa_would_not_use_is_refused(path: str, named: str) -> None:
    """With its path, why, and never a password."""
    options = {"type": path, **({"db_password": "hunter2"} if path.endswith("Failing") else {})}
    with pytest.raises(SteadfastError, match=named) as raised:
        open_reader("custom", options).probe()
    told = str(raised.value)
    assert told.startswith(f"tracker_store_options.type is {path}")
    assert "hunter2" not in told
    assert "\n" not in told


def test_class_that_never_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Rasa's SQL class, which tries for ever to reach its server."""
    monkeypatch.setattr(custom, "ANSWER_SECONDS", 1)
    started = time.monotonic()
    with pytest.raises(SteadfastError, match="no answer within 1 s"):
        open_reader("custom", {"type": "played_stores.Hanging"}).probe()
    assert time.monotonic() - started < 10
