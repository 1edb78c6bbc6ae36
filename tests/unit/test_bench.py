"""The benchmark of the stores: histories, what measurements come to, and promises that are missed. No timing here."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, Optional
from xml.etree import ElementTree

import pytest
from rich.console import Console

from tests.benchmark.figures import NO_PAUSE, ONE_SESSION, SESSIONS, Figures, Point, promises, summarise
from tests.benchmark.history import SHAPES, Recorded
from tests.benchmark.load import Load
from tests.benchmark.plot import Axis, plot
from tests.benchmark.round_trips import CountingProxy
from tests.benchmark.tables import costs, rates, trips, verdicts
from tests.stores import known, names

CHEAPER: dict[str, float] = {NO_PAUSE: 250, ONE_SESSION: 200}
SIZES = (10, 40, 100, 200, 400, 1000)
Costs = Optional[Dict[str, float]]
SVG = "{http://www.w3.org/2000/svg}"


def event(kind: str, text: str = "") -> dict[str, object]:
    """Make an event as it was recorded."""
    return {"event": kind, "text": text, "timestamp": 1.0}


RECORDED = Recorded.of(
    [event("action"), event("session_started"), event("user", "a"), event("bot"), event("user", "b"), event("slot")]
)


def good() -> Figures:
    """Make figures that meet every promise for Redis with nothing to spare."""
    points = [
        Point(shape, turns, {"rasa": turns / 1.6, "steadfast": 1.0}, {"rasa": turns / 3, "steadfast": 1.0})
        for shape in (SESSIONS, NO_PAUSE)
        for turns in SIZES
    ]
    points += [
        Point("one session", turns, {"rasa": turns / 2.0, "steadfast": 1.0}, {"rasa": 1.0, "steadfast": turns / 20})
        for turns in SIZES
    ]
    load = {"memory": 50.0, "rasa": 30.0, "steadfast": 50.0}
    round_trips = {"rasa": {"without": 3.0}, "steadfast": {"without": 2.0, "with": 3.0}}
    return Figures("redis", points, {"rasa": 2.0, "steadfast": 2.0}, load, round_trips)


def changed(shape: str, turns: int, *, known: Costs = None, cold: Costs = None) -> Callable[[Figures], Figures]:
    """Return what changes one point."""

    def change(figures: Figures) -> Figures:
        return replace(
            figures,
            points=[
                replace(point, known=known or point.known, cold=cold or point.cold)
                if (point.shape, point.turns) == (shape, turns)
                else point
                for point in figures.points
            ],
        )

    return change


def test_recorded_conversation_is_taken_apart_at_the_messages() -> None:
    """What comes before the first message begins a session."""
    assert [each["event"] for each in RECORDED.beginning] == ["action", "session_started"]
    assert [[each["event"] for each in turn] for turn in RECORDED.turns] == [["user", "bot"], ["user", "slot"]]


def test_recorded_conversation_without_a_message_is_refused() -> None:
    """It would make histories of nothing."""
    with pytest.raises(ValueError, match="no message"):
        Recorded.of([event("action")])


@pytest.mark.parametrize(("name", "sessions", "pauses"), [(ONE_SESSION, 1, 0), (SESSIONS, 3, 2), (NO_PAUSE, 3, 0)])
def test_history_has_its_turns_and_sessions(name: str, sessions: int, pauses: int) -> None:
    """Every event has a later time than the one before; a session begins after an hour and more, or at once."""
    turns = [RECORDED.turn(number, SHAPES[name]) for number in range(30)]
    events = [each for turn in turns for each in turn]
    assert [each["text"] for each in events if each["event"] == "user"] == ["a", "b"] * 15
    assert sum(each["event"] == "session_started" for each in events) == sessions
    times = [each["timestamp"] for each in events]
    assert times == sorted(set(times))
    assert sum(later - earlier > 3600 for earlier, later in zip(times, times[1:])) == pauses


def test_history_without_pauses_is_in_one_rounded_time() -> None:
    """A time in single precision is rounded to 128 s: with pauses, Rasa's own class would not read earlier sessions."""
    times = [each["timestamp"] for number in range(400) for each in RECORDED.turn(number, SHAPES[NO_PAUSE])]
    assert len({round(time / 128) for time in times}) == 1


def test_measurements_are_summarised_by_medians_of_all_rounds() -> None:
    """Milliseconds of a turn, turns a second."""
    work = [
        {
            "histories": [
                {"shape": "one session", "turns": turns, "known": {"rasa": seconds}, "cold": {"rasa": [0.004]}}
                for turns in (40, 10)
            ],
            "new": {"rasa": seconds},
            "round_trips": {"rasa": {"without": 3.0}},
        }
        for seconds in ([0.002, 0.009], [0.001])
    ]
    load = {"memory": [{"turns": 200, "seconds": 4}, {"turns": 200, "seconds": 2}, {"turns": 200, "seconds": 1}]}
    found = summarise("redis", work, load)
    assert [point.turns for point in found.shape("one session")] == [10, 40]
    assert found.points[0].known == {"rasa": 2.0}
    assert found.points[0].cold == {"rasa": 4.0}
    assert (found.new, found.load) == ({"rasa": 2.0}, {"memory": 100.0})
    assert found.round_trips == {"rasa": {"without": 3.0}}


def test_promises_are_met_with_nothing_to_spare() -> None:
    """A figure that is exactly what is promised is enough."""
    found = promises(good(), CHEAPER)
    assert all(promise.is_met for promise in found)
    assert [promise.measured for promise in found[:2]] == [250, 200]


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        (changed(NO_PAUSE, 400, known={"rasa": 249.0, "steadfast": 1.0}), f"400 turns, {NO_PAUSE}: cheaper"),
        (changed("one session", 400, known={"rasa": 199.0, "steadfast": 1.0}), "400 turns, one session: cheaper"),
        (changed("one session", 1000, known={"rasa": 500.0, "steadfast": 1.6}), "1000 turns, one session: cost"),
        (changed("sessions of 10", 1000, known={"rasa": 9.0, "steadfast": 1.6}), "1000 turns, sessions of 10: cost"),
        (changed(NO_PAUSE, 1000, known={"rasa": 9.0, "steadfast": 1.6}), f"1000 turns, {NO_PAUSE}: cost"),
        (changed("sessions of 10", 1000, cold={"rasa": 9.0, "steadfast": 1.6}), "1000 turns, sessions of 10: cold"),
        (changed("one session", 1000, cold={"rasa": 9.0, "steadfast": 80.0}), "1000 turns, one session: cold"),
        (lambda figures: replace(figures, new={"rasa": 2.0, "steadfast": 2.1}), "new conversations"),
        (lambda figures: replace(figures, load={**figures.load, "memory": 50.1}), "whole bot under load"),
    ],
)
def test_each_promise_can_be_missed(change: Callable[[Figures], Figures], missed: str) -> None:
    """The control: a figure that is too bad misses that promise, no other, and the table says so."""
    found = promises(change(good()), CHEAPER)
    (bad,) = [promise for promise in found if not promise.is_met]
    assert bad.what.startswith(missed)
    console = Console(width=120, record=True, stderr=True)
    console.print(verdicts("redis", found))
    lines = console.export_text().splitlines()
    (line,) = [line for line in lines if "MISSED" in line]
    assert missed in line


def test_stores_are_promised_a_ratio_of_each_shape() -> None:
    """A store without one of them would miss nothing."""
    promised = [known(name)["cheaper"] for name in names() if "cheaper" in known(name)]
    assert promised
    assert all(cheaper.keys() == {ONE_SESSION, NO_PAUSE} for cheaper in promised)


def test_tables_show_both_classes() -> None:
    """Each history is a row with both classes, the first turns another."""
    console = Console(width=120, record=True, stderr=True)
    console.print(costs(good()), trips(good()), rates(good()))
    text = " ".join(console.export_text().split())
    assert "400, sessions of 10 │ 250 │ 1.00 │ 250 │ 133 │ 1.00" in text
    assert "none, first 10 turns │ 2.00 │ 2.00 │ 1.00" in text
    assert "without a message_id │ 3 │ 2" in text
    assert "with a message_id │ │ 3" in text
    assert "50.00 │ 30.00 │ 50.00" in text


def test_axis_is_logarithmic() -> None:
    """Each power of ten takes the same room."""
    axis = Axis(1, 1000, 0, 300)
    assert [(value, axis.at(value)) for value in axis.powers()] == [(1, 0), (10, 100), (100, 200), (1000, 300)]


def test_plot_has_a_panel_for_each_store() -> None:
    """Four lines with a point for each history, inside of the picture, in colours for light and dark pages."""
    root = ElementTree.fromstring(plot([good(), replace(good(), store="second"), replace(good(), store="third")]))
    width, height = (float(root.attrib[name]) for name in ("width", "height"))
    assert [title.text for title in root.iter(f"{SVG}text") if title.get("class") == "title"] == [
        f"{name}: store work of a turn, milliseconds" for name in ("redis", "second", "third")
    ]
    lines = list(root.iter(f"{SVG}polyline"))
    assert len(lines) == 3 * 4
    for line in lines:
        points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        assert len(points) == len(SIZES)
        assert all(0 < x < width and 0 < y < height for x, y in points)
    style = root.find(f"{SVG}style")
    assert style is not None
    assert "prefers-color-scheme: dark" in (style.text or "")


class PlayedBot(ThreadingHTTPServer):
    """A bot that repeats what is said to it, but for silence."""

    def __init__(self) -> None:
        """Listen on loopback."""
        super().__init__(("127.0.0.1", 0), PlayedChannel)
        self.heard: list[dict[str, str]] = []


class PlayedChannel(BaseHTTPRequestHandler):
    """The REST channel of a played bot."""

    protocol_version = "HTTP/1.1"
    server: PlayedBot

    def do_POST(self) -> None:
        """Answer."""
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append(said)
        body = json.dumps([] if said["message"] == "silence" else [{"text": said["message"]}]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def bot() -> Iterator[PlayedBot]:
    """Play a bot."""
    with PlayedBot() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def plan(bot: PlayedBot, *messages: str) -> dict[str, Any]:
    """Plan a load of three users."""
    return {"run": "r", "port": bot.server_port, "users": 3, "messages": messages, "before": 2, "timed": 3}


def test_load_says_every_turn_of_every_user_in_order(bot: PlayedBot) -> None:
    """The timed turns are counted, the ones before are not."""
    found = Load(plan(bot, "a", "b")).run()
    assert found["turns"] == 9
    assert found["seconds"] > 0
    for user in range(3):
        said = [each["message"] for each in bot.heard if each["sender"] == f"r-{user}"]
        assert said == ["a", "b", "a", "b", "a"]


def test_load_fails_when_the_bot_says_nothing(bot: PlayedBot) -> None:
    """A bot that answers nothing would be quick."""
    with pytest.raises(RuntimeError, match="answered with 200: b'\\[\\]'"):
        Load(plan(bot, "silence")).run()


def test_round_trips_are_counted_whatever_the_server_does() -> None:
    """A server that speaks first, a request that is answered, one in pieces, and one on another connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = CountingProxy("127.0.0.1", server.getsockname()[1])
        for expected in (2, 4):
            with socket.create_connection(("127.0.0.1", proxy.port)) as client:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"hello")
                    assert client.recv(5) == b"hello"
                    for request in ((b"whole",), (b"in ", b"pieces")):
                        for piece in request:
                            client.sendall(piece)
                            assert connection.recv(len(piece), socket.MSG_WAITALL) == piece
                        connection.sendall(b"done")
                        assert client.recv(4) == b"done"
            assert proxy.count == expected
