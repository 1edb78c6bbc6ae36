"""Packages of npm, fetched on this machine for hosts and images that cannot."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.packages import apt_install
from tests.lab.runs import lock, progress


def npm_folder(cache: Path, package: str) -> Path:
    """Return a folder with ``node_modules``: a package, as in ``dynalite@4.0.0``, and all that it needs.

    Kept in the folder ``cache``. Raises LabError if it cannot be had.
    """
    folder = cache / package.replace("@", "-")
    # Another run may be at it: wait for what it fetches.
    with lock(folder.name):
        if not folder.is_dir():
            _fetch(package, folder)
    return folder


def npm_archive(cache: Path, package: str) -> Path:
    """Return that ``node_modules`` as a tar.gz, kept beside it. Raises LabError if it cannot be had."""
    folder = npm_folder(cache, package)
    archive = folder.with_name(f"{folder.name}.tar.gz")
    with lock(folder.name):
        if not archive.is_file():
            partial = folder.with_name(f"{folder.name}.{os.getpid()}")
            with tarfile.open(partial, "w:gz") as packed:
                packed.add(folder / "node_modules", "node_modules")
            partial.replace(archive)
    return archive


def _fetch(package: str, folder: Path) -> None:
    if shutil.which("npm") is None:
        apt_install("npm")
    progress(f"fetching {package}")
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    partial.mkdir(parents=True)
    # Binaries are in the packages: a script would only look whether they fit this machine.
    install = ("npm", "install", "--no-fund", "--no-audit", "--ignore-scripts", "--prefix", str(partial), package)
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(partial)
        raise LabError(f"npm cannot fetch {package}:\n{done.stderr[-1000:]}")
    partial.rename(folder)
