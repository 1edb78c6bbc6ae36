"""Tries again what fails because a server is away for a moment."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from concurrent.futures import Executor
from typing import Any, Callable, Iterator, TypeVar

from steadfast.servers.server import ServerError, Unavailable, Unheard

logger = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
# How often a person is told while it lasts.
TOLD_SECONDS = 5.0


class Patience:
    """How long to wait for a server, with longer and longer pauses."""

    def __init__(self, seconds: float) -> None:
        """Takes the number of seconds after which no further try begins."""
        self.seconds = seconds

    def pauses(self) -> Iterator[Callable[[Unavailable], float]]:
        """Yields, for each try, what to call when it failed: it returns the pause before the next try, in seconds.

        It raises the error that it was given when the time is over.
        """
        started = time.monotonic()
        told = -math.inf
        pause = FIRST_PAUSE_SECONDS

        def failed(error: Unavailable) -> float:
            nonlocal told, pause
            now = time.monotonic()
            if now - started + pause > self.seconds:
                raise error
            if now - told >= TOLD_SECONDS:
                told = now
                logger.warning("%s Trying again, up to %.0f s.", error, self.seconds)
            # At random, so that those who were cut off together do not come back together.
            wait, pause = pause * random.uniform(0.5, 1.0), min(pause * 2, LONGEST_PAUSE_SECONDS)
            return wait

        while True:
            yield failed

    async def call(self, threads: Executor, function: Callable[..., T], *arguments: Any) -> T:
        """Calls a blocking function in a thread until it is not `Unavailable`; the event loop goes on meanwhile.

        Raises:
            Unavailable: It still is when the time is over.
            Unheard: It failed in the end, and a try before may have done what was asked for.
            ServerError: What else the function raises.
        """
        is_unheard = False
        for failed in self.pauses():
            try:
                try:
                    return await asyncio.get_running_loop().run_in_executor(threads, function, *arguments)
                except Unavailable as error:
                    is_unheard = is_unheard or isinstance(error, Unheard)
                    await asyncio.sleep(failed(error))
            except ServerError as error:
                if is_unheard:
                    raise Unheard(str(error)) from error
                raise
        raise AssertionError("there is always a next try")

    def wait(self, function: Callable[[], None]) -> None:
        """Calls a blocking function until it is not `Unavailable`, without an event loop."""
        for failed in self.pauses():
            try:
                return function()
            except Unavailable as error:
                time.sleep(failed(error))
