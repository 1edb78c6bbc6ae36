"""Locks on a real Redis: one at a time, first come, first served, and free soon after their holder was killed."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import pytest

from steadfast.locks.queue import RedisQueue, connect
from steadfast.servers.server import Unavailable
from tests.servers.backends.backend import Backend
from tests.servers.backends.redis import RedisBackend

LEASE_SECONDS = 1.0
# That has the oldest Redis that is supported.
pytestmark = pytest.mark.parametrize("system", ["debian-11"])
SPAWN = multiprocessing.get_context("spawn")

Open = Callable[..., RedisQueue]


def opened(host: str, port: int, prefix: str, lease_seconds: float = LEASE_SECONDS) -> RedisQueue:
    """Open a queue with an account that may do what the class says it needs."""
    client = connect(host, port, 0, "locks", "locks", False, None, None, None, socket_timeout=2)
    return RedisQueue(client, f"{prefix}:lock:", lease_seconds)


def wait_for(condition: Callable[[], bool], seconds: float) -> float:
    """Wait until it is so; how long that took, in seconds."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"not so within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - started


@pytest.fixture
def redis(backends: Callable[[type[Backend], str], Backend], system: str) -> Backend:
    """Give the system's Redis."""
    return backends(RedisBackend, system)


@pytest.fixture
def queue(redis: Backend, place: str) -> Iterator[RedisQueue]:
    """Open a queue of the test's own."""
    found = opened(redis.host.ip, redis.port, place)
    yield found
    found.close()


def hold(pipe: Connection, address: tuple[Any, ...]) -> None:
    """Hold the lock of `me` until the process ends."""
    queue = opened(*address)
    ticket = queue.take("me")
    wait_for(lambda: queue.is_first(ticket), 10)
    pipe.send("held")
    pipe.recv()


def count(address: tuple[Any, ...], turns: int, inside: Any, overlaps: Any, counter: Any) -> None:
    """Add to a counter that nothing but the lock protects."""
    queue = opened(*address)
    for _ in range(turns):
        ticket = queue.take("me")
        while not queue.is_first(ticket):
            time.sleep(0.005)
        inside.value += 1
        overlaps.value += inside.value != 1
        before = counter.value
        time.sleep(0.005)
        counter.value = before + 1
        inside.value -= 1
        queue.leave(ticket)


def test_one_at_a_time_in_the_order_of_arrival(queue: RedisQueue) -> None:
    """Whoever came first is first, and the next one after it."""
    tickets = [queue.take("me") for _ in range(3)]
    assert [queue.is_first(ticket) for ticket in tickets] == [True, False, False]
    assert [queue.is_first(ticket) for ticket in reversed(tickets)] == [False, False, True]
    queue.leave(tickets[0])
    assert [queue.is_first(ticket) for ticket in reversed(tickets[1:])] == [False, True]


def test_conversations_do_not_wait_for_each_other(queue: RedisQueue) -> None:
    """Each has a queue of its own."""
    assert queue.is_first(queue.take("me"))
    assert queue.is_first(queue.take("you"))


def test_a_holder_that_takes_longer_than_its_lease_keeps_the_lock(queue: RedisQueue) -> None:
    """A thread lets it be heard of, whatever its own thread does."""
    holder, waiter = queue.take("me"), queue.take("me")
    assert queue.is_first(holder)
    deadline = time.monotonic() + 3 * LEASE_SECONDS
    while time.monotonic() < deadline:
        assert not queue.is_first(waiter)
        time.sleep(0.05)
    assert queue.is_first(holder)


def test_a_killed_holder_is_free_within_its_lease(redis: Backend, queue: RedisQueue, place: str) -> None:
    """With `kill -9`; as long as it lives, it holds."""
    ours, theirs = SPAWN.Pipe()
    holder = SPAWN.Process(target=hold, args=(theirs, (redis.host.ip, redis.port, place)))
    holder.start()
    assert ours.poll(30)
    ticket = queue.take("me")
    time.sleep(2 * LEASE_SECONDS)
    assert not queue.is_first(ticket)
    holder.kill()
    holder.join(10)
    assert wait_for(lambda: queue.is_first(ticket), 10 * LEASE_SECONDS) < 2 * LEASE_SECONDS


def test_a_waiter_that_was_killed_is_passed_over(redis: Backend, queue: RedisQueue, place: str) -> None:
    """Nobody waits for somebody who is not there."""
    first = queue.take("me")
    assert queue.is_first(first)
    gone = opened(redis.host.ip, redis.port, place)
    gone.is_first(gone.take("me"))
    last = queue.take("me")
    queue.is_first(last)
    gone.close()
    queue.leave(first)
    assert wait_for(lambda: queue.is_first(last), 10 * LEASE_SECONDS) < 2 * LEASE_SECONDS


def test_a_word_that_comes_late_brings_nobody_back(queue: RedisQueue) -> None:
    """A ticket that was given back is not first any more."""
    ticket = queue.take("me")
    assert queue.is_first(ticket)
    queue.leave(ticket)
    assert not queue.is_first(ticket)
    assert queue.is_first(queue.take("me"))


def test_processes_never_overlap(redis: Backend, place: str) -> None:
    """Three of them, which do nothing but take and leave."""
    address = (redis.host.ip, redis.port, place, 5.0)
    shared = [SPAWN.Value("i", 0, lock=False) for _ in range(3)]
    processes = [SPAWN.Process(target=count, args=(address, 20, *shared)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    inside, overlaps, counter = (each.value for each in shared)
    assert (inside, overlaps, counter) == (0, 0, 60)


def test_a_server_that_is_away_is_unavailable(redis: Backend, queue: RedisQueue) -> None:
    """And well again when it is back."""
    ticket = queue.take("me")
    assert queue.is_first(ticket)
    redis.stop()
    try:
        with pytest.raises(Unavailable, match="Lock store"):
            queue.is_first(ticket)
    finally:
        redis.start()

    def is_back() -> bool:
        try:
            return queue.is_first(ticket)
        except Unavailable:
            return False

    wait_for(is_back, 30)
