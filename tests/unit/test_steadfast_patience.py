"""How a server that is away is waited for, by a clock that is only played."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from steadfast.servers.server import Conflict, ServerError, Unavailable, Unheard
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


@pytest.mark.parametrize(
    ("first", "last", "raised"),
    [
        (Unavailable("away"), ServerError("full"), ServerError),
        (Unavailable("away"), Conflict("changed"), Conflict),
        (Unheard("cut off"), ServerError("full"), Unheard),
        (Unheard("cut off"), Conflict("changed"), Unheard),
    ],
)
def test_a_write_that_was_not_heard_of_is_not_forgotten(
    first: Unavailable, last: ServerError, raised: type[ServerError]
) -> None:
    """Whatever the last try says: the first one may have been kept."""
    errors = iter([first, last])

    def write() -> None:
        raise next(errors)

    with ThreadPoolExecutor(1) as threads, pytest.raises(ServerError, match=str(last)) as caught:
        asyncio.run(Patience(20).call(threads, write))
    assert type(caught.value) is raised
    if raised is Unheard:
        assert caught.value.__cause__ is last


def test_a_server_that_stays_away_after_a_write_is_not_heard_of() -> None:
    """The time is over, and nobody knows."""
    errors = iter([Unheard("cut off")])

    def write() -> None:
        raise next(errors, Unavailable(AWAY))

    with ThreadPoolExecutor(1) as threads, pytest.raises(Unheard, match="nothing listens"):
        asyncio.run(Patience(0.2).call(threads, write))
