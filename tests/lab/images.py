"""Prepared images: a system with what a cloud provider's server has, cached by recipe."""

import hashlib
import io
import tarfile
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker

from tests.lab import apt
from tests.lab.bases import base_image, has_image
from tests.lab.distributions import System, find, systems
from tests.lab.engine import ensure_engine
from tests.lab.errors import LabError, Unavailable
from tests.lab.runs import IMAGE, lock, progress

_DOCKERFILE = Path(__file__).with_name("Dockerfile")


def build(names: Iterable[str] | None = None, workers: int = 2) -> dict[str, str | Unavailable]:
    """Make the images of these systems, or of all, and return their references.

    A system that cannot be had has its Unavailable instead of a reference. At most
    ``workers`` are made at once. Raises LabError for an image that fails to build.
    """
    wanted = list(systems() if names is None else names)

    def attempt(name: str) -> str | Unavailable:
        try:
            return image(name)
        except Unavailable as unavailable:
            progress(str(unavailable))
            return unavailable

    with ThreadPoolExecutor(max_workers=workers) as pool:
        return dict(zip(wanted, pool.map(attempt, wanted), strict=True))


def image(name: str) -> str:
    """Return the reference of a system's prepared image, which is made if it is missing.

    A minute the first time, milliseconds from then on, until the recipe changes. Raises
    Unavailable if the system cannot be had here, LabError if making the image fails.
    """
    system = find(name)
    client = ensure_engine()
    tag = reference(system)
    if has_image(client, tag):
        return tag
    # Another run may be at it: wait for its image.
    with lock(f"image-{name}"):
        if not has_image(client, tag):
            begun = time.monotonic()
            base = base_image(system)
            progress(f"{name}: installing what a fresh server has")
            _prepare(client, system, base, tag)
            progress(f"{name}: {tag} made in {time.monotonic() - begun:.0f} s")
    return tag


def reference(system: System) -> str:
    """Return the name of a system's prepared image: its tag is the hash of its recipe."""
    return f"steadfast-lab/{system.name}:{recipe_hash(system, *machine(system))}"


def recipe_hash(system: System, sources: list[apt.Source], settings: apt.Settings) -> str:
    """Return a hash of everything that decides what is in the image, but its date."""
    recipe = (
        _DOCKERFILE.read_text(),
        system.name,
        apt.sources_list(sources),
        settings.conf,
    )
    return hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:12]


def machine(system: System) -> tuple[list[apt.Source], apt.Settings]:
    """Return where a system's packages come from on this machine, and what its apt is told."""
    from_mirror = apt.mirror(system.family, apt.machine_sources())
    sources = apt.suites(system, from_mirror) if from_mirror else []
    return sources, apt.machine_settings()


def _prepare(client: docker.DockerClient, system: System, base: str, tag: str) -> None:
    files = {"Dockerfile": _DOCKERFILE.read_bytes(), **apt_files(system)}
    build_image(client, f"the image of {system.name}", files, base, tag, {IMAGE: system.name})


def apt_files(system: System) -> dict[str, bytes]:
    """Return what a build needs to install packages, by name: those sources that the mirror has, and apt's settings."""
    sources, settings = machine(system)
    present = [source for source in sources if apt.exists(source, settings.proxies)]
    return {"sources.list": apt.sources_list(present).encode(), "machine.conf": settings.conf.encode()}


def build_image(
    client: docker.DockerClient,
    what: str,
    files: Mapping[str, bytes],
    base: str,
    tag: str,
    labels: Mapping[str, str],
) -> None:
    """Build an image of a Dockerfile and what it copies on a base; LabError with the last lines if that fails."""
    try:
        client.images.build(
            fileobj=_tar(files),
            custom_context=True,
            tag=tag,
            rm=True,
            forcerm=True,
            buildargs={"BASE": base},
            labels=dict(labels),
        )
    except docker.errors.BuildError as error:
        output = "".join(line.get("stream", "") for line in error.build_log)
        last = "\n".join(output.splitlines()[-15:])
        raise LabError(f"{what} failed: {error.msg}\n{last}") from error


def _tar(files: Mapping[str, bytes]) -> io.BytesIO:
    """Pack a build's files, which the Engine takes as a tar."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            if content.startswith(b"#!"):
                entry.mode = 0o755
            tar.addfile(entry, io.BytesIO(content))
    packed.seek(0)
    return packed
