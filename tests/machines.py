"""Throwaway machines as tests and benchmarks deploy to them: one cache of packages, this machine's authorities."""

from __future__ import annotations

from typing import Any

from tests import lab
from tests.kit import REPOSITORY
from tests.lab.python_archive import python_archive

# The system of what does not say which.
DEFAULT_SYSTEM = "debian-12"
# One download of Rasa's packages for all hosts of all runs.
PACKAGE_CACHE = REPOSITORY / ".steadfast" / "cache" / "packages"
CACHE_IN_HOST = "/var/cache/steadfast"
# They bring a Python that Rasa runs on.
SYSTEMS_WITH_PYTHON = ("debian-11", "ubuntu-22.04")


def start_machine(system: str, name: str, **options: Any) -> lab.Host:
    """Start a throwaway machine that has the cache of packages; `options` are those of `lab.start_host`."""
    PACKAGE_CACHE.mkdir(parents=True, exist_ok=True)
    return lab.start_host(system, name, mounts={str(PACKAGE_CACHE): CACHE_IN_HOST}, **options)


def machine_settings(system: str) -> dict[str, Any]:
    """Give the settings that a host of a system needs on this machine: authorities, Python."""
    found: dict[str, Any] = {"rasa_package_cache": CACHE_IN_HOST}
    bundle = lab.ca_bundle()
    if bundle:
        found["host_ca_certificates"] = str(bundle)
    archive = None if system in SYSTEMS_WITH_PYTHON else python_archive(REPOSITORY / ".steadfast" / "cache")
    if archive:
        found["rasa_python_archive"] = str(archive)
    return found
