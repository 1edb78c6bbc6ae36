"""Throwaway machines as tests and benchmarks deploy to them: one cache of packages, this machine's authorities."""

from __future__ import annotations

from typing import Any

from tests import lab
from tests.lab.python_archive import python_archive

# The system of what does not say which.
DEFAULT_SYSTEM = "debian-12"
CACHE_IN_HOST = "/var/cache/steadfast"
# They bring a Python that Rasa runs on.
SYSTEMS_WITH_PYTHON = ("debian-11", "ubuntu-22.04")


def start_machine(system: str, name: str, **options: Any) -> lab.Host:
    """Start a throwaway machine that has the cache of packages; `options` are those of `lab.start_host`."""
    # One download of Rasa's packages for all hosts of all runs.
    cache = lab.cache_dir() / "packages"
    cache.mkdir(exist_ok=True)
    return lab.start_host(system, name, mounts={str(cache): CACHE_IN_HOST}, **options)


def machine_settings(system: str) -> dict[str, Any]:
    """Give the settings that a host of a system needs on this machine: authorities, Python."""
    found: dict[str, Any] = {"rasa_package_cache": CACHE_IN_HOST}
    bundle = lab.ca_bundle()
    if bundle:
        found["host_ca_certificates"] = str(bundle)
    archive = None if system in SYSTEMS_WITH_PYTHON else python_archive(lab.cache_dir())
    if archive:
        found["rasa_python_archive"] = str(archive)
    return found
