"""Images for Compose where no registry can be reached: made of packages, configured like the official images.

Each is a folder of ``stand_ins`` with the name of the official image: a Dockerfile, which names the system that it is
made on as ``ARG BASE``, and what it copies.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.lab import apt
from tests.lab.bases import base_image, has_image, registry_problem
from tests.lab.distributions import System, find
from tests.lab.engine import ensure_engine
from tests.lab.errors import LabError
from tests.lab.images import apt_files, build_image, machine
from tests.lab.python_archive import python_archive
from tests.lab.runs import IMAGE, cache_dir, lock, progress
from tests.lab.stand_in_packages import packages_archive

_FOLDER = Path(__file__).with_name("stand_ins")
_BASE = re.compile(r"^ARG BASE=(\S+)$", re.MULTILINE)
# Asked for first: the registry of the official images has it.
_ANY = "hello-world"
# Those that are not in the registry's own library.
_OWNERS = {"redisinsight": "redis/redisinsight"}
# Copied by a Dockerfile that needs a Python for Rasa.
_PYTHON = "python.tar.gz"
# Copied by one that needs packages of PyPI or npm.
_PACKAGES = "packages.tar.gz"


def stand_in_names(folder: Path = _FOLDER) -> list[str]:
    """Return the names of the official images that have a stand-in."""
    return sorted(path.parent.name for path in folder.glob("*/Dockerfile"))


def official(name: str) -> str:
    """Return the name that the registry has an official image by, without a tag."""
    return _OWNERS.get(name, name)


def build_stand_ins(names: Iterable[str] | None = None) -> dict[str, str]:
    """Make the missing stand-ins of these images, or of all, and return their references by name.

    An image that a registry has needs none, and is left out. Raises LabError for a name that has no stand-in, and for
    one that fails to build.
    """
    made = {}
    for name in stand_in_names() if names is None else names:
        _require_known(name)
        # Where the first has no answer, each of the others would take its time not to have one.
        if registry_problem(_ANY) is None and registry_problem(official(name)) is None:
            progress(f"{name}: a registry has the official image, which needs no stand-in")
        else:
            made[name] = stand_in(name)
    return made


def stand_in(name: str, on: str | None = None) -> str:
    """Return the reference of the stand-in for an official image, which is made if it is missing.

    ``on`` is another system than that of its Dockerfile, whose packages are of other versions.

    A minute the first time, milliseconds from then on, until its recipe changes. Raises LabError if that fails.
    """
    _require_known(name)
    files = _files(_FOLDER / name)
    system = find(on or base_system(files["Dockerfile"].decode()))
    tag = f"steadfast-stand-in/{name}:{recipe_hash(system, *machine(system), files)}"
    client = ensure_engine()
    # Another run may be at it: wait for its image.
    with lock(f"stand-in-{name}"):
        if not has_image(client, tag):
            begun = time.monotonic()
            base = base_image(system)
            progress(f"{name}: making a stand-in of the packages of {system.name}")
            build_image(client, f"the stand-in for {name}", {**files, **apt_files(system)}, base, tag, {IMAGE: name})
            progress(f"{name}: {tag} made in {time.monotonic() - begun:.0f} s")
    return tag


def base_system(dockerfile: str) -> str:
    """Return the name of the system that a Dockerfile builds on."""
    found = _BASE.search(dockerfile)
    if not found:
        raise LabError("the Dockerfile of a stand-in needs a line like 'ARG BASE=debian-12'")
    return found[1]


def recipe_hash(system: System, sources: list[apt.Source], settings: apt.Settings, files: Mapping[str, bytes]) -> str:
    """Return a hash of everything that decides what is in the image, but its date."""
    named = {"system": system.name, "sources.list": apt.sources_list(sources), "machine.conf": settings.conf}
    recipe = {**files, **{name: text.encode() for name, text in named.items()}}
    digest = hashlib.sha256()
    for name, content in sorted(recipe.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def write_references(made: Mapping[str, str], asked: Iterable[str], path: Path) -> None:
    """Write the references where role ``compose`` looks for them; what was not asked for stays."""
    known = json.loads(path.read_text()) if path.is_file() else {}
    kept = {name: reference for name, reference in known.items() if name not in set(asked)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**kept, **made}, indent=2, sort_keys=True) + "\n")


def _require_known(name: str) -> None:
    if name not in stand_in_names():
        raise LabError(f"no image called {name!r} has a stand-in; known: {', '.join(stand_in_names())}")


def _files(folder: Path) -> dict[str, bytes]:
    """Return what the Engine gets to build from, by name, but for the machine's own settings."""
    common = (path for path in folder.parent.iterdir() if path.is_file())
    files = {path.name: path.read_bytes() for path in (*common, *folder.iterdir())}
    if _PYTHON.encode() in files["Dockerfile"]:
        archive = python_archive(cache_dir())
        if archive is None:
            raise LabError(f"the stand-in for {folder.name} needs a CPython 3.10 of this machine: pyenv install 3.10")
        files[_PYTHON] = archive.read_bytes()
    if _PACKAGES.encode() in files["Dockerfile"]:
        files[_PACKAGES] = packages_archive(folder, cache_dir()).read_bytes()
    return files
