"""The profile `tools`: a web view of the store, for people, on loopback and behind a password."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.compose.project import Project, free_port, running

# Of the document that the kit began with.
GUESSED = "777777"


@pytest.fixture(scope="module")
def project(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Run the bot with PostgreSQL."""
    port = free_port()
    with running(tmp_path_factory.mktemp("tools"), "postgresql", compose_tools_port=port) as project:
        yield project


def services(project: Project) -> set[str]:
    """Name the services that run."""
    return set(project.compose("ps", "--services").split())


def test_view_is_there_when_it_is_asked_for(project: Project) -> None:
    """And behind a password of its own; then the store's login shows the conversations."""
    project.steadfast("talk", "--", "somebody-seen", "Find me some good venues")
    assert not {"adminer", "tools"} & services(project)
    project.compose("--profile", "tools", "up", "--detach", "--wait")
    assert {"adminer", "tools"} <= services(project)
    url = f"http://127.0.0.1:{project.kit.settings['compose_tools_port']}/"
    assert requests.get(url, timeout=30).status_code == requests.codes.unauthorized
    assert requests.get(url, auth=("steadfast", GUESSED), timeout=30).status_code == requests.codes.unauthorized
    secrets = project.kit.secrets()
    with requests.Session() as browser:
        browser.auth = ("steadfast", secrets["compose_tools_password"])
        assert 'value="postgresql"' in browser.get(url, timeout=30).text
        login = {
            "driver": "pgsql",
            "server": "postgresql",
            "username": "rasa",
            "password": secrets["postgresql_password"],
            "db": "rasa",
        }
        browser.post(url, data={f"auth[{name}]": value for name, value in login.items()}, timeout=30)
        found = browser.get(
            url,
            params={"pgsql": "postgresql", "username": "rasa", "db": "rasa", "ns": "public", "select": "events"},
            timeout=30,
        )
    assert "somebody-seen" in found.text


def test_view_is_reached_by_loopback_only(project: Project) -> None:
    """And Adminer itself by nobody but the door."""
    published = {
        container["Config"]["Labels"]["com.docker.compose.service"]: {
            binding["HostIp"] for bindings in container["HostConfig"]["PortBindings"].values() for binding in bindings
        }
        for container in project.containers()
    }
    assert published["tools"] == {"127.0.0.1"}
    assert published["adminer"] == set()


def test_an_ordinary_run_leaves_it_alone(project: Project) -> None:
    """It was somebody's wish."""
    assert project.up().succeeded().changed == {"localhost": 0}
    assert {"adminer", "tools"} <= services(project)
