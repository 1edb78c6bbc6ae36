"""Docker Compose as a plugin of the docker command: the one there is, else Debian's."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.lab.engine import ensure_engine
from tests.lab.errors import LabError
from tests.lab.newer import unpack_newer
from tests.lab.runs import cache_dir, lock

# Debian 12 has only Compose 1, which is a program of its own; what a newer Debian has runs here as well.
_PACKAGE = "docker-compose"
_PROGRAM = "usr/libexec/docker/cli-plugins/docker-compose"
_PLUGINS = Path("/usr/local/lib/docker/cli-plugins")


def ensure_compose(plugins: Path = _PLUGINS) -> str:
    """Return the version of ``docker compose``, which is installed for every user if it is missing.

    Has an Engine that answers, too. Raises LabError if Compose cannot be had.
    """
    ensure_engine()
    # Two runs that begin at once must not install two.
    with lock("compose"):
        if compose_version() is None:
            _install(plugins)
        found = compose_version()
    if found is None:
        raise LabError(f"docker compose does not run, although {plugins} has it: see docker compose version")
    return found


def compose_version() -> str | None:
    """Return the version of ``docker compose`` without its v, or None if there is none or it is older than 2."""
    if shutil.which("docker") is None:
        raise LabError("the docker command is missing: apt-get install docker-cli")
    shown = subprocess.run(("docker", "compose", "version", "--short"), capture_output=True, text=True, check=False)
    return parse_version(shown.stdout) if shown.returncode == 0 else None


def parse_version(shown: str) -> str | None:
    """Return the version out of the output of ``docker compose version --short``, or None if it is older than 2."""
    found = re.match(r"v?((\d+)\.\S+)", shown.strip())
    return found[1] if found and int(found[2]) >= 2 else None


def _install(plugins: Path) -> None:
    if os.geteuid() != 0:
        raise LabError("docker compose is missing and only root can install it: see docs.docker.com/compose/install")
    folder = cache_dir() / "compose"
    unpack_newer(_PACKAGE, folder)
    plugins.mkdir(parents=True, exist_ok=True)
    partial = plugins / f".docker-compose.{os.getpid()}"
    shutil.copy2(folder / _PROGRAM, partial)
    partial.replace(plugins / "docker-compose")
