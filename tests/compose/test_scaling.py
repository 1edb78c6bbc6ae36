"""Three Rasas behind the balancer: a turn is kept, whichever of them answers it and whichever is killed."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import tenacity

from tests.compose.conftest import running
from tests.compose.project import Project

SENDERS = [f"sender-{number}" for number in range(6)]
RASAS = 3
TURNS = 25
KILL_SECONDS = 12
# A killed Rasa may take its turn along: the same message is sent again, with the same id.
PATIENCE_SECONDS = 180


@pytest.fixture(scope="module")
def scaled(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Run three Rasas."""
    with running(tmp_path_factory.mktemp("scaled"), "redis", compose_rasa_count=RASAS) as project:
        yield project


@tenacity.retry(
    stop=tenacity.stop_after_delay(PATIENCE_SECONDS),
    wait=tenacity.wait_fixed(0.5),
    retry=tenacity.retry_if_exception_type(requests.RequestException),
    reraise=True,
)
def say(project: Project, sender: str, text: str) -> requests.Response:
    """Send a message until it is acknowledged, as a client does that knows of ids."""
    url = f"http://127.0.0.1:{project.kit.settings['rasa_port']}/webhooks/rest/webhook"
    message = {"sender": sender, "message": text, "message_id": f"{sender} {text}"}
    answer = requests.post(url, json=message, timeout=60)
    answer.raise_for_status()
    return answer


def answered_by(project: Project, sender: str, number: int) -> str:
    """Send a message; return the name of the Rasa that the balancer gave it to."""
    return say(project, sender, f"remember word-{number}").headers["Steadfast-Server"]


def processes(project: Project) -> list[int]:
    """Give the main process of each Rasa; 0 of one that does not run."""
    return [
        container["State"]["Pid"]
        for container in project.containers()
        if container["Config"]["Labels"]["com.docker.compose.service"] == "rasa"
    ]


def kill_again_and_again(project: Project, over: threading.Event) -> int:
    """Kill one of them after the other, which Docker starts again; return how often."""
    kills = 0
    while not over.wait(KILL_SECONDS):
        process = processes(project)[kills % RASAS]
        if process:
            os.kill(process, signal.SIGKILL)
            kills += 1
    return kills


def test_a_conversation_stays_on_one_server(scaled: Project) -> None:
    """Each Rasa answers some of many conversations; one that goes on is always answered by the same."""
    asked = {
        sender: [answered_by(scaled, sender, turn) for turn in range(3)] for sender in map("stays-{}".format, range(12))
    }
    assert all(len(set(servers)) == 1 for servers in asked.values())
    assert len({servers[0] for servers in asked.values()}) > 1


def test_no_turn_is_lost_while_one_after_the_other_is_killed(scaled: Project) -> None:
    """Each acknowledged message is stored once, in order, and what the bot remembers is all of them."""
    texts = {sender: [f"remember {sender}-{number}" for number in range(TURNS)] for sender in SENDERS}

    def talk(sender: str) -> None:
        for text in texts[sender]:
            say(scaled, sender, text)
            time.sleep(1)

    over = threading.Event()
    with ThreadPoolExecutor(len(SENDERS) + 1) as pool:
        killer = pool.submit(kill_again_and_again, scaled, over)
        talks = [pool.submit(talk, sender) for sender in SENDERS]
        try:
            for each in talks:
                each.result()
        finally:
            over.set()
    assert killer.result() >= 2
    for sender in SENDERS:
        stored = json.loads(scaled.steadfast("read", "--", sender))
        assert [event["text"] for event in stored["events"] if event["event"] == "user"] == texts[sender]
