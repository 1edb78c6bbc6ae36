"""`make compose-down`: the conversations stay, and go with DATA=yes only; then all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.compose.project import Project, running
from tests.kit import REPOSITORY, Run, run


@pytest.fixture(scope="module")
def project(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Run the bot with Redis, then with SQLite instead."""
    folder = tmp_path_factory.mktemp("down")
    with running(folder, "redis") as project:
        project.up(tracker_store="sqlite").succeeded()
        (folder / "scripts").mkdir()
        shutil.copy(REPOSITORY / "scripts" / "compose_down.sh", folder / "scripts")
        shutil.copy(REPOSITORY / "Makefile", folder)
        yield project


def down(project: Project, *arguments: str) -> Run:
    """Do what a user does, where the environment is for another project."""
    command = ("make", "--no-print-directory", "-C", str(project.folder.parent), "compose-down", *arguments)
    return run(*command, environment={"COMPOSE_PROJECT_NAME": "another"})


def volumes(project: Project) -> set[str]:
    """Name the volumes."""
    return {name.removeprefix(f"{project.name}_") for name in project.made() if name.startswith(f"{project.name}_")}


def test_conversations_stay(project: Project) -> None:
    """Of the store that runs, and of the one that was there before."""
    assert {"redis", "conversations"} <= volumes(project)
    down(project).succeeded()
    assert volumes(project) == {"redis", "conversations"}
    assert project.made() == {f"{project.name}_redis", f"{project.name}_conversations"}


def test_a_second_time_is_as_good(project: Project) -> None:
    """Nothing is there to be stopped."""
    down(project).succeeded()
    assert volumes(project) == {"redis", "conversations"}


def test_with_data_all_conversations_go(project: Project) -> None:
    """Those of the store that was there before, too."""
    down(project, "DATA=yes").succeeded()
    assert project.made() == set()


def test_where_nothing_was_run_it_says_so(project: Project) -> None:
    """That is no error."""
    (project.folder / ".env").unlink()
    assert "Nothing runs by Compose from here" in down(project).succeeded().output
