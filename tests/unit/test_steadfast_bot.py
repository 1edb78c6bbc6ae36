"""The HTTP client, against a server that is only played."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from steadfast.bot import Bot
from steadfast.errors import SteadfastError

ANSWER = [{"recipient_id": "me", "text": "hello"}]
READY = {"model_id": "1", "model_file": "m.tar.gz", "version": "3.6.21"}


class PlayedRasa(ThreadingHTTPServer):
    """Answers every request with `status` and `body`; None hangs up without an answer."""

    def __init__(self) -> None:
        """Listens on a free port."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.status: int | None = 200
        self.body = json.dumps(ANSWER)
        self.requests: list[tuple[str, Any]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Plays one request."""

    server: PlayedRasa

    def do_GET(self) -> None:
        """Answers as told."""
        length = int(self.headers.get("Content-Length") or 0)
        content = json.loads(self.rfile.read(length)) if length else None
        self.server.requests.append((self.path, content))
        if self.server.status is not None:
            self.send_response(self.server.status)
            self.end_headers()
            self.wfile.write(self.server.body.encode())

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def rasa() -> Iterator[PlayedRasa]:
    """Plays a Rasa server."""
    server = PlayedRasa()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def bot(rasa: PlayedRasa) -> Bot:
    """Returns a client of the played server."""
    return Bot(rasa.url, "the token", "rest")


def test_answer_is_acknowledged(rasa: PlayedRasa, monkeypatch: pytest.MonkeyPatch) -> None:
    """Straight from the host itself, whatever proxy is set."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    reply = bot(rasa).say("me", "hi", timeout=5)
    assert (reply.status, reply.answers, reply.error) == ("acknowledged", ANSWER, None)
    assert rasa.requests == [("/webhooks/rest/webhook", {"sender": "me", "message": "hi"})]


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(400, "refused"), (404, "refused"), (503, "refused"), (500, "unknown"), (None, "unknown")],
)
def test_other_ends_are_told_apart(rasa: PlayedRasa, status: int | None, meaning: str) -> None:
    """Refused is what was surely not taken."""
    rasa.status = status
    reply = bot(rasa).say("me", "hi", timeout=5)
    assert (reply.status, reply.answers) == (meaning, [])
    assert reply.error is not None
    assert reply.error.endswith(".")


def test_answer_that_is_not_json_is_unknown(rasa: PlayedRasa) -> None:
    """Something else listens there, or Rasa broke."""
    rasa.body = "<html>"
    assert bot(rasa).say("me", "hi", timeout=5).status == "unknown"


def test_nobody_listening_is_refused() -> None:
    """Nothing was sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert Bot(url, "").say("me", "hi", timeout=5).status == "refused"


def test_silence_is_unknown() -> None:
    """The turn may have been taken."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert Bot(url, "").say("me", "hi", timeout=0.05).status == "unknown"


def test_tracker_is_asked_for_with_token_and_all_events(rasa: PlayedRasa) -> None:
    """Any sender's name is a part of the path."""
    rasa.body = '{"sender_id": "a/b ä"}'
    assert bot(rasa).tracker("a/b ä", timeout=5) == {"sender_id": "a/b ä"}
    path = "/conversations/a%2Fb%20%C3%A4/tracker?include_events=ALL&token=the%20token"
    assert rasa.requests == [(path, None)]


@pytest.mark.parametrize(("status", "told"), [(401, "refuses the token"), (409, "no model"), (500, "does not answer")])
def test_tracker_that_is_not_given_is_one_sentence(rasa: PlayedRasa, status: int, told: str) -> None:
    """Without the token in it."""
    rasa.status = status
    with pytest.raises(SteadfastError, match=told) as raised:
        bot(rasa).tracker("me", timeout=5)
    assert "the token" not in str(raised.value).replace("refuses the token", "")


def test_waiting_ends_when_model_and_actions_are_there(rasa: PlayedRasa) -> None:
    """A bot without its action server answers nothing."""
    rasa.body = json.dumps(READY)
    found = bot(rasa).wait(5, f"{rasa.url}/webhook")
    assert {name: found[name] for name in READY} == READY
    assert [path.split("?")[0] for path, _ in rasa.requests] == ["/version", "/status", "/health"]


def test_waiting_is_bounded(rasa: PlayedRasa) -> None:
    """And says what was missing."""
    rasa.body = json.dumps({**READY, "model_id": None})
    with pytest.raises(SteadfastError, match=r"Not ready after 0 s\. .* no model is loaded\."):
        bot(rasa).wait(0)


def test_waiting_ends_at_once_for_a_wrong_token(rasa: PlayedRasa) -> None:
    """It will not become right."""
    rasa.status = 401
    with pytest.raises(SteadfastError, match="refuses the token"):
        bot(rasa).wait(60)
