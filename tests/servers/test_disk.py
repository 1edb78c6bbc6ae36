"""A server whose disk is full, a real one.

Some servers refuse what they have no room for; others end, as Redis with `appendfsync always` does.
"""

from __future__ import annotations

import pytest

from steadfast.servers.server import Event, Server, ServerError, Write
from tests.servers.backends.backend import Backend
from tests.servers.events import turn
from tests.servers.test_outage import written_at_last

MEGABYTE = "x" * 1_000_000
# Of a megabyte: what a server has set aside lasts for some of them.
WRITES = 64


@pytest.mark.newest
def test_a_disk_without_room_is_told_and_loses_nothing(backend: Backend, server: Server) -> None:
    """What was kept is there, nothing of what was refused is, and with room again all is well."""
    kept: list[Event] = turn("kept")
    head = server.write("me", None, Write(kept))
    with backend.full_disk(), pytest.raises(ServerError, match="full"):
        for _ in range(WRITES):
            events = turn(MEGABYTE)
            head = server.write("me", head, Write(events))
            kept = [*kept, *events]
    later = turn("later")
    head = written_at_last(server, "me", head, Write(later))
    stored = server.read("me", whole=True)
    assert stored is not None
    assert stored.head == head
    assert stored.events == [*kept, *later]
