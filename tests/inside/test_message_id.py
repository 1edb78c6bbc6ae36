"""The same message_id again gets the stored answer, and the bot does not run again."""

from __future__ import annotations

from typing import Callable

from tests.inside.bot import Bot
from tests.inside.memory import MemoryServer


def test_the_same_id_again_is_the_same_answer(bot: Bot, server: MemoryServer) -> None:
    """The same id again is the same answer."""
    first = bot.told("ann", "remember one", message_id="m1")
    assert bot.told("ann", "remember one", message_id="m1") == first
    assert server.texts("ann") == ["remember one"]


def test_the_header_does_the_same(bot: Bot, server: MemoryServer) -> None:
    """The header does the same."""
    message = {"sender": "ann", "message": "remember one"}
    answers = [bot.post(message, headers={"Idempotency-Key": "m1"}).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert server.texts("ann") == ["remember one"]


def test_without_an_id_it_is_another_turn(bot: Bot, server: MemoryServer) -> None:
    """Without an id it is another turn."""
    bot.told("ann", "remember one")
    bot.told("ann", "remember one")
    assert server.texts("ann") == ["remember one"] * 2


def test_another_server_knows_the_answer(start_bot: Callable[..., Bot], server: MemoryServer) -> None:
    """Another server knows the answer."""
    first, second = start_bot(server), start_bot(server)
    said = first.told("ann", "remember one", message_id="m1")
    assert second.told("ann", "remember one", message_id="m1") == said
    assert server.texts("ann") == ["remember one"]


def test_a_turn_that_was_refused_can_be_sent_again(bot: Bot, server: MemoryServer) -> None:
    """A turn that was refused can be sent again."""
    server.refuses = True
    assert bot.say("ann", "remember one", message_id="m1").status_code == 503
    server.refuses = False
    bot.told("ann", "remember one", message_id="m1")
    assert server.texts("ann") == ["remember one"]


def test_an_answer_lost_on_its_way_is_there_for_the_second_try(bot: Bot, server: MemoryServer) -> None:
    """An answer lost on its way is there for the second try."""
    server.cuts = 1000
    assert bot.say("ann", "remember one", message_id="m1").status_code == 504
    server.cuts = 0
    assert bot.told("ann", "remember one", message_id="m1") == ["I will remember note 1: one"]
    assert server.texts("ann") == ["remember one"]


def test_an_id_of_another_message_is_400(bot: Bot, server: MemoryServer) -> None:
    """An id of another message is 400."""
    bot.told("ann", "remember one", message_id="m1")
    refused = bot.say("ann", "remember two", message_id="m1")
    assert refused.status_code == 400
    assert "'message_id' (m1)" in refused.json()["error"]
    assert server.texts("ann") == ["remember one"]


def test_a_stream_keeps_its_answer_too(bot: Bot, server: MemoryServer) -> None:
    """A stream keeps its answer too."""
    message = {"sender": "ann", "message": "Find me some good venues", "message_id": "m1"}
    path = "/webhooks/rest/webhook?stream=true"
    streams = [bot.post(message, path).text for _ in range(2)]
    assert streams[0] == streams[1]
    assert len(streams[0].splitlines()) == 2
    assert server.texts("ann") == ["Find me some good venues"]
