"""How a server that is away is waited for, by a clock that is only played."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from steadfast.servers.server import Unavailable
from steadfast.stores import patience
from steadfast.stores.patience import Patience

AWAY = "Tracker store: nothing listens at 127.0.0.1:6379: start the Redis server."


class Clock:
    """Stands for the module `time`; only who sleeps makes time pass."""

    def __init__(self) -> None:
        """Starts at an hour past zero."""
        self.now = 3600.0

    def monotonic(self) -> float:
        """Returns the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        self.now += seconds

    def away_for(self, seconds: float) -> Callable[[], None]:
        """Returns what fails for so many seconds from now on."""
        until = self.now + seconds

        def call() -> None:
            if self.now < until:
                raise Unavailable(AWAY)

        return call


@pytest.fixture()
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Gives the clock."""
    played = Clock()
    monkeypatch.setattr(patience, "time", played)
    return played


def test_a_server_that_comes_back_is_waited_for(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """With the server's own sentence in the log, as it is."""
    Patience(20).wait(clock.away_for(3))
    assert 3603 <= clock.now <= 3604
    assert [record.getMessage() for record in caplog.records] == [f"{AWAY} Trying again, up to 20 s."]


def test_the_log_says_so_every_few_seconds(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """As long as it lasts."""
    Patience(60).wait(clock.away_for(17))
    assert len(caplog.records) == 4


def test_the_error_is_raised_when_the_time_is_over(clock: Clock) -> None:
    """No try begins after that."""
    with pytest.raises(Unavailable, match="nothing listens"):
        Patience(20).wait(clock.away_for(60))
    assert 3618 <= clock.now <= 3620
