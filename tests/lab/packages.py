"""Packages that this machine itself needs for the lab."""

import os
import shutil
import subprocess

from tests.lab.errors import LabError
from tests.lab.runs import cache_dir, last_lines, lock, progress


def apt_install(package: str) -> None:
    """Install a package on this machine, as root; LabError with apt's last lines if it fails."""
    if os.geteuid() != 0:
        raise LabError(f"{package} is missing and only root can install it")
    if shutil.which("apt-get") is None:
        raise LabError(f"{package} is missing and this machine has no apt: install it yourself")
    progress(f"installing {package}")
    log = cache_dir() / f"apt-{package}.log"
    # Lists are only fetched if the first attempt shows that there are none, or old ones.
    install = ("apt-get", "install", "--yes", "--quiet", package)
    with lock("apt"), log.open("w") as output:
        for command in (install, ("apt-get", "update", "--quiet"), install):
            result = subprocess.run(
                command,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
            if command is install and result.returncode == 0:
                return
    raise LabError(f"apt-get install {package} failed:\n{last_lines(log)}")
