"""Who owns what: the labels on everything that a run makes, and whether the run still lives."""

import fcntl
import functools
import os
import platform
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

LABEL = "steadfast.lab"
PID = f"{LABEL}.pid"
STARTED = f"{LABEL}.started"
WHERE = f"{LABEL}.where"
# On images, which belong to no run: they are kept as a cache.
IMAGE = f"{LABEL}.image"


@functools.cache
def run_id() -> str:
    """Return this process's run: eight hexadecimal digits."""
    return secrets.token_hex(4)


def started(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot, or None if it does not run.

    A process number is used again after a while; with this beside it, it is not mistaken.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # proc(5): the command, in brackets, may hold spaces and brackets itself.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]


def where() -> str:
    """Return the place in which process numbers mean something: machine and PID namespace."""
    return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"


def labels() -> dict[str, str]:
    """Return the labels for whatever this process makes."""
    return {
        LABEL: run_id(),
        PID: str(os.getpid()),
        STARTED: started(os.getpid()) or "",
        WHERE: where(),
    }


def is_leftover(found: Mapping[str, str]) -> bool:
    """Tell whether the process that put these labels on something is gone.

    Something labelled from elsewhere (another container or machine that shares this
    Docker Engine) is never a leftover: its process cannot be looked up from here.
    """
    if LABEL not in found or found.get(WHERE) != where():
        return False
    pid = found.get(PID, "")
    return not (pid.isdecimal() and started(int(pid)) == found.get(STARTED))


def cache_dir() -> Path:
    """Return the folder for what later runs may use again, logs included."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(base, "steadfast-lab")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold a lock that other runs on this machine respect; it ends with its process."""
    with (cache_dir() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def progress(line: str) -> None:
    """Tell a person what takes the time."""
    print(f"lab: {line}", file=sys.stderr, flush=True)


def last_lines(log: Path, count: int = 15) -> str:
    """Return the end of a log file, to be part of an error message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
