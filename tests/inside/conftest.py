"""A bot of Rasa's own for the tests, trained once; skipped by nobody: without Rasa they fail."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from rasa.model_training import train

from steadfast.stores.store import AppendOnlyTrackerStore
from tests.inside.bot import PROJECT, Bot, Loop, action_server
from tests.inside.memory import MemoryServer

# Short, so that a test of an outage ends soon.
RETRY_SECONDS = 2.0


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Trains the sample bot."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        # By default Rasa keeps it where it is called.
        patch.setenv("RASA_CACHE_DIRECTORY", str(folder / "cache"))
        found = train(
            domain=str(PROJECT / "domain.yml"),
            config=str(PROJECT / "config.yml"),
            training_files=[str(PROJECT / "data")],
            output=str(folder),
        )
    assert found.model, "Rasa has trained no model"
    return str(Path(found.model))


@pytest.fixture(scope="session")
def actions() -> Iterator[str]:
    """Runs the action server."""
    with action_server() as url:
        yield url


@pytest.fixture(scope="session")
def loop() -> Loop:
    """Starts the event loop of all bots."""
    return Loop()


@pytest.fixture()
def server() -> MemoryServer:
    """Gives a server that fails on demand."""
    return MemoryServer()


@pytest.fixture()
def start_bot(loop: Loop, model: str, actions: str) -> Iterator[Callable[..., Bot]]:
    """Starts bots, each with a store of its own on a server."""
    with ExitStack() as stack:

        def start(server: MemoryServer, **options: Any) -> Bot:
            store = AppendOnlyTrackerStore(server, **{"retry_seconds": RETRY_SECONDS, **options})
            bot = Bot(loop, model, actions, store).start()
            stack.callback(bot.stop)
            return bot

        yield start


@pytest.fixture()
def bot(start_bot: Callable[..., Bot], server: MemoryServer) -> Bot:
    """Starts one bot."""
    return start_bot(server)
