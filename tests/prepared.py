"""New hosts that have Rasa's packages and the sample bot's model: most tests are about what comes after that."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import lab
from tests.kit import REPOSITORY, Kit, run

PLAYBOOK = "tests/prepared.yml"
# In a folder that is not in the image.
AUTHORITIES = "/run/authorities.pem"
# What decides what is installed and how, and what is trained.
SOURCES = (
    *("roles/host", "roles/package", "roles/rasa", "requirements/rasa.txt", "requirements/bootstrap.txt"),
    *("rasa_project/config.yml", "rasa_project/data", "rasa_project/domain.yml", PLAYBOOK),
)


def prepared_image(system: str, settings: dict[str, Any], mounts: dict[str, str]) -> str:
    """Return the image of such a host, which is made if it is missing: two minutes, once on this machine.

    Args:
        system: as in `debian-12`.
        settings: those of every deploy to that system here.
        mounts: what such a host has from this machine.
    """

    def prepare(host: lab.Host) -> None:
        with tempfile.TemporaryDirectory() as folder:
            _install(host, Path(folder) / "inventory", settings)

    return lab.snapshot(system, "rasa", recipe(settings), prepare, mounts)


def _install(host: lab.Host, folder: Path, settings: dict[str, Any]) -> None:
    """Run the part of a deploy; the host's authorities are not changed for it."""
    chosen = {name: value for name, value in settings.items() if name != "host_ca_certificates"}
    if "host_ca_certificates" in settings:
        host.put(Path(settings["host_ca_certificates"]), AUTHORITIES)
        chosen["package_environment"] = {"SSL_CERT_FILE": AUTHORITIES}
    Kit(folder, {host.name: host.ansible_variables()}, bots=[host.name], stores=[host.name], settings=chosen)
    run("ansible-playbook", "-i", str(folder), PLAYBOOK).succeeded()


def recipe(settings: dict[str, Any]) -> str:
    """Return what the image is made from, in digests."""
    sources = [f"{path} {digest}" for path, digest in _digests()]
    # By its name, size and time, as the role has it in the name of the virtual environment.
    archive = settings.get("rasa_python_archive")
    stat = Path(archive).stat() if archive else None
    return json.dumps([sources, archive, stat and [stat.st_size, stat.st_mtime_ns]])


def _digests() -> Iterator[tuple[str, str]]:
    for source in SOURCES:
        root = REPOSITORY / source
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file() and path.suffix != ".pyc":
                yield str(path.relative_to(REPOSITORY)), hashlib.sha256(path.read_bytes()).hexdigest()
