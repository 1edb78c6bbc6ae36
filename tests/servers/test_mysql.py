"""What MySQL alone has: ids that a table gives by itself, which may be apart."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from steadfast.servers.server import Server, Write
from tests.servers.backends.backend import Backend
from tests.servers.backends.mysql import MysqlBackend
from tests.servers.events import turn

WRITERS = 8
# More than one INSERT.
TURNS_AT_ONCE = 50


def talk(server: Server, direct: Server, sender: str) -> None:
    """Write again and again; what was written is found once, by a writer that knows it and by one that does not."""
    known, written = None, []
    for _ in range(5):
        events = [event for _ in range(TURNS_AT_ONCE) for event in turn()]
        known = server.write(sender, known, Write(events))
        written += events
        mine, found = server.read(sender, known), direct.read(sender)
        assert mine is not None
        assert found is not None
        assert (mine.head, mine.events) == (known, [])
        assert (found.head, found.events) == (known, written)


@pytest.mark.parametrize("system", ["debian-sid"])
@pytest.mark.parametrize("apart", [1, 7])
def test_ids_are_those_that_the_server_gives(
    backends: Callable[[type[Backend], str], Backend], system: str, place: str, apart: int
) -> None:
    """However far they are apart, as in a group of servers, and whoever else writes meanwhile."""
    mysql = backends(MysqlBackend, system)
    mysql.host.exec(("mysql", "-e", f"SET GLOBAL auto_increment_increment = {apart}"))
    try:
        server, direct = mysql.open(place), mysql.open(place)
        with ThreadPoolExecutor(WRITERS) as pool:
            assert list(pool.map(partial(talk, server, direct), [f"sender-{each}" for each in range(WRITERS)]))
        server.close()
        direct.close()
    finally:
        mysql.host.exec(("mysql", "-e", "SET GLOBAL auto_increment_increment = 1"))
