"""Three Rasas behind the balancer: a turn is kept, whichever of them answers it and whichever is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import tenacity

from tests.compose.project import OVERRIDE, Project, running
from tests.kit import REPOSITORY

SENDERS = [f"sender-{number}" for number in range(6)]
RASAS = 3
BROKEN = "broken.yml"
KILL_SECONDS = 12
KILLS = 3
# The balancer asks for addresses every second, and what it finds every two.
SEEN_SECONDS = 5
# It waits two seconds for each answer to that question, and passes over one that was silent twice.
SILENT_SECONDS = 12
# A killed Rasa may take its turn along: the same message is sent again, with the same id.
PATIENCE_SECONDS = 180


@pytest.fixture(scope="module", params=["redis", "postgresql"])
def scaled(request: pytest.FixtureRequest, images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Run three Rasas; with Redis they need no job that makes tables, with PostgreSQL they do."""
    with running(tmp_path_factory.mktemp("scaled"), request.param, compose_rasa_count=RASAS) as project:
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


def containers(project: Project, *filters: str) -> list[str]:
    """Give the ids of the Rasas that run."""
    labels = (f"label=com.docker.compose.project={project.name}", "label=com.docker.compose.service=rasa")
    return project.docker("ps", "--quiet", *(f"--filter={each}" for each in (*labels, *filters))).split()


def texts(project: Project, sender: str) -> list[str]:
    """Read what a user has said, straight from the store."""
    stored = json.loads(project.steadfast("read", "--", sender))
    return [event["text"] for event in stored["events"] if event["event"] == "user"]


def users(name: str) -> dict[str, list[str]]:
    """Name users who have said nothing yet."""
    return {f"{sender}-{name}": [] for sender in SENDERS}


@contextmanager
def talking(project: Project, said: dict[str, list[str]]) -> Iterator[None]:
    """Have users talk meanwhile and once after; then all that each has ever said is stored once, in order."""
    over = threading.Event()
    before = {sender: len(texts) for sender, texts in said.items()}

    def talk(sender: str) -> None:
        last = False
        while not last:
            last = over.wait(1)
            text = f"remember {sender}-{len(said[sender])}"
            say(project, sender, text)
            said[sender].append(text)

    with ThreadPoolExecutor(len(said)) as pool:
        talks = [pool.submit(talk, sender) for sender in said]
        try:
            yield
        finally:
            over.set()
        for each in talks:
            each.result()
    for sender, expected in said.items():
        assert texts(project, sender) == expected
        assert len(expected) > before[sender] + 1


def test_a_conversation_stays_on_one_server(scaled: Project) -> None:
    """Each Rasa answers some of many conversations; one that goes on is always answered by the same."""
    asked = {
        sender: [answered_by(scaled, sender, turn) for turn in range(3)] for sender in map("stays-{}".format, range(12))
    }
    assert all(len(set(servers)) == 1 for servers in asked.values())
    assert len({servers[0] for servers in asked.values()}) > 1


def test_a_kill_of_the_tests_leaves_nothing(scaled: Project) -> None:
    """All that Compose has made is marked as this run's, for the lab to remove."""
    names = ("_default", "_locks", f"_{scaled.kit.settings['tracker_store']}", "-balancer-1", "-locks-1")
    assert {f"{scaled.name}{name}" for name in names} <= scaled.made()
    assert scaled.left_by_a_kill() == set()


def test_one_that_does_not_answer_is_passed_over(scaled: Project) -> None:
    """Its conversations go to others meanwhile, though it takes connections; none of its turns is lost."""
    senders = [f"passed-{number}" for number in range(12)]
    first = {sender: answered_by(scaled, sender, 0) for sender in senders}
    paused = containers(scaled)[0]
    scaled.docker("pause", paused)
    try:
        time.sleep(SILENT_SECONDS)
        others = {sender: answered_by(scaled, sender, 1) for sender in senders}
    finally:
        scaled.docker("unpause", paused)
    assert len(set(first.values())) == RASAS
    assert len(set(others.values())) == RASAS - 1
    for sender in senders:
        assert texts(scaled, sender) == ["remember word-0", "remember word-1"]
    # It is one of them again before the next is broken.
    scaled.compose("up", "--detach", "--wait")


def test_no_turn_is_lost_while_one_is_killed_again_and_again(scaled: Project) -> None:
    """Docker starts it again."""
    (killed, *_) = containers(scaled)
    with talking(scaled, users("killed")):
        for _ in range(KILLS):
            time.sleep(KILL_SECONDS)
            process = int(scaled.docker("inspect", "--format={{.State.Pid}}", killed))
            assert process
            os.kill(process, signal.SIGKILL)


def test_no_turn_is_lost_while_the_image_is_replaced(scaled: Project, tmp_path: Path) -> None:
    """One container after the other: at any moment two of the three are healthy."""
    project = tmp_path / "project"
    shutil.copytree(REPOSITORY / "rasa_project", project)
    (project / "NOTES").write_text("Another image.\n")
    # Those that were killed have come back.
    scaled.compose("up", "--detach", "--wait")
    before = set(containers(scaled))
    healthy: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            healthy.append(len(containers(scaled, "health=healthy")))

    watching = threading.Thread(target=watch)
    with talking(scaled, users("replaced")):
        watching.start()
        try:
            replaced = scaled.up(rasa_project=str(project)).succeeded()
        finally:
            over.set()
            watching.join()
    assert replaced.changed != {"localhost": 0}
    assert len(before) == RASAS
    assert not before & set(containers(scaled))
    assert min(healthy) == RASAS - 1
    # What has been replaced is as it should be.
    after = set(containers(scaled))
    assert scaled.up(rasa_project=str(project)).succeeded().changed == {"localhost": 0}
    assert set(containers(scaled)) == after


def test_one_more_by_hand_takes_conversations_and_goes_again(scaled: Project) -> None:
    """Some that another one had, too; no turn of theirs is lost."""
    senders = [f"moves-{number}" for number in range(24)]
    known = {answered_by(scaled, sender, 0) for sender in senders}
    assert len(known) == RASAS
    scaled.compose("up", "--detach", "--wait", "--scale", f"rasa={RASAS + 1}")
    time.sleep(SEEN_SECONDS)
    moved = [sender for sender in senders if answered_by(scaled, sender, 1) not in known]
    assert moved
    with talking(scaled, {sender: ["remember word-0", "remember word-1"] for sender in moved[: len(SENDERS)]}):
        scaled.compose("up", "--detach", "--wait", "--scale", f"rasa={RASAS}")
        time.sleep(SEEN_SECONDS)
    assert len(containers(scaled)) == RASAS


def test_new_one_that_does_not_become_healthy_ends_the_replacement(scaled: Project) -> None:
    """The others stay as they are; the next `make compose-up` replaces it first, and then them."""
    # With what the last test has left.
    scaled.up().succeeded()
    before = set(containers(scaled))
    broken = {"command": ["sleep", "600"], "healthcheck": {"interval": "1s", "start_period": "1s", "retries": 2}}
    (scaled.folder / BROKEN).write_text(json.dumps({"services": {"rasa": broken}}))
    scaled.up(compose_overrides=[OVERRIDE, BROKEN]).failed_with(f"container {scaled.name}-rasa-", "is unhealthy")
    kept = before & set(containers(scaled))
    assert len(kept) == RASAS - 1
    with talking(scaled, users("mended")):
        scaled.up(compose_rasa_memory="2500m").succeeded()
    assert len(containers(scaled, "health=healthy")) == RASAS
    assert not kept & set(containers(scaled))
