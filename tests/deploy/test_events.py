"""Every event that Rasa knows is kept by the store, with what it leads to, through a restart of everything."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import Deployed
from tests.kit import run


def test_every_event_is_kept_with_its_effect(deployed: Callable[[str], Deployed]) -> None:
    """As tests/events/events.yml says, reminders included; tests/unit/test_events_table.py has the control."""
    found = deployed("debian-12")
    found.run.succeeded()
    done = run("python", "-m", "tests.events", "--inventory", str(found.kit.folder)).succeeded()
    # As it would say, and be content, of reminders with Rasa's own class: the default is another one.
    assert "FORGOTTEN" not in done.output
