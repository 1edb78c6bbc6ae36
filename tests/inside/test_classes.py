"""The kit's classes take the place of Rasa's: the same parameters, and the same events for the broker."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from typing import Any, Callable

import pytest
from rasa.core import tracker_store
from rasa.core.brokers.broker import EventBroker

from steadfast import stores
from steadfast.stores.store import AppendOnlyTrackerStore
from tests.inside.bot import Bot
from tests.inside.memory import MemoryServer


class Broker(EventBroker):
    """Notes what it is given, and then refuses it if it is to."""

    def __init__(self, refuses: bool = False) -> None:
        """Takes whether it refuses everything."""
        self.events: list[dict[str, Any]] = []
        self._refuses = refuses

    def publish(self, event: dict[str, Any]) -> None:
        """Notes an event as JSON, which is what every broker sends."""
        self.events.append(json.loads(json.dumps(event)))
        if self._refuses:
            raise ConnectionError("The broker is away.")


def classes() -> list[type[AppendOnlyTrackerStore]]:
    """Finds the classes of the kit that take the place of one of Rasa's."""
    for module in pkgutil.iter_modules(stores.__path__):
        importlib.import_module(f"{stores.__name__}.{module.name}")
    return AppendOnlyTrackerStore.__subclasses__()


@pytest.mark.parametrize("ours", classes())
def test_every_parameter_of_rasas_class_is_taken(ours: Any) -> None:
    """With the same default, so that to swap the class is to change one line."""
    theirs = inspect.signature(getattr(tracker_store, ours.__name__)).parameters.values()
    wanted = {each.name: each.default for each in theirs if each.kind is not inspect.Parameter.VAR_KEYWORD}
    taken = {each.name: each.default for each in inspect.signature(ours).parameters.values()}
    # An agent sets it.
    del wanted["domain"]
    assert {name: taken.get(name, "not taken") for name in wanted} == wanted


def test_brokers_are_fed_as_by_rasas_own_store(start_bot: Callable[..., Bot], server: MemoryServer) -> None:
    """Each event once, in order, of each turn; the whole conversation saved by Rasa's store gives the same."""
    broker, rasas = Broker(), Broker()
    bot = start_bot(server, event_broker=broker)
    for text in ("remember one", "Find me some good venues", "restart", "remember two"):
        bot.told("ann", text)
    tracker = bot.loop.run(bot.store.retrieve_full_tracker("ann"))
    assert tracker is not None
    bot.loop.run(tracker_store.InMemoryTrackerStore(bot.store.domain, rasas).save(tracker))
    assert len(broker.events) > 10
    assert broker.events == rasas.events


def test_a_broker_that_fails_loses_no_turn(start_bot: Callable[..., Bot], server: MemoryServer) -> None:
    """Each event is tried, since the turn is stored by then."""
    broker = Broker(refuses=True)
    bot = start_bot(server, event_broker=broker)
    assert bot.told("ann", "remember one") == ["I will remember note 1: one"]
    assert server.texts("ann") == ["remember one"]
    assert [event["event"] for event in broker.events] == [event["event"] for event in server.events("ann")]
