"""How a server that is away is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from steadfast.servers.server import Unavailable
from steadfast.stores import patience
from steadfast.stores.patience import Patience

AWAY = "Tracker store: nothing listens at 127.0.0.1:6379: start the Redis server."


def away_for(seconds: float) -> Callable[[], None]:
    """Returns what fails for so many seconds."""
    until = time.monotonic() + seconds

    def call() -> None:
        if time.monotonic() < until:
            raise Unavailable(AWAY)

    return call


def test_a_server_that_comes_back_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """With the server's own sentence in the log, as it is."""
    Patience(5).wait(away_for(0.2))
    assert [record.getMessage() for record in caplog.records] == [f"{AWAY} Trying again, up to 5 s."]


def test_the_log_says_so_again_and_again(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it lasts."""
    monkeypatch.setattr(patience, "TOLD_SECONDS", 0.1)
    Patience(5).wait(away_for(0.6))
    assert len(caplog.records) >= 2


def test_the_error_is_raised_when_the_time_is_over() -> None:
    """It is the last one, and no try begins after that."""
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="nothing listens"):
        Patience(0.5).wait(away_for(60))
    assert 0.2 <= time.monotonic() - begun <= 0.6
