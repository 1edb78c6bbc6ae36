"""Images of hosts on which something was done already: it is done once, and not by every test anew."""

import contextlib
import hashlib
import time
from collections.abc import Callable, Mapping

import docker

from tests.lab.bases import has_image
from tests.lab.engine import ensure_engine
from tests.lab.host import Host
from tests.lab.hosts import start_host
from tests.lab.images import image
from tests.lab.runs import lock, progress

# What two machines never have in common, though one is a copy of the other.
_FORGET = ": >/etc/machine-id; rm -rf /var/lib/dbus/machine-id /var/log/journal/* /etc/ssh/ssh_host_* /root/.ansible*"


def snapshot(
    system: str,
    name: str,
    recipe: str,
    prepare: Callable[[Host], None],
    mounts: Mapping[str, str] | None = None,
) -> str:
    """Return the reference of an image of a system on whose host `prepare` was done, made if it is missing.

    ``name`` tells what was done, for people, and ``recipe`` everything that decides how: an image of another
    recipe is another one, and takes the place of the one before. ``mounts`` are those of `start_host`; what
    is in them is not in the image.

    Raises Unavailable if the system cannot be had here, and what `prepare` raises.
    """
    repository = f"steadfast-lab/{system}-{name}"
    reference = f"{repository}:{recipe_hash(image(system), recipe)}"
    client = ensure_engine()
    if has_image(client, reference):
        return reference
    # Another run may be at it: wait for its image.
    with lock(f"image-{system}-{name}"):
        if not has_image(client, reference):
            begun = time.monotonic()
            progress(f"{system}: preparing {name}")
            _make(system, name, reference, prepare, mounts)
            remove_others(client, repository, reference)
            progress(f"{system}: {reference} made in {time.monotonic() - begun:.0f} s")
    return reference


def recipe_hash(base: str, recipe: str) -> str:
    """Return a hash of all that an image is made from: the reference of the bare one, and the recipe."""
    return hashlib.sha256(f"{base}\0{recipe}".encode()).hexdigest()[:12]


def remove_others(client: docker.DockerClient, repository: str, kept: str) -> None:
    """Remove the images of a repository but one; those that hosts still run on stay until the next time."""
    for found in client.images.list(repository):
        for tag in set(found.tags) - {kept}:
            with contextlib.suppress(docker.errors.APIError):
                client.images.remove(tag)


def _make(
    system: str, name: str, reference: str, prepare: Callable[[Host], None], mounts: Mapping[str, str] | None
) -> None:
    host = start_host(system, f"prepare-{name}-{system}", mounts=mounts)
    try:
        prepare(host)
        host.exec(_FORGET)
        # In good order, so that every file is as the services leave it.
        host.container.stop()
        repository, _, tag = reference.partition(":")
        host.container.commit(repository, tag)
    finally:
        host.remove()
