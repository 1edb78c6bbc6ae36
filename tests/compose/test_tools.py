"""The profile `tools`: a web view of the store, for people, on loopback and behind a password."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests

from tests.compose.project import Project, free_port, running, showing, shown

# Of the document that the kit began with.
GUESSED = "777777"
SENDER = "somebody-seen"


def shown_by_adminer(project: Project, url: str, browser: requests.Session) -> str:
    """Log in to the store and look at its table of events."""
    assert 'value="postgresql"' in browser.get(url, timeout=30).text
    login = {
        "driver": "pgsql",
        "server": "postgresql",
        "username": "rasa",
        "password": project.kit.secrets()["postgresql_password"],
        "db": "rasa",
    }
    browser.post(url, data={f"auth[{name}]": value for name, value in login.items()}, timeout=30)
    table = {"pgsql": "postgresql", "username": "rasa", "db": "rasa", "ns": "public", "select": "events"}
    return browser.get(url, params=table, timeout=30).text


def shown_by_redisinsight(_project: Project, url: str, browser: requests.Session) -> str:
    """Look at the keys, without another login."""
    # The program of the stand-in has none of its paths but that of its health.
    if browser.get(f"{url}api/databases", timeout=30).status_code != requests.codes.not_found:
        scan = {"cursor": "0", "count": 500, "match": "*"}
        return browser.post(f"{url}api/databases/tracker/keys?encoding=utf8", json=scan, timeout=30).text
    (connection,) = browser.get(f"{url}connections", timeout=30).json()["connections"]
    return browser.post(f"{url}apiv2/exec/{connection['conId']}", data={"cmd": "SCAN 0 COUNT 500"}, timeout=30).text


SHOWN: dict[str, Callable[[Project, str, requests.Session], str]] = {
    "postgresql": shown_by_adminer,
    "redis": shown_by_redisinsight,
}


@pytest.fixture(scope="module", params=SHOWN)
def project(
    request: pytest.FixtureRequest, images: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """Run the bot with a store."""
    port = free_port()
    with running(tmp_path_factory.mktemp("tools"), request.param, compose_tools_port=port) as project:
        yield project


def services(project: Project) -> set[str]:
    """Name the services that run."""
    return set(project.compose("ps", "--services").split())


def address(project: Project) -> str:
    """Give the address of the door."""
    return f"http://127.0.0.1:{project.kit.settings['compose_tools_port']}/"


def status(project: Project, login: tuple[str, str] | None) -> int:
    """Ask the door; return the status of its answer."""
    return requests.get(address(project), auth=login, timeout=30).status_code


def test_view_is_there_when_it_is_asked_for(project: Project) -> None:
    """And behind a password of its own; then it shows the conversations."""
    store = project.kit.settings["tracker_store"]
    project.steadfast("talk", "--", SENDER, "Find me some good venues")
    assert not {"view", "tools"} & services(project)
    project.compose("--profile", "tools", "up", "--detach", "--wait")
    assert {"view", "tools"} <= services(project)
    assert status(project, None) == requests.codes.unauthorized
    assert status(project, ("steadfast", GUESSED)) == requests.codes.unauthorized
    with requests.Session() as browser:
        browser.auth = ("steadfast", project.kit.secrets()["compose_tools_password"])
        assert SENDER in SHOWN[store](project, address(project), browser)


def test_view_is_reached_by_loopback_only(project: Project) -> None:
    """And the program itself by nobody but the door."""
    published = {
        container["Config"]["Labels"]["com.docker.compose.service"]: {
            binding["HostIp"] for bindings in container["HostConfig"]["PortBindings"].values() for binding in bindings
        }
        for container in project.containers()
    }
    assert published["tools"] == {"127.0.0.1"}
    assert published["view"] == set()


def test_no_secret_shows(project: Project) -> None:
    """Neither in an image, nor in a container's settings, processes or log; test_compose.py has the control."""
    told = shown(project, "--profile", "tools")
    assert {
        name: showing(told, secret) for name, secret in project.kit.secrets().items() if showing(told, secret)
    } == {}


def test_an_ordinary_run_leaves_it_alone(project: Project) -> None:
    """It was somebody's wish."""
    assert project.up().succeeded().changed == {"localhost": 0}
    assert {"view", "tools"} <= services(project)


def test_it_follows_the_settings(project: Project) -> None:
    """As long as it runs."""
    password = project.kit.secrets()["compose_tools_password"]
    project.up(compose_tools_username="somebody").succeeded()
    assert status(project, ("steadfast", password)) == requests.codes.unauthorized
    assert status(project, ("somebody", password)) == requests.codes.ok


def test_a_kill_of_the_tests_leaves_nothing(project: Project) -> None:
    """Not even the view, which they started by hand."""
    assert {f"{project.name}-view-1", f"{project.name}-tools-1"} <= project.made()
    assert project.left_by_a_kill() == set()
