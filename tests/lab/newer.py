"""Packages of a newer Debian than the machine's, unpacked without being installed."""

import subprocess
from pathlib import Path

from tests.lab import apt
from tests.lab.distributions import DEBIAN
from tests.lab.errors import LabError
from tests.lab.runs import cache_dir, last_lines, progress

_KEYRING = Path("/usr/share/keyrings") / DEBIAN.keyring
_RELEASE = "trixie"


def unpack_newer(package: str, folder: Path) -> None:
    """Unpack a package into a folder, in which apt has its own folders, too.

    apt takes it only with the hash that the archive's index names, which is signed with Debian's keys. Raises LabError
    if it cannot be had.
    """
    debian = apt.mirror(DEBIAN, apt.machine_sources())
    if debian is None:
        raise LabError(f"{package} of Debian {_RELEASE} cannot be had: no Debian mirror in this machine's apt")
    progress(f"fetching {package} of Debian {_RELEASE}")
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    # Of another version, or of a download that was cut off.
    for old in folder.glob(f"{package}_*.deb"):
        old.unlink()
    (folder / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {debian.main} {_RELEASE} main\n")
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
        raise LabError(f"{package} of Debian {_RELEASE} cannot be had: {last_lines(log, 3)}") from error
