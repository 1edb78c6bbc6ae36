"""The keys that prove a distribution's archive to debootstrap."""

import subprocess
from pathlib import Path

from tests.lab import apt
from tests.lab.distributions import DEBIAN, System
from tests.lab.errors import LabError, Unavailable
from tests.lab.packages import apt_install
from tests.lab.runs import cache_dir, last_lines, lock, progress

_KEYRINGS = Path("/usr/share/keyrings")
# Debian 12 has no package with Ubuntu's keys; this release does.
_RELEASE = "trixie"


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
                _fetch(system, str(error).partition("\n")[0])
    return installed if installed.is_file() else fetched


def _fetch(system: System, reason: str) -> None:
    """Unpack the keyring's package from a newer Debian without installing it.

    apt verifies it with Debian's keys, in folders of its own.
    """
    debian = apt.mirror(DEBIAN, apt.machine_sources())
    if debian is None:
        raise Unavailable(system.name, f"no keyring for its archive: {reason}")
    package = system.family.keyring_package
    progress(f"{system.name}: fetching {package} of {_RELEASE}")
    folder = cache_dir() / "keyrings"
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(
        f"deb [signed-by={_KEYRINGS / DEBIAN.keyring}] {debian.main} {_RELEASE} main\n"
    )
    options = (
        f"Dir::Etc::SourceList={folder / 'sources.list'}",
        "Dir::Etc::SourceParts=/dev/null",
        f"Dir::State::Lists={folder / 'lists'}",
        f"Dir::Cache={folder}",
        "APT::Sandbox::User=root",
    )
    get = ["apt-get", "--quiet", *(part for option in options for part in ("-o", option))]
    log = cache_dir() / f"apt-{package}.log"
    try:
        with log.open("w") as output:
            for command in ([*get, "update"], [*get, "download", package]):
                subprocess.run(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, check=True)
        deb = next(folder.glob(f"{package}_*.deb"))
        subprocess.run(("dpkg-deb", "--extract", deb, folder), check=True)
    except (subprocess.CalledProcessError, StopIteration) as error:
        raise Unavailable(system.name, f"no keyring for its archive: {reason}; {last_lines(log, 3)}") from error
