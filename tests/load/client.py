"""Clients that talk to a bot at once, on its host, with its Python's standard library only.

Sent there as text: one command for all of them, each in a thread of its own.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# Longer than the bot waits for its server.
REQUEST_SECONDS = 60
# How long a message with an id is sent again: longer than a killed Rasa takes to answer again on a busy machine.
RETRY_SECONDS = 120
PAUSE_SECONDS = 0.3
# Whatever becomes of the test, they do not talk for ever.
LONGEST_SECONDS = 300

# A proxy from the environment is never the way to this very host.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Client:
    """A user of the bot."""

    def __init__(self, name: str, sender: str, url: str, ids: list[bool], is_alone: bool) -> None:
        """Takes who it is, and which messages it sends with an id of their own.

        Args:
            name: What its notes begin with, unlike those of any other client.
            sender: The conversation that it talks in.
            url: Where the bot is.
            ids: For each message in turn, over and over, whether it has an id and is sent again after an error.
            is_alone: Whether the conversation is its own, so that it knows what the bot must say.
        """
        self.name = name
        self.sender = sender
        self.url = url
        self.ids = ids
        self.is_alone = is_alone

    def talk(self, until: Path) -> list[dict[str, Any]]:
        """Has one note after the other remembered, until a file is there; if alone, asks for all of them then."""
        turns: list[dict[str, Any]] = []
        deadline = time.monotonic() + LONGEST_SECONDS
        while not until.exists() and time.monotonic() < deadline:
            number = len(turns) + 1
            turns.append(self.say(f"remember {self.name}-{number}", number))
        if self.is_alone:
            turns.append(self.say("what did I ask you to remember?", len(turns) + 1))
        return turns

    def say(self, text: str, number: int) -> dict[str, Any]:
        """Says something, with an id again and again until it is acknowledged.

        Returns:
            The fields of `tests.checks.history.Turn`; one that was not acknowledged is `refused` only if no try of it
            can have been stored.
        """
        message = {"sender": self.sender, "message": text}
        if self.ids[number % len(self.ids)]:
            message["message_id"] = f"{self.name}-{number}"
        started, begin = time.time(), time.monotonic()
        is_unknown = False
        while True:
            status, answers, error = self.send(message)
            is_unknown = is_unknown or status == "unknown"
            over = "message_id" not in message or time.monotonic() - begin > RETRY_SECONDS
            if status == "acknowledged" or over:
                break
            time.sleep(PAUSE_SECONDS)
        return {
            "text": text,
            "status": "unknown" if is_unknown and status != "acknowledged" else status,
            "answers": answers,
            "started": started,
            "seconds": time.monotonic() - begin,
            "error": error,
        }

    def send(self, message: dict[str, str]) -> tuple[str, list[dict[str, Any]], str | None]:
        """Sends a message once and returns its status, the bot's answers, and why it was not acknowledged."""
        request = urllib.request.Request(f"{self.url}/webhooks/rest/webhook", json.dumps(message).encode())
        request.add_header("Content-Type", "application/json")
        try:
            with OPENER.open(request, timeout=REQUEST_SECONDS) as response:
                return "acknowledged", json.loads(response.read()), None
        except urllib.error.HTTPError as error:
            is_refused = 400 <= error.code < 500 or error.code == 503
            told = error.read().decode(errors="replace")
            return "refused" if is_refused else "unknown", [], f"HTTP status {error.code}: {told}"
        except (OSError, ValueError, http.client.HTTPException) as error:
            is_refused = isinstance(getattr(error, "reason", None), ConnectionRefusedError)
            return "refused" if is_refused else "unknown", [], repr(error)


def main() -> None:
    """Prints the turns of each client as JSON; the argument is the plan: `clients` and the file `until`."""
    plan = json.loads(sys.argv[1])
    clients = [Client(**client) for client in plan["clients"]]
    with ThreadPoolExecutor(len(clients)) as threads:
        print(json.dumps(list(threads.map(lambda client: client.talk(Path(plan["until"])), clients))))


if __name__ == "__main__":
    main()
