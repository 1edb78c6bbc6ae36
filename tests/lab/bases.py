"""Base images: from a container registry where one answers, else by debootstrap."""

import functools
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import docker

from tests.lab import apt
from tests.lab.distributions import System
from tests.lab.engine import ensure_engine
from tests.lab.errors import LabError, Unavailable
from tests.lab.keyrings import keyring
from tests.lab.packages import apt_install
from tests.lab.runs import IMAGE, cache_dir, last_lines, progress, started

# Seconds after which a registry counts as one that does not answer.
_REGISTRY_TIMEOUT = 10
_EXCLUDED = ("./dev/*", "./var/cache/apt/archives/*.deb", "./var/lib/apt/lists/*")


def base_image(system: System) -> str:
    """Return the reference of a system's bare image, which is made if it is missing.

    Raises Unavailable if neither a registry nor a mirror has the system, and LabError if
    one has it and yet it fails.
    """
    client = ensure_engine()
    from_mirror = apt.mirror(system.family, apt.machine_sources())
    bootstrapped = _bootstrapped_tag(system, from_mirror)
    for reference in (system.registry_image, bootstrapped):
        if has_image(client, reference):
            return reference
    problem = registry_problem(system.registry_image) or _pull(client, system)
    if problem is None:
        return system.registry_image
    if from_mirror is None:
        raise Unavailable(
            system.name,
            f"{problem}, and this machine's apt sources have no {system.family.name} mirror "
            f"(STEADFAST_LAB_MIRROR_{system.family.name.upper()} may name one)",
        )
    _bootstrap(client, system, from_mirror, bootstrapped)
    return bootstrapped


def has_image(client: docker.DockerClient, reference: str) -> bool:
    """Tell whether the Engine has an image of that name."""
    try:
        client.images.get(reference)
    except docker.errors.ImageNotFound:
        return False
    return True


def _bootstrapped_tag(system: System, from_mirror: apt.Mirror | None) -> str:
    digest = hashlib.sha256(repr(from_mirror).encode()).hexdigest()[:12]
    return f"steadfast-lab/base-{system.name}:{digest}"


@functools.cache
def registry_problem(reference: str) -> str | None:
    """Return why the registry has no such image for us, or None if it has."""
    client = docker.DockerClient.from_env(timeout=_REGISTRY_TIMEOUT)
    try:
        client.images.get_registry_data(reference)
    except (docker.errors.DockerException, OSError) as error:
        reason = getattr(error, "explanation", None) or error
        return f"no registry has {reference} ({reason})"
    finally:
        client.close()
    return None


def _pull(client: docker.DockerClient, system: System) -> str | None:
    """Pull the image; return what went wrong, or None."""
    progress(f"{system.name}: docker pull {system.registry_image}")
    try:
        client.images.pull(system.registry_image)
    except (docker.errors.DockerException, OSError) as error:
        return f"docker pull {system.registry_image} failed ({error})"
    return None


def _bootstrap(client: docker.DockerClient, system: System, from_mirror: apt.Mirror, tag: str) -> None:
    if os.geteuid() != 0:
        raise Unavailable(system.name, "no registry has it and debootstrap needs root")
    settings = apt.machine_settings()
    release = apt.suites(system, from_mirror)[0]
    if not apt.exists(release, settings.proxies):
        raise Unavailable(system.name, f"{release.uri} does not have {release.suite}")
    if shutil.which("debootstrap") is None:
        apt_install("debootstrap")
    keys = keyring(system)
    _sweep()
    progress(f"{system.name}: debootstrap {system.suite} from {from_mirror.main}")
    work = cache_dir() / f"debootstrap-{os.getpid()}-{started(os.getpid())}-{system.name}"
    log = cache_dir() / f"debootstrap-{system.name}.log"
    command = (
        # What debootstrap mounts is gone with it, even if it is killed.
        *("unshare", "--mount", "--propagation", "private"),
        *("debootstrap", "--variant=minbase", f"--keyring={keys}"),
        f"--components={','.join(system.family.components)}",
        *(system.suite, str(work), from_mirror.main),
        f"/usr/share/debootstrap/scripts/{system.family.script}",
    )
    proxies = {f"{scheme}_proxy": proxy for scheme, proxy in settings.proxies.items()}
    try:
        with log.open("w") as output:
            result = subprocess.run(
                command,
                env={**os.environ, **proxies},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if result.returncode != 0:
            raise LabError(f"debootstrap {system.suite} failed:\n{last_lines(log)}")
        _import(client, system, work, tag)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _import(client: docker.DockerClient, system: System, root: Path, tag: str) -> None:
    excluded = (f"--exclude={pattern}" for pattern in _EXCLUDED)
    command = ("tar", "--one-file-system", *excluded, "-C", str(root), "-c", ".")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as tar:
        client.api.import_image(
            src=tar.stdout,
            repository=tag.partition(":")[0],
            tag=tag.partition(":")[2],
            changes=[f"LABEL {IMAGE}={system.name}", 'CMD ["/bin/bash"]'],
            stream_src=True,
        )
    if tar.returncode != 0:
        client.images.remove(tag)
        raise LabError(f"tar of the {system.name} image failed with exit code {tar.returncode}")


def _sweep() -> None:
    """Remove what killed runs left unpacked: some 300 MB each."""
    for path in cache_dir().glob("debootstrap-*-*-*"):
        _, pid, ticks, *_ = path.name.split("-")
        if path.is_dir() and started(int(pid)) != ticks:
            shutil.rmtree(path, ignore_errors=True)
