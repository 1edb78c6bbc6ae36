"""Writes and reads the conversations of the table, on the bot's host, with its Python's standard library only.

Sent there as text and run as root: one command over SSH for all conversations.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict

TIMEOUT_SECONDS = 60
# A reminder that is due this soon is waited for, and this much longer until its answer is stored.
SOON_SECONDS = 10
FIRED_SECONDS = 3

Conversations = Dict[str, Dict[str, Any]]

# A proxy from the environment is never the way to this very host.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Host:
    """The bot's host, seen from itself."""

    def __init__(self, plan: dict[str, Any]) -> None:
        """Takes `url`, `token_file` and `command`, the words of the command `steadfast`."""
        self.url = plan["url"]
        self.command = plan["command"]
        self.token = Path(plan["token_file"]).read_text(encoding="utf-8").strip()
        self.awaited = 0.0

    def call(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        """Sends a request and returns the status with the JSON of the answer, an error's too."""
        request = urllib.request.Request(
            f"{self.url}{path}?{urllib.parse.urlencode({**query, 'token': self.token})}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def take(self, sender: str, step: dict[str, Any]) -> dict[str, Any]:
        """Takes one step of a conversation.

        Returns:
            `{"sent", "status", "answer", "began", "ended"}`: what was sent, with every placeholder replaced, and
            what Rasa said to it: its tracker without events, or an error.
        """
        ((kind, body),) = step.items()
        sent = self.resolved(body, sender)
        name = f"/conversations/{urllib.parse.quote(sender, safe='')}"
        began = time.time()
        if kind == "say":
            status, answer = self.call("POST", "/webhooks/rest/webhook", {"sender": sender, "message": sent})
        elif kind == "execute":
            status, answer = self.call("POST", f"{name}/execute", {"name": sent}, include_events="NONE")
        else:
            reminds = any(str(event.get("event")).endswith("reminder") for event in sent)
            effects = "true" if reminds else "false"
            status, answer = self.call(
                kind.upper(), f"{name}/tracker/events", sent, include_events="NONE", execute_side_effects=effects
            )
        return {"sent": sent, "status": status, "answer": answer, "began": began, "ended": time.time()}

    def resolved(self, value: Any, sender: str) -> Any:
        """Replaces the placeholders of what is to be sent."""
        if isinstance(value, dict):
            return {key: self.resolved(each, sender) for key, each in value.items()}
        if isinstance(value, list):
            return [self.resolved(each, sender) for each in value]
        if not isinstance(value, str):
            return value
        due = re.fullmatch(r"<in (\d+) seconds>", value)
        if due:
            return self.due(int(due[1])).isoformat()
        long = re.fullmatch(r"<(\d+) characters>", value)
        return "x" * int(long[1]) if long else value.replace("<sender>", sender)

    def due(self, seconds: int) -> datetime:
        """Returns the time in so many seconds, and notes it if it is to be waited for."""
        if seconds < SOON_SECONDS:
            self.awaited = max(self.awaited, time.time() + seconds + FIRED_SECONDS)
        return datetime.now(timezone.utc) + timedelta(seconds=seconds)

    def write(self, conversations: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
        """Takes all steps of all conversations, by sender, and waits for the reminders that are due soon."""
        taken = {sender: [self.take(sender, step) for step in steps] for sender, steps in conversations.items()}
        time.sleep(max(0.0, self.awaited - time.time()))
        return taken

    def read(self, senders: list[str]) -> Conversations:
        """Reads conversations.

        Returns:
            By sender `{"stored", "events", "applied", "state", "now"}`: the events in the store itself, those that
            Rasa tells and those of them that count, the rest of Rasa's tracker, and the time.

        Raises:
            SystemExit: One cannot be read; the text is what was said.
        """
        done = subprocess.run(
            [*self.command, "read", "--", *senders], capture_output=True, timeout=TIMEOUT_SECONDS, check=False, cwd="/"
        )
        lines = done.stdout.splitlines()
        # A conversation that is not stored is an error with an answer, namely null.
        if len(lines) != len(senders):
            sys.exit(done.stderr.decode(errors="replace"))
        return {sender: self.reading(sender, json.loads(line)) for sender, line in zip(senders, lines)}

    def reading(self, sender: str, stored: dict[str, Any] | None) -> dict[str, Any]:
        """Reads the rest of one conversation from Rasa."""
        path = f"/conversations/{urllib.parse.quote(sender, safe='')}/tracker"
        _, everything = self.call("GET", path, include_events="ALL")
        _, applied = self.call("GET", path, include_events="APPLIED")
        return {
            "stored": (stored or {}).get("events", []),
            "events": everything.pop("events"),
            "applied": applied["events"],
            "state": everything,
            "now": time.time(),
        }


def main() -> None:
    """Does one thing, `write` or `read`, with the arguments: its name, and the plan as JSON on standard input."""
    plan = json.load(sys.stdin)
    print(json.dumps(getattr(Host(plan), plan["do"])(plan["with"])))


if __name__ == "__main__":
    main()
