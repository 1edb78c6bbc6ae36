"""Throwaway machines as tests and benchmarks deploy to them: one cache of packages, this machine's authorities.

`python -m tests.machines` makes the images of all systems, and those with Rasa's packages and the sample bot's model.
"""

from __future__ import annotations

from typing import Any

from tests import lab
from tests.lab.python_archive import python_archive
from tests.prepared import prepared_image

# The system of what does not say which.
DEFAULT_SYSTEM = "debian-12"
CACHE_IN_HOST = "/var/cache/steadfast"
# They bring a Python that Rasa runs on.
SYSTEMS_WITH_PYTHON = ("debian-11", "ubuntu-22.04")


def start_machine(system: str, name: str, *, is_prepared: bool = False, **options: Any) -> lab.Host:
    """Start a throwaway machine that has the cache of packages.

    Args:
        system: as in `debian-12`.
        name: its host name.
        is_prepared: whether Rasa's packages and the sample bot's model are there already. Otherwise it is a
            server as one gets it, which is for what is said about the installation itself.
        options: those of `lab.start_host`.
    """
    mounts = _mounts()
    image = prepared_image(system, machine_settings(system), mounts) if is_prepared else None
    return lab.start_host(system, name, snapshot=image, mounts=mounts, **options)


def _mounts() -> dict[str, str]:
    # One download of Rasa's packages for all hosts of all runs.
    cache = lab.cache_dir() / "packages"
    cache.mkdir(exist_ok=True)
    return {str(cache): CACHE_IN_HOST}


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


def main() -> None:
    """Make the images, the most used one first."""
    lab.ensure_engine()
    for system, made in lab.build().items():
        print(f"{system}: {made if isinstance(made, str) else f'not made, {made.reason}'}", flush=True)
    for system in sorted(lab.systems(), key=lambda name: name != DEFAULT_SYSTEM):
        try:
            print(f"{system}: {prepared_image(system, machine_settings(system), _mounts())}", flush=True)
        except lab.Unavailable as error:
            print(f"{system}: not made, {error.reason}", flush=True)
    lab.remove_run(lab.run_id())


if __name__ == "__main__":
    main()
