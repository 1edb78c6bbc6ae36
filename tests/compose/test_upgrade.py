"""A newer image, or another setting, on the data of an older run: the volume is kept, and so are the conversations."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests import lab
from tests.compose.project import Project, running

NAME = "redis:stable"
# Of Debian 12 and 13.
OLDER, NEWER = "v=7.0", "v=8.0"


class Upgraded(NamedTuple):
    """A project, and the registry that its server's image is from."""

    project: Project
    registry: lab.Registry


@pytest.fixture(scope="module")
def upgraded(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """Run the bot with a Redis of a registry, and talk."""
    with lab.registry() as registry:
        chosen = {"redis": registry.push(lab.stand_in("redis"), NAME)}
        with running(tmp_path_factory.mktemp("upgraded"), "redis", compose_images=chosen) as project:
            assert OLDER in version(project)
            say(project, "Find me some good venues")
            yield Upgraded(project, registry)


def version(project: Project) -> str:
    """Ask the server's program which it is."""
    return project.compose("exec", "-T", "redis", "redis-server", "--version")


def server(project: Project) -> dict[str, Any]:
    """Give what Docker knows of the server's container."""
    services = {
        container["Config"]["Labels"]["com.docker.compose.service"]: container for container in project.containers()
    }
    return services["redis"]


def volumes(project: Project) -> str:
    """Give the project's volumes, and when each was made."""
    names = project.docker("volume", "ls", "--quiet", f"--filter=label=com.docker.compose.project={project.name}")
    return project.docker("volume", "inspect", "--format={{.Name}} {{.CreatedAt}}", *names.split())


def say(project: Project, text: str) -> None:
    """Say something that is acknowledged."""
    project.steadfast("talk", "--", "me", text)


def said(project: Project) -> str:
    """Read the conversation straight from the store."""
    return project.steadfast("read", "--", "me")


def rebuilt(image: str) -> str:
    """Build an image on this one, as for a mended library; return its id."""
    recipe = io.BytesIO(f"FROM {image}\nLABEL rebuilt=yes\n".encode())
    return str(lab.ensure_engine().images.build(fileobj=recipe, rm=True)[0].id)


def test_pull_and_up_run_a_newer_server_on_the_same_data(upgraded: Upgraded) -> None:
    """By hand, in the folder; the bot's own image is not pulled."""
    project, registry = upgraded
    older, kept = server(project), volumes(project)
    registry.push(lab.stand_in("redis", "debian-13"), NAME)
    project.compose("pull")
    project.compose("up", "--detach", "--wait")
    assert server(project)["Image"] != older["Image"]
    assert NEWER in version(project)
    assert volumes(project) == kept
    assert "Find me some good venues" in said(project)
    say(project, "remember newer")
    assert "remember newer" in said(project)


def test_pull_of_nothing_newer_changes_nothing(upgraded: Upgraded) -> None:
    """The control: what runs is replaced for a newer image only."""
    before = server(upgraded.project)
    upgraded.project.compose("pull")
    upgraded.project.compose("up", "--detach", "--wait")
    assert upgraded.project.up().succeeded().changed == {"localhost": 0}
    assert server(upgraded.project)["Id"] == before["Id"]


def test_compose_up_runs_what_was_pulled(upgraded: Upgraded) -> None:
    """A second time it has nothing to do."""
    project, registry = upgraded
    kept = volumes(project)
    registry.push(rebuilt(server(project)["Image"]), NAME)
    project.compose("pull")
    assert project.up().succeeded().changed != {"localhost": 0}
    assert server(project)["Config"]["Labels"]["rebuilt"] == "yes"
    assert volumes(project) == kept
    assert "Find me some good venues" in said(project)
    say(project, "remember rebuilt")
    assert "remember rebuilt" in said(project)
    assert project.up().succeeded().changed == {"localhost": 0}


def test_another_setting_keeps_the_data(upgraded: Upgraded) -> None:
    """After a `make compose-down`, too."""
    project, kept = upgraded.project, volumes(upgraded.project)
    project.compose("down")
    project.up(redis_appendfsync="everysec", compose_server_memory="1g").succeeded()
    assert server(project)["HostConfig"]["Memory"] == 1 << 30
    assert volumes(project) == kept
    assert "Find me some good venues" in said(project)
    say(project, "remember everysec")
    assert "remember everysec" in said(project)


def test_data_that_was_not_kept_is_found_out(upgraded: Upgraded) -> None:
    """The control: a new volume is another one, and has no conversation."""
    project, kept = upgraded.project, volumes(upgraded.project)
    project.compose("rm", "--stop", "--force", "redis")
    project.docker("volume", "rm", f"{project.name}_redis")
    project.compose("up", "--detach", "--wait", "redis")
    assert volumes(project) != kept
    with pytest.raises(AssertionError, match="No conversation of 'me' is stored"):
        said(project)
