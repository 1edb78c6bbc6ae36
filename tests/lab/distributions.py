"""The systems that the kit is tested on: the one place that lists them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tests.lab.errors import LabError


@dataclass(frozen=True)
class Family:
    """A distribution: how its archive is recognised, verified and unpacked."""

    name: str
    codenames: frozenset[str]
    components: tuple[str, ...]
    # Under /usr/share/keyrings, from the package of the second name.
    keyring: str
    keyring_package: str
    # What the address of the archive of security updates has more than that of the archive.
    security: str
    # debootstrap's script. Named here because an older debootstrap does not know
    # the suites that came after it, although one script serves them all.
    script: str


@dataclass(frozen=True)
class System:
    """One release of a distribution."""

    name: str
    family: Family
    suite: str
    # The official image in a container registry.
    registry_image: str
    # systemd 258 and later know cgroup v2 only, and this machine may have v1.
    cgroup2_only: bool = False


DEBIAN = Family(
    name="debian",
    codenames=frozenset(("bullseye", "bookworm", "trixie", "forky", "sid", "stable", "testing")),
    components=("main",),
    keyring="debian-archive-keyring.gpg",
    keyring_package="debian-archive-keyring",
    security="-security",
    script="sid",
)
UBUNTU = Family(
    name="ubuntu",
    codenames=frozenset(("focal", "jammy", "noble", "plucky", "questing", "resolute")),
    # The official images have universe, and Redis is in universe.
    components=("main", "universe"),
    keyring="ubuntu-archive-keyring.gpg",
    keyring_package="ubuntu-keyring",
    security="",
    script="gutsy",
)

_SYSTEMS = (
    System("debian-11", DEBIAN, "bullseye", "debian:11"),
    System("debian-12", DEBIAN, "bookworm", "debian:12"),
    System("debian-13", DEBIAN, "trixie", "debian:13"),
    # The only Debian that has MySQL. It moves: what fails here on some day need not be the kit's fault.
    System("debian-sid", DEBIAN, "sid", "debian:sid", cgroup2_only=True),
    System("ubuntu-22.04", UBUNTU, "jammy", "ubuntu:22.04"),
    System("ubuntu-24.04", UBUNTU, "noble", "ubuntu:24.04"),
)


def systems() -> Mapping[str, System]:
    """Return every system by its name, such as ``debian-12``."""
    return MappingProxyType({system.name: system for system in _SYSTEMS})


def find(name: str) -> System:
    """Return the system of that name; LabError names the known ones."""
    try:
        return systems()[name]
    except KeyError:
        raise LabError(f"no system is called {name!r}; known: {', '.join(systems())}") from None
