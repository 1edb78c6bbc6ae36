"""What the REST channel passes on and streams, and that another channel of Rasa's fails closed, too."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.inside.bot import Bot
from tests.inside.memory import MemoryServer

STREAM = "/webhooks/rest/webhook?stream=true"
CALLBACK = "/webhooks/callback/webhook"


def test_what_a_client_sends_beside_its_message_is_stored(bot: Bot, server: MemoryServer) -> None:
    """As by Rasa's own channel: the name of another channel, and metadata of any kind."""
    metadata = {"from": "a test", "deep": [{"empty": None}]}
    bot.told("ann", "remember one", input_channel="mail", metadata=metadata)
    (event,) = (event for event in server.events("ann") if event["event"] == "user")
    assert event["input_channel"] == "mail"
    assert {name: event["metadata"][name] for name in metadata} == metadata


def test_a_stream_has_the_answers_of_a_turn_without_one(bot: Bot) -> None:
    """A line for each of the bot's messages."""
    message = {"message": "Find me some good venues"}
    whole = bot.post({"sender": "ann", **message}).json()
    streamed = bot.post({"sender": "bob", **message}, STREAM)
    assert streamed.headers["Content-Type"] == "text/event-stream"
    lines = [json.loads(line) for line in streamed.text.splitlines()]
    assert lines == [{**answer, "recipient_id": "bob"} for answer in whole]
    assert len(lines) > 1


def test_a_stream_of_a_server_that_is_away_is_503(bot: Bot, server: MemoryServer) -> None:
    """As long as nothing has been said."""
    server.is_down = True
    refused = bot.post({"sender": "ann", "message": "remember one"}, STREAM)
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers


def test_a_stream_that_is_not_stored_ends_with_an_error(bot: Bot, server: MemoryServer) -> None:
    """And is broken off: its end would have been the promise."""
    server.refuses = True
    lines = []
    with pytest.raises(requests.RequestException):
        streamed = bot.post({"sender": "ann", "message": "remember one"}, STREAM, stream=True)
        for line in streamed.iter_lines():
            lines.append(json.loads(line))
    server.refuses = False
    assert server.conversations == {}
    assert [sorted(line) for line in lines] == [["recipient_id", "text"], ["error"]]
    bot.told("ann", "remember one")


@pytest.mark.parametrize("trouble", [{"is_down": True}, {"refuses": True}, {"conflicts": 1}], ids=str)
def test_another_channel_fails_closed(bot: Bot, server: MemoryServer, trouble: dict[str, Any]) -> None:
    """Nothing is kept in memory for it either; and only the REST channel handles a message anew by itself."""
    assert bot.post({"sender": "ann", "message": "remember one"}, CALLBACK).text == "success"
    vars(server).update(trouble)
    refused = bot.post({"sender": "ann", "message": "remember two"}, CALLBACK)
    vars(server).update(is_down=False, refuses=False, conflicts=0)
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    assert server.texts("ann") == ["remember one"]
    assert bot.told("ann", "what did I ask you to remember?") == ["You asked me to remember: one"]
