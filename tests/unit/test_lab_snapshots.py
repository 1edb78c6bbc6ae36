"""Images of prepared hosts: when one is made, and which ones stay, without Docker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import pytest

from tests import prepared
from tests.kit import REPOSITORY
from tests.lab import snapshots


class FakeImages:
    """The images of an Engine, by their tags."""

    def __init__(self) -> None:
        """Have none, and none in use."""
        self.tags: set[str] = set()
        self.in_use: set[str] = set()

    def list(self, repository: str) -> list[Any]:
        """Return the images of a repository."""
        return [SimpleNamespace(tags=[tag]) for tag in self.tags if tag.startswith(f"{repository}:")]

    def remove(self, tag: str) -> None:
        """Remove one, unless a host runs on it."""
        if tag in self.in_use:
            raise docker.errors.APIError("conflict")
        self.tags.remove(tag)


Make = Callable[[str], str]


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeImages:
    """Keep images in a fake Engine, where making one is no more than its tag."""
    images = FakeImages()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(snapshots, "ensure_engine", lambda: SimpleNamespace(images=images))
    monkeypatch.setattr(snapshots, "has_image", lambda _client, tag: tag in images.tags)
    monkeypatch.setattr(snapshots, "image", lambda system: f"steadfast-lab/{system}:bare")
    return images


@pytest.fixture
def make(images: FakeImages, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Take a snapshot by its recipe; preparing a host is told by the host's reference."""
    monkeypatch.setattr(snapshots, "_make", lambda _system, _name, reference, *_rest: images.tags.add(reference))
    return lambda recipe: snapshots.snapshot("debian-12", "rasa", recipe, lambda _host: None)


def test_made_once(images: FakeImages, make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """The same recipe is the same image."""
    assert make("one") == make("one")
    assert images.tags == {make("one")}
    assert capsys.readouterr().err.count("preparing rasa") == 1


def test_takes_the_place_of_the_one_before(images: FakeImages, make: Make) -> None:
    """Of the same system and name; other images stay."""
    images.tags |= {"steadfast-lab/debian-12:bare", "steadfast-lab/debian-11-rasa:other"}
    first = make("one")
    second = make("another")
    assert first != second
    assert images.tags == {"steadfast-lab/debian-12:bare", "steadfast-lab/debian-11-rasa:other", second}


def test_stays_while_a_host_runs_on_it(images: FakeImages, make: Make) -> None:
    """It is removed when the next one is made."""
    first = make("one")
    images.in_use.add(first)
    second = make("another")
    assert images.tags == {first, second}
    images.in_use.clear()
    assert images.tags - {make("a third")} == set()


def test_another_base_is_another_image(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bare image is part of the recipe."""
    first = make("one")
    monkeypatch.setattr(snapshots, "image", lambda system: f"steadfast-lab/{system}:newer")
    assert make("one") != first


def test_recipe_of_rasas_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It changes with the role, the packages and the archive of Python, and with nothing else."""
    monkeypatch.setattr(prepared, "REPOSITORY", tmp_path)
    monkeypatch.setattr(prepared, "SOURCES", ("role", "packages.txt"))
    (tmp_path / "role").mkdir()
    (tmp_path / "role" / "tasks.yml").write_text("- name: one\n")
    (tmp_path / "packages.txt").write_text("rasa==3.6.21\n")
    archive = tmp_path / "python.tar.gz"
    archive.write_bytes(b"3.9")
    settings = {"rasa_python_archive": str(archive)}

    found = [prepared.recipe(settings), prepared.recipe({})]
    (tmp_path / "README.md").write_text("Not part of it.\n")
    assert prepared.recipe(settings) == found[0]
    (tmp_path / "role" / "tasks.yml").write_text("- name: two\n")
    found.append(prepared.recipe(settings))
    (tmp_path / "packages.txt").write_text("rasa==3.6.20\n")
    found.append(prepared.recipe(settings))
    archive.write_bytes(b"3.10")
    found.append(prepared.recipe(settings))
    assert len(set(found)) == len(found)


def test_sources_are_there() -> None:
    """Each has at least one file."""
    for source in prepared.SOURCES:
        root = REPOSITORY / source
        assert root.is_file() or any(path.is_file() for path in root.rglob("*")), source
