"""The keys that prove a distribution's archive to debootstrap."""

from pathlib import Path

from tests.lab.distributions import System
from tests.lab.errors import LabError, Unavailable
from tests.lab.newer import unpack_newer
from tests.lab.packages import apt_install
from tests.lab.runs import cache_dir, lock

_KEYRINGS = Path("/usr/share/keyrings")


def keyring(system: System) -> Path:
    """Return the keyring of a system's archive, fetched as a signed package if it is missing.

    Raises Unavailable when no package has it.
    """
    family = system.family
    installed = _KEYRINGS / family.keyring
    if installed.is_file():
        return installed
    fetched = cache_dir() / "keyrings" / "usr/share/keyrings" / family.keyring
    # Two systems of a family that are built at once need the same one.
    with lock("keyrings"):
        if not installed.is_file() and not fetched.is_file():
            try:
                apt_install(family.keyring_package)
            except LabError as error:
                reason = str(error).partition("\n")[0]
                try:
                    # Debian 12 has no package with Ubuntu's keys.
                    unpack_newer(family.keyring_package, cache_dir() / "keyrings")
                except LabError as failure:
                    raise Unavailable(system.name, f"no keyring for its archive: {reason}; {failure}") from failure
    return installed if installed.is_file() else fetched
