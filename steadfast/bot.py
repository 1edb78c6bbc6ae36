"""Talks to a running Rasa over HTTP, with the standard library only."""

from __future__ import annotations

import http.client
import json
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from steadfast.errors import SteadfastError

ACKNOWLEDGED = "acknowledged"
REFUSED = "refused"
UNKNOWN = "unknown"

# What urllib raises for a request that got no good answer; ValueError is JSON that is none.
FAILURES = (OSError, ValueError, http.client.HTTPException)
# Errors of a connection that was never made. A connection that breaks may have carried the turn.
NEVER_SENT = (ConnectionRefusedError, socket.gaierror)

POLL_SECONDS = 0.25
POLL_TIMEOUT_SECONDS = 5

# Rasa listens on this very host: a proxy from the environment is never the way to it.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Reply:
    """What came back for one message.

    Attributes:
        text: The message.
        status: `acknowledged` (HTTP 200), `refused` (surely not taken: no connection, HTTP 4xx
            or 503) or `unknown` (no answer heard, or one that says neither).
        answers: The bot's answers as the channel gave them, `[{"recipient_id", "text", ...}]`.
        started: When it was sent, in seconds since 1970.
        seconds: How long it took.
        error: Why it was not acknowledged, in one sentence; None if it was.
    """

    text: str
    status: str
    answers: list[dict[str, Any]]
    started: float
    seconds: float
    error: str | None = None


class Bot:
    """A running Rasa server."""

    def __init__(self, url: str, token: str, channel: str = "rest") -> None:
        """Takes the server's address, the HTTP API's token and the channel to talk through."""
        self.url = url.rstrip("/")
        self._token = token
        self._channel = channel

    def say(self, sender: str, text: str, timeout: float) -> Reply:
        """Sends one message and waits at most `timeout` seconds for the answers."""
        started = time.time()
        begin = time.monotonic()
        status = ACKNOWLEDGED
        answers: list[dict[str, Any]] = []
        reason: str | None = None
        try:
            answers = self._call(
                f"/webhooks/{self._channel}/webhook",
                {"sender": sender, "message": text},
                timeout=timeout,
            )
        except urllib.error.HTTPError as error:
            refused = 400 <= error.code < 500 or error.code == 503
            status = REFUSED if refused else UNKNOWN
            reason = f"{self.url} answers with HTTP status {error.code}."
        except FAILURES as error:
            cause = getattr(error, "reason", None)
            status = REFUSED if isinstance(cause, NEVER_SENT) else UNKNOWN
            reason = f"No whole answer came from {self.url}: {_reason(error)}."
        return Reply(text, status, answers, started, time.monotonic() - begin, reason)

    def tracker(self, sender: str, timeout: float) -> dict[str, Any]:
        """Returns the whole conversation as Rasa's HTTP API tells it, all events.

        Raises:
            SteadfastError: Rasa cannot be reached or does not give it.
        """
        name = urllib.parse.quote(sender, safe="")
        try:
            found: dict[str, Any] = self._call(f"/conversations/{name}/tracker?include_events=ALL", timeout=timeout)
        except FAILURES as error:
            raise SteadfastError(self._failure(error)) from None
        return found

    def wait(self, timeout: float, action_url: str | None = None) -> dict[str, Any]:
        """Waits until Rasa has loaded its model and its action server is healthy.

        Args:
            timeout: How long at most, in seconds.
            action_url: `url` of the section `action_endpoint:`; None if there is none.

        Returns:
            `{"seconds", "version", "model_file", "model_id"}`.

        Raises:
            SteadfastError: It is not ready in time, or refuses the token.
        """
        begin = time.monotonic()
        while True:
            try:
                state = self._ready(action_url)
                return {"seconds": round(time.monotonic() - begin, 2), **state}
            except FAILURES as error:
                failure = self._failure(error)
                if isinstance(error, urllib.error.HTTPError) and error.code in (401, 403):
                    raise SteadfastError(failure) from None
            if time.monotonic() - begin > timeout:
                raise SteadfastError(f"Not ready after {timeout:.0f} s. {failure}")
            time.sleep(POLL_SECONDS)

    def _ready(self, action_url: str | None) -> dict[str, Any]:
        version = self._call("/version", timeout=POLL_TIMEOUT_SECONDS)["version"]
        status = self._call("/status", timeout=POLL_TIMEOUT_SECONDS)
        if not status.get("model_id"):
            raise ValueError("no model is loaded")
        if action_url:
            health = urllib.parse.urljoin(action_url, "/health")
            with _OPENER.open(health, timeout=POLL_TIMEOUT_SECONDS):
                pass
        return {
            "version": version,
            "model_file": status.get("model_file"),
            "model_id": status["model_id"],
        }

    def _call(self, path: str, message: Any = None, *, timeout: float) -> Any:
        request = urllib.request.Request(self.url + path)
        # Rasa takes the token no other way. Its access log, off by default, would show it.
        if message is None:
            joint = "&" if "?" in path else "?"
            request.full_url += f"{joint}token={urllib.parse.quote(self._token, safe='')}"
        else:
            request.data = json.dumps(message).encode()
            request.add_header("Content-Type", "application/json")
        with _OPENER.open(request, timeout=timeout) as response:
            return json.loads(response.read())

    def _failure(self, error: Exception) -> str:
        code = error.code if isinstance(error, urllib.error.HTTPError) else 0
        sentences = {
            401: f"Rasa at {self.url} refuses the token: run make deploy again.",
            403: f"Rasa at {self.url} refuses the token: run make deploy again.",
            409: f"Rasa at {self.url} runs, but no model is loaded.",
        }
        return sentences.get(code, f"Rasa at {self.url} does not answer: {_reason(error)}.")


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", None) or error
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
