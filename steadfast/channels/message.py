"""Reads a message from a request to the REST channel, and says in a sentence what is wrong with it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sanic.exceptions import InvalidUsage
from sanic.request import Request

from steadfast.errors import SteadfastError

# The column of Rasa's and the kit's SQL tables.
LONGEST_ID = 255
ID_HEADER = "Idempotency-Key"


class BadMessage(SteadfastError):
    """The request is not a message; the sentence says what it lacks."""


@dataclass(frozen=True)
class Message:
    """A message as a client sent it.

    Attributes:
        sender: The conversation's id.
        text: What was said.
        message_id: The client's own id of the message, for which the answer is kept; empty for none.
        input_channel: Name of the channel to be stored; empty for the channel's own.
        metadata: Stored with the message as it is.
    """

    sender: str
    text: str
    message_id: str
    input_channel: str
    metadata: Any

    def digest(self) -> str:
        """Returns what tells this message from another one that was sent with the same id."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


def read_message(request: Request) -> Message:
    """Reads the JSON that Rasa's own REST channel takes, and the message's id from it or from the header.

    Raises:
        BadMessage: It is not JSON, or `sender`, `message` or `message_id` is missing or not allowed.
    """
    try:
        body = request.json
    except InvalidUsage:
        body = None
    if not isinstance(body, dict):
        raise BadMessage('The body is not a JSON object: send {"sender": "...", "message": "..."}.')
    return Message(
        sender=_id(body, "sender"),
        text=_text(body),
        message_id=_id({"message_id": request.headers.get(ID_HEADER), **_given(body, "message_id")}, "message_id", ""),
        input_channel=_id(body, "input_channel", ""),
        metadata=body.get("metadata"),
    )


def answer_body(message: Message, messages: list[dict[str, Any]]) -> str:
    """Makes what is kept of an answer: the bot's messages, and what they answer."""
    return json.dumps({"message": message.digest(), "messages": messages})


def answered_messages(message: Message, body: str) -> list[dict[str, Any]]:
    """Returns the bot's messages from what was kept for a message of this id.

    Raises:
        BadMessage: It was another message.
    """
    kept = json.loads(body)
    if kept["message"] != message.digest():
        raise BadMessage(
            f"'message_id' ({message.message_id}) was used for another message before: use a new one for each."
        )
    messages: list[dict[str, Any]] = kept["messages"]
    return messages


def _given(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {name: body[name]} if body.get(name) is not None else {}


def _text(body: dict[str, Any]) -> str:
    text = body.get("message")
    if not isinstance(text, str) or not text.strip():
        raise BadMessage(f"'message' ({_shown(text)}) is not allowed: send a text that is not empty.")
    return text


def _id(body: dict[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name)
    if value is None and default is not None:
        return default
    # Rasa makes a text of whatever is sent.
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not 1 <= len(text) <= LONGEST_ID or "\0" in text:
        raise BadMessage(f"'{name}' ({_shown(value)}) is not allowed: send a text of 1 to {LONGEST_ID} characters.")
    return text


def _shown(value: Any) -> str:
    return "missing" if value is None else json.dumps(value)[:80]
