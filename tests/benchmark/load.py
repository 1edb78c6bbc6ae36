"""Users who talk to a bot at once, on the bot's host, with its Python's standard library only."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

TIMEOUT_SECONDS = 60


class Load:
    """Conversations of several users at once, all timed from the same turn on."""

    def __init__(self, plan: dict[str, Any]) -> None:
        """Takes `run`, `port`, `users`, `messages` (said over and over), `before` and `timed` (numbers of turns)."""
        self.plan = plan
        self.together = threading.Barrier(plan["users"])

    def run(self) -> dict[str, Any]:
        """Has all conversations; returns `{"turns", "seconds"}` of the timed part.

        Raises:
            RuntimeError: A message was not answered.
        """
        users = self.plan["users"]
        with ThreadPoolExecutor(users) as threads:
            talks = [threads.submit(self._talk, user) for user in range(users)]
        errors = [error for error in (talk.exception() for talk in talks) if error]
        # The others only tell that one of them has failed.
        for error in sorted(errors, key=lambda error: isinstance(error, threading.BrokenBarrierError)):
            raise error
        times = [talk.result() for talk in talks]
        seconds = max(end for _, end in times) - min(begin for begin, _ in times)
        return {"turns": users * self.plan["timed"], "seconds": seconds}

    def _talk(self, user: int) -> tuple[float, float]:
        connection = http.client.HTTPConnection("127.0.0.1", self.plan["port"], timeout=TIMEOUT_SECONDS)
        try:
            self._say(connection, user, range(self.plan["before"]))
            self.together.wait()
            begin = time.perf_counter()
            self._say(connection, user, range(self.plan["before"], self.plan["before"] + self.plan["timed"]))
            return begin, time.perf_counter()
        except BaseException:
            # The others would wait for this one for ever.
            self.together.abort()
            raise
        finally:
            connection.close()

    def _say(self, connection: http.client.HTTPConnection, user: int, turns: range) -> None:
        messages = self.plan["messages"]
        for turn in turns:
            message = {"sender": f"{self.plan['run']}-{user}", "message": messages[turn % len(messages)]}
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/webhooks/rest/webhook", json.dumps(message), headers)
            response = connection.getresponse()
            answers = response.read()
            if response.status != 200 or not json.loads(answers):
                raise RuntimeError(f"Turn {turn} was answered with {response.status}: {answers[:200]!r}.")


def main() -> None:
    """Reads the plan as JSON from standard input, and prints what `Load.run` returns as JSON."""
    print(json.dumps(Load(json.load(sys.stdin)).run()))


if __name__ == "__main__":
    main()
