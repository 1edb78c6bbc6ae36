"""Packages of PyPI and npm that a stand-in needs beside its distribution's, fetched by this machine's clients."""

import gzip
import hashlib
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.packages import apt_install
from tests.lab.runs import progress

_UV = Path(__file__).parents[2] / ".steadfast/uv/bin/uv"
# Of Debian 13.
_PYTHON = "3.13"


def packages_archive(folder: Path, cache: Path) -> Path:
    """Return a tar.gz of what ``requirements.txt`` and ``package.json`` name, in ``python/`` and ``node_modules/``.

    One of them may be missing. Kept in the folder ``cache`` under a name made from both files. Raises LabError if a
    package cannot be had.
    """
    lists = [path for name in ("requirements.txt", "package.json") if (path := folder / name).exists()]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in lists)).hexdigest()[:12]
    archive = cache / f"stand-in-{folder.name}-{digest}.tar.gz"
    if not archive.is_file():
        progress(f"fetching the packages of the stand-in for {folder.name}")
        with tempfile.TemporaryDirectory(dir=cache) as made:
            _fetch(folder, Path(made))
            _pack(Path(made), archive)
    return archive


def _fetch(folder: Path, made: Path) -> None:
    requirements, package = folder / "requirements.txt", folder / "package.json"
    if requirements.exists():
        which = (f"--python-version={_PYTHON}", f"--python-platform={platform.machine()}-manylinux_2_28")
        python = (f"--target={made / 'python'}", f"--requirement={requirements}")
        _run(str(_UV), "pip", "install", *which, *python, "--require-hashes", "--only-binary=:all:")
    if package.exists():
        if shutil.which("npm") is None:
            apt_install("npm")
        shutil.copy(package, made)
        # What is optional must be compiled.
        _run("npm", "install", f"--prefix={made}", "--no-fund", "--no-audit", "--ignore-scripts", "--omit=optional")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command[:3])} cannot fetch the packages of a stand-in:\n{done.stderr[-1000:]}")


def _pack(made: Path, archive: Path) -> None:
    partial = archive.with_suffix(f".{os.getpid()}")
    with gzip.open(partial, "wb", 6) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in (path for name in ("python", "node_modules") if (path := made / name).exists()):
            tar.add(folder, folder.name, filter=_anonymous)
    partial.replace(archive)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
