"""Reads a tracker store of the user's own class, through that class itself.

There is no other way to what it stores: this makes the store as Rasa does, in a process of its own,
and asks it. Unlike Rasa, which silently uses memory instead of a class that cannot be imported,
it says what is wrong. Importing Rasa takes some seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import re
import signal
import warnings
from typing import Any, Callable, Iterator, Mapping

from steadfast.errors import SteadfastError
from steadfast.readers.reader import Reader, Tracker

# No conversation has this name, and looking for it makes none.
NOBODY = "steadfast-probe"
# Rasa's SQL class tries for ever to reach its server.
ANSWER_SECONDS = 60
SECRETS = re.compile("pass|secret|token|key", re.IGNORECASE)


class Store(Reader):
    """Calls `keys`, `retrieve` and `retrieve_full_tracker`; to append, `save`."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Takes `type`, the path of the class, and whatever options the class has."""
        super().__init__(options)
        self.path = str(options.get("type", ""))
        self._loop = asyncio.new_event_loop()
        self._store: Any = None

    def senders(self) -> Iterator[str]:
        """Yields what `keys` of the class gives, each once."""
        yield from dict.fromkeys(str(key) for key in self._call("keys"))

    def read(self, sender: str) -> Tracker | None:
        """Returns the events of `retrieve_full_tracker` of the class."""
        found = self._call("retrieve_full_tracker", sender)
        return None if found is None else {"name": sender, "events": [event.as_dict() for event in found.events]}

    def append(self, sender: str, events: list[dict[str, Any]], *, stored: int) -> None:
        """Adds events to the latest session and saves it, as Rasa does after a turn; then it counts again."""
        self._expect(sender, stored)
        tracker = self._call("retrieve", sender) or self._open().init_tracker(sender)
        from rasa.shared.core.events import Event

        for event in events:
            tracker.update(Event.from_parameters(event))
        self._call("save", tracker)
        self._expect(sender, stored + len(events))

    def forget(self, sender: str) -> bool:
        """Refuses: the interface of tracker stores has no way to remove a conversation."""
        raise SteadfastError(
            f"tracker_store_options.type is {self.path}, and Rasa's interface of such a class has no way to remove a "
            f"conversation: remove that of '{sender}' where the class keeps it."
        )

    def probe(self) -> dict[str, Any]:
        """Makes the store and looks for a conversation that is not there.

        Nothing is written: the interface of tracker stores has no way to remove it again.
        """
        self._call("retrieve", NOBODY)
        return {"store": "custom", "type": self.path}

    def _expect(self, sender: str, count: int) -> None:
        tracker = self.read(sender)
        found = len(tracker["events"]) if tracker else 0
        if found != count:
            raise SteadfastError(
                f"The conversation of '{sender}' has {found} events in the store of the class {self.path}, where "
                f"{count} were expected: somebody else writes to it, or the class does not keep what it is given."
            )

    def _open(self) -> Any:
        if self._store is None:
            with _quiet():
                store_class = self._class()
                self._store = self._guarded("cannot be made", lambda: self._made(store_class))
        return self._store

    def _class(self) -> Any:
        from rasa.core.tracker_store import InMemoryTrackerStore, TrackerStore
        from rasa.shared.utils.common import class_from_module_path

        found = self._guarded(
            "cannot be imported on the bot's host", lambda: self._in_loop(class_from_module_path, self.path)
        )
        if not issubclass(found, TrackerStore):
            raise SteadfastError(
                f"tracker_store_options.type is {self.path}, which is no tracker store: "
                "derive the class from rasa.core.tracker_store.TrackerStore."
            )
        if issubclass(found, InMemoryTrackerStore):
            raise SteadfastError(
                f"tracker_store_options.type is {self.path}, which keeps conversations in Rasa's process only: "
                "choose another class, or tracker_store: memory."
            )
        return found

    def _made(self, store_class: Any) -> Any:
        from rasa.core.tracker_store import AwaitableTrackerStore, check_if_tracker_store_async
        from rasa.shared.core.domain import Domain
        from rasa.utils.endpoints import EndpointConfig

        # As rasa/core/tracker_store.py does it, without falling back to memory where something is not found.
        endpoint = EndpointConfig.from_dict(dict(self.options))
        store = self._in_loop(
            store_class, host=endpoint.url, domain=Domain.empty(), event_broker=None, **endpoint.kwargs
        )
        return store if check_if_tracker_store_async(store) else AwaitableTrackerStore(store)

    def _call(self, method: str, *arguments: Any) -> Any:
        store = self._open()
        with _quiet():
            return self._guarded(
                f"fails in {method}()", lambda: self._loop.run_until_complete(getattr(store, method)(*arguments))
            )

    def _in_loop(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        async def call() -> Any:
            return function(*arguments, **options)

        # Rasa makes its store while its event loop runs.
        return self._loop.run_until_complete(call())

    def _guarded(self, what: str, action: Callable[[], Any]) -> Any:
        try:
            with _time_limit():
                return action()
        # It is somebody else's code: anything may come.
        except Exception as error:
            text = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":. ")
            for option, value in self.options.items():
                if SECRETS.search(option):
                    text = text.replace(str(value), "...")
            raise SteadfastError(
                f"tracker_store_options.type is {self.path}, a class that {what} ({text}): correct it, its module in "
                "the bot's project, or its options in tracker_store_options."
            ) from None


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    """Raises a TimeoutError when something takes too long, even if it blocks."""

    def end(number: int, frame: Any) -> None:
        raise TimeoutError(f"no answer within {ANSWER_SECONDS} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(ANSWER_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps standard output for the answer, and standard error for the sentence."""
    logging.disable(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            # Rasa and SQLAlchemy set filters of their own when they are imported.
            warnings.showwarning = lambda *warning, **more: None
            yield
    finally:
        logging.disable(logging.NOTSET)
