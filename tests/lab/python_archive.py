"""A Python for Rasa where hosts cannot download one: packed from an interpreter of this machine."""

import functools
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.packages import apt_install
from tests.lab.runs import progress

# What Rasa 3.6 runs on.
_OLDEST, _NEWEST = (3, 8), (3, 10)
# The test suites, an editor, caches and the static library: half of an installation's size.
_EXCLUDED_FOLDERS = {"test", "tests", "idlelib", "idle_test", "__pycache__", "site-packages"}
_EXPLAIN = """
import json, platform, sys
print(json.dumps({"version": sys.version_info[:3], "prefix": sys.base_prefix,
                  "implementation": platform.python_implementation()}))
"""


@dataclass(frozen=True, order=True)
class Interpreter:
    """A CPython installation that has a folder of its own."""

    version: tuple[int, int, int]
    prefix: Path


def python_archive(cache: Path) -> Path | None:
    """Return a tar.gz of a CPython 3.8 - 3.10 with one folder ``python/``, or None.

    Of several, the newest. Without test suites and installed packages; the same bytes each
    time. Kept in the folder ``cache`` under a name made from its version and place.
    """
    found = max(interpreters(), default=None)
    if found is None:
        return None
    place = hashlib.sha256(str(found.prefix).encode()).hexdigest()[:8]
    archive = cache / f"relocatable-python-{'.'.join(map(str, found.version))}-{place}.tar.gz"
    if not archive.is_file():
        progress(f"packing {found.prefix}")
        cache.mkdir(parents=True, exist_ok=True)
        partial = archive.with_suffix(f".{os.getpid()}")
        pack(found, partial)
        partial.replace(archive)
    return archive


def interpreters(environ: Mapping[str, str] = os.environ, home: Path | None = None) -> set[Interpreter]:
    """Return the fitting interpreters that were found, by running each.

    Running tells them from the shims that version managers put on PATH, which fail, or
    lead elsewhere.
    """
    asked = (_ask(path) for path in _candidates(environ, home or Path.home()))
    return {found for found in asked if found is not None}


def _candidates(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    for minor in range(_OLDEST[1], _NEWEST[1] + 1):
        on_path = shutil.which(f"python3.{minor}", path=environ.get("PATH", os.defpath))
        if on_path:
            yield Path(on_path)
    managers = {
        Path(environ.get("PYENV_ROOT") or home / ".pyenv") / "versions",
        home / ".pyenv/versions",
        Path(environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python"),
    }
    for folder in sorted(managers):
        yield from sorted(folder.glob("*/bin/python3"))


def _ask(path: Path) -> Interpreter | None:
    try:
        answer = subprocess.run(
            # -I: nothing in this process's environment or folder shall speak for it.
            (path, "-I", "-c", _EXPLAIN),
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        explained = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    major, minor, micro = explained["version"]
    prefix = Path(explained["prefix"]).resolve()
    fits = _OLDEST <= (major, minor) <= _NEWEST and explained["implementation"] == "CPython"
    # A distribution's own Python shares /usr with all else.
    own_folder = prefix not in (Path("/"), Path("/usr"), Path("/usr/local"))
    return Interpreter((major, minor, micro), prefix) if fits and own_folder else None


def pack(found: Interpreter, target: Path) -> None:
    """Write an installation as a tar.gz whose bytes depend on its content alone."""
    # A gzip header would hold the name and the time of day as well.
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        _write(found, packed)


def _write(found: Interpreter, packed: gzip.GzipFile) -> None:
    with tempfile.TemporaryDirectory() as folder, tarfile.open(
        fileobj=packed, mode="w", format=tarfile.GNU_FORMAT
    ) as tar:
        for part in ("bin", "include", "lib"):
            for path in sorted((found.prefix / part).rglob("*")):
                name = path.relative_to(found.prefix)
                if _belongs(name):
                    source = _relocatable(path, Path(folder)) if part == "bin" else path
                    tar.add(source, f"python/{name}", recursive=False, filter=_anonymous)


def _relocatable(program: Path, folder: Path) -> Path:
    """Return a copy of an interpreter that looks for its own library where it will lie."""
    if program.is_symlink() or program.read_bytes()[:4] != b"\x7fELF":
        return program
    if shutil.which("patchelf") is None:
        apt_install("patchelf")
    copy = folder / program.name
    shutil.copy2(program, copy)
    subprocess.run(("patchelf", "--set-rpath", "$ORIGIN/../lib", copy), check=True)
    return copy


def _belongs(name: Path) -> bool:
    """Tell whether a path inside an installation is part of what runs programs."""
    if name.parts[0] == "bin":
        # The other programs there begin with the path of this installation.
        return name.name in _interpreter_names()
    return not _EXCLUDED_FOLDERS & set(name.parts) and not name.name.endswith((".a", ".pyc"))


@functools.cache
def _interpreter_names() -> frozenset[str]:
    minors = range(_OLDEST[1], _NEWEST[1] + 1)
    return frozenset(("python", "python3", *(f"python3.{minor}" for minor in minors)))


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
