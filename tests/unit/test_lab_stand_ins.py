"""Stand-ins for official images, without Docker: which there are, their tags, and where none is needed."""

import json
from pathlib import Path

import pytest

from tests.lab import apt, stand_ins
from tests.lab.distributions import find, systems
from tests.lab.errors import LabError

SOURCES = [apt.Source("http://m.example/debian", "bookworm", ("main",))]
SETTINGS = apt.Settings("", {})


def test_names(tmp_path: Path) -> None:
    """A folder with a Dockerfile is one; nothing else lists them."""
    for name in ("redis", "haproxy", "notes"):
        (tmp_path / name).mkdir()
    for name in ("redis", "haproxy"):
        (tmp_path / name / "Dockerfile").touch()
    (tmp_path / "install.sh").touch()
    assert stand_ins.stand_in_names(tmp_path) == ["haproxy", "redis"]


@pytest.mark.parametrize("name", stand_ins.stand_in_names())
def test_recipe(name: str) -> None:
    """Each stands on a system of the lab, and copies what is there."""
    folder = Path(stand_ins.__file__).with_name("stand_ins") / name
    dockerfile = (folder / "Dockerfile").read_text()
    assert stand_ins.base_system(dockerfile) in systems()
    copied = {word for line in dockerfile.splitlines() if line.startswith("COPY ") for word in line.split()[1:-1]}
    there = {path.name for path in (*folder.iterdir(), *folder.parent.iterdir())}
    assert copied <= there | {"sources.list", "machine.conf", "python.tar.gz"}


def test_recipe_without_base() -> None:
    """A Dockerfile that names no system is refused."""
    with pytest.raises(LabError, match="a line like 'ARG BASE=debian-12'"):
        stand_ins.base_system("FROM scratch\n")


def test_tag_changes_with_content() -> None:
    """It changes with what is in the image, and with nothing else."""
    system = find("debian-12")
    files = {"Dockerfile": b"ARG BASE=debian-12\n", "run.sh": b"1"}
    first = stand_ins.recipe_hash(system, SOURCES, SETTINGS, files)
    reordered = dict(reversed(files.items()))
    assert first == stand_ins.recipe_hash(system, list(SOURCES), apt.Settings("", {"http": "unused"}), reordered)
    others = {
        stand_ins.recipe_hash(find("debian-sid"), SOURCES, SETTINGS, files),
        stand_ins.recipe_hash(system, [], SETTINGS, files),
        stand_ins.recipe_hash(system, SOURCES, apt.Settings('Acquire::ForceIPv4 "true";\n', {}), files),
        stand_ins.recipe_hash(system, SOURCES, SETTINGS, {**files, "run.sh": b"2"}),
        stand_ins.recipe_hash(system, SOURCES, SETTINGS, {**files, "more.sh": b""}),
    }
    assert len(others | {first}) == 6


@pytest.mark.parametrize(
    ("has", "made"),
    [
        pytest.param(set(), {"redis", "haproxy"}, id="none"),
        pytest.param({"hello-world", "redis"}, {"haproxy"}, id="some"),
        pytest.param({"hello-world", "redis", "haproxy"}, set(), id="all"),
    ],
)
def test_registry(monkeypatch: pytest.MonkeyPatch, has: set[str], made: set[str]) -> None:
    """What a registry has needs no stand-in; one that does not answer is asked once only."""
    asked = []

    def registry_problem(reference: str) -> str | None:
        asked.append(reference)
        return None if reference in has else "no such host"

    monkeypatch.setattr(stand_ins, "registry_problem", registry_problem)
    monkeypatch.setattr(stand_ins, "stand_in", lambda name: f"stand-in/{name}")
    found = stand_ins.build_stand_ins(["redis", "haproxy"])
    assert found == {name: f"stand-in/{name}" for name in made}
    assert has or set(asked) == {"hello-world"}


def test_registry_has_it_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the owner's, where it is not of the registry's own library."""
    has = {"hello-world", "redis/redisinsight"}
    monkeypatch.setattr(stand_ins, "registry_problem", lambda name: None if name in has else "no such image")
    assert stand_ins.build_stand_ins(["redisinsight"]) == {}


def test_unknown_name() -> None:
    """The error lists the known ones, before anything is built."""
    with pytest.raises(LabError, match=r"'oracle' has a stand-in; known: .*redis"):
        stand_ins.build_stand_ins(["oracle"])


def test_references(tmp_path: Path) -> None:
    """What was not asked for stays; what needs none any more goes."""
    path = tmp_path / ".steadfast/compose-images.json"
    stand_ins.write_references({"redis": "r:1", "haproxy": "h:1"}, ["redis", "haproxy"], path)
    stand_ins.write_references({"adminer": "a:1"}, ["adminer", "haproxy"], path)
    assert json.loads(path.read_text()) == {"adminer": "a:1", "redis": "r:1"}
