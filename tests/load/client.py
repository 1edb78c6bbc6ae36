"""Users who talk to a bot at once, on a host that has Python's standard library only; this file goes there alone.

The folder that is its argument holds `plan.json`; each turn is written to `record.jsonl` there when it begins and when
it ends, so that nothing is lost if this is killed. Started again, it goes on after the last turn of the record.
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
from threading import Lock
from typing import Any

# Before a message is sent again.
RETRY_PAUSE_SECONDS = 0.3
IN_FLIGHT = "The users ended while it was in flight."

# A proxy from the environment is never the way to a bot.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Record:
    """All turns, on disk."""

    def __init__(self, path: Path) -> None:
        """Reads what is there already; the last line may have been cut off."""
        self.said = {(line["sender"], line["text"]) for line in read_record(path.read_text() if path.exists() else "")}
        self._file = path.open("ab", buffering=0)
        self._lock = Lock()
        # Ends a line that was cut off.
        self._file.write(b"\n")

    def write(self, turn: dict[str, Any]) -> None:
        """Adds a turn, in place of the one with the same sender and text."""
        with self._lock:
            self._file.write(json.dumps(turn).encode() + b"\n")


def read_record(text: str) -> list[dict[str, Any]]:
    """Returns the turns of a record in the order in which they began, each as it was written last.

    They have the fields of `tests.checks.history.Turn`, and `user` and `sender`.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in text.splitlines():
        try:
            turn = json.loads(line)
        except ValueError:
            # The one that was being written when this was killed.
            continue
        found[turn["sender"], turn["text"]] = turn
    return list(found.values())


class Client:
    """A user."""

    def __init__(self, user: dict[str, Any], plan: dict[str, Any], folder: Path, record: Record) -> None:
        """Takes a `tests.load.plan.User`, the whole plan, the folder that ends it, and where to write.

        The plan has `url`, `pause_seconds`, `interval_seconds` and `longest_seconds`, see `tests.load.crowd.Crowd`.
        """
        self.name = user["name"]
        self.habit = user["habit"]
        self.conversations = user["conversations"]
        self.url = user["url"] or plan["url"]
        self._plan = plan
        self._until = folder / "until"
        self._deadline = time.monotonic() + plan["longest_seconds"]
        self._record = record

    def talk(self) -> None:
        """Has one conversation after the other until it is told to end; asks the last question even then."""
        for conversation in self.conversations:
            sender, closing = conversation["sender"], conversation["closing"]
            if closing and (sender, closing["text"]) in self._record.said:
                continue
            for message in conversation["messages"]:
                if self._is_over():
                    break
                if (sender, message["text"]) not in self._record.said:
                    self._pace(self.say(sender, message))
            if closing:
                self._pace(self.say(sender, closing))
            if self._is_over():
                return

    def say(self, sender: str, message: dict[str, Any]) -> float:
        """Says something, again and again as is this client's habit, and records it; returns the seconds it took.

        One that was not acknowledged is `refused` only if no try of it can have been stored.
        """
        started, begin = time.time(), time.monotonic()
        turn = {"user": self.name, "sender": sender, "text": message["text"], "started": started}
        self._record.write({**turn, "status": "unknown", "error": IN_FLIGHT})
        tries = 0
        is_unknown = False
        while True:
            tries += 1
            status, answers, error = self._send(sender, message)
            is_unknown = is_unknown or status == "unknown"
            seconds = time.monotonic() - begin
            if status == "acknowledged" or seconds >= self.habit["retry_seconds"]:
                break
            time.sleep(RETRY_PAUSE_SECONDS)
        status = "unknown" if is_unknown and status != "acknowledged" else status
        told = {"status": status, "answers": answers, "seconds": seconds, "error": error, "tries": tries}
        self._record.write({**turn, **told})
        return seconds

    def _send(self, sender: str, message: dict[str, Any]) -> tuple[str, list[dict[str, Any]], str | None]:
        """Sends a message once and returns its status, the bot's answers, and why it was not acknowledged."""
        body = {"sender": sender, "message": message["text"]}
        if message["message_id"] is not None:
            body["message_id"] = message["message_id"]
        request = urllib.request.Request(f"{self.url}/webhooks/rest/webhook", json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        try:
            with OPENER.open(request, timeout=self.habit["timeout_seconds"]) as response:
                return "acknowledged", json.loads(response.read()), None
        except urllib.error.HTTPError as error:
            is_refused = 400 <= error.code < 500 or error.code == 503
            return "refused" if is_refused else "unknown", [], f"HTTP status {error.code}: {_body(error)}"
        except (OSError, ValueError, http.client.HTTPException) as error:
            is_refused = isinstance(getattr(error, "reason", None), ConnectionRefusedError)
            return "refused" if is_refused else "unknown", [], repr(error)

    def _pace(self, seconds: float) -> None:
        time.sleep(max(self._plan["pause_seconds"], self._plan["interval_seconds"] - seconds))

    def _is_over(self) -> bool:
        return self._until.exists() or time.monotonic() > self._deadline


def _body(error: urllib.error.HTTPError) -> str:
    try:
        return error.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as failure:
        return repr(failure)


def main(folder: Path) -> None:
    """Has all users of the plan talk, each in a thread."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    record = Record(folder / "record.jsonl")
    clients = [Client(user, plan, folder, record) for user in plan["users"]]
    (folder / "begun").touch()
    with ThreadPoolExecutor(len(clients)) as threads:
        list(threads.map(Client.talk, clients))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
