"""Removed hosts keep their files until the run ends: new files right after many deleted ones are slow.

ext4 without a journal, as many throwaway machines have it, hands out no inode that was deleted in the
last five minutes (`recently_deleted` in the kernel's fs/ext4/ialloc.c) but looks at each anew for every
new file. After a deployed host is gone, with its tens of thousands of files, unpacking Rasa's packages
takes three times as long.
"""

import contextlib
import secrets
import shutil

import docker
from docker.models.containers import Container

from tests.lab.engine import ensure_engine

# A deployed host has some 3 GB, and several runs may deploy at once.
LEAST_FREE_BYTES = 20_000_000_000

_retired: list[Container] = []


def retire(container: Container) -> None:
    """Stop a container for good and free its name; `cleanup.remove_run` deletes it.

    Where less than `LEAST_FREE_BYTES` are free on the Engine's disk, or its disk is another
    machine's, all that this process has retired is deleted now.
    """
    with contextlib.suppress(docker.errors.NotFound):
        container.stop(timeout=0)
        container.rename(f"{container.name}-removed-{secrets.token_hex(4)}")
        _retired.append(container)
    if free_bytes() < LEAST_FREE_BYTES:
        while _retired:
            delete(_retired.pop())


def delete(container: Container) -> None:
    """Delete a container and what it keeps in volumes without a name; nothing if it is gone."""
    with contextlib.suppress(docker.errors.NotFound):
        container.remove(force=True, v=True)


def free_bytes() -> int:
    """Return what is free on the disk of the Docker Engine; 0 if it is not this machine's."""
    try:
        return shutil.disk_usage(ensure_engine().info()["DockerRootDir"]).free
    except FileNotFoundError:
        return 0
