"""Packages that this machine itself needs for the lab and the linters."""

import os
import shutil
import subprocess
from pathlib import Path

import tenacity

from tests.lab.errors import LabError
from tests.lab.runs import cache_dir, last_lines, lock, progress

# Somebody else may be at it, such as a new machine that updates itself.
LOCKED = "Could not get lock"
LOCK_SECONDS = 600.0
WAITING = "waiting for another process that uses apt"
POLL_SECONDS = 2.0


def apt_install(package: str) -> None:
    """Install a package on this machine, as root; LabError with apt's last lines if it fails."""
    if os.geteuid() != 0:
        raise LabError(f"{package} is missing and only root can install it: sudo apt-get install {package}")
    if shutil.which("apt-get") is None:
        raise LabError(f"{package} is missing and this machine has no apt: install it yourself")
    progress(f"installing {package}")
    log = cache_dir() / f"apt-{package}.log"
    # Lists are only fetched if the first attempt shows that there are none, or old ones.
    install = ("install", "--yes", "--quiet", package)
    with lock("apt"):
        for arguments in (install, ("update", "--quiet"), install):
            if _apt_get(*arguments, log=log) and arguments is install:
                return
    raise LabError(f"apt-get install {package} failed:\n{last_lines(log)}")


def _apt_get(*arguments: str, log: Path) -> bool:
    """Tell whether it succeeded; wait while another process has one of apt's locks, of which it waits for none."""
    command = ("apt-get", *arguments)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}

    def run() -> bool:
        with log.open("w") as output:
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
            )
        return done.returncode == 0

    return tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda is_done: not is_done and LOCKED in log.read_text(errors="replace")),
        wait=tenacity.wait_fixed(POLL_SECONDS),
        stop=tenacity.stop_after_delay(LOCK_SECONDS),
        before_sleep=lambda state: progress(WAITING) if state.attempt_number == 1 else None,
        retry_error_callback=lambda _: False,
    )(run)
