"""What a power cut leaves at the end of Redis's append-only file is cut off, no more; an older Redis is refused."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "roles" / "redis" / "files" / "check_data.sh"
WHOLE = b"*1\r\n$4\r\nPING\r\n"
FILE = "appendonlydir/appendonly.aof.1.incr.aof"


def run(folder: Path, version: str) -> subprocess.CompletedProcess[str]:
    """Do what is done before a Redis of a version starts, which is only played."""
    program = folder / "bin" / "redis-server"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64'\n")
    program.chmod(0o755)
    environment = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    return subprocess.run(
        ["sh", SCRIPT, folder], env=environment, check=False, capture_output=True, text=True, timeout=60
    )


def start(folder: Path) -> str:
    """Start one that can read what there is, and return what is said."""
    done = run(folder, "7.4.1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def write(folder: Path, content: bytes, name: str = FILE) -> Path:
    """Write a file of Redis's."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("zeros", [1, 4096, 65535, 65536, 65537, 200_000])
@pytest.mark.parametrize("rest", [WHOLE, WHOLE + b"*1\r\n$4\r\nPI", b""], ids=["whole", "cut short", "nothing"])
def test_zeros_at_the_end_are_cut_off(tmp_path: Path, rest: bytes, zeros: int) -> None:
    """However many; Redis itself mends a command that is cut short."""
    path = write(tmp_path, rest + bytes(zeros))
    assert f"ended with {zeros} zeros" in start(tmp_path)
    assert path.read_bytes() == rest


@pytest.mark.parametrize("content", [WHOLE, b"", b"*1\r\n$3\r\n\0\0\0\r\n", WHOLE + b"*1\r\n$4\r\nPI"])
def test_file_that_does_not_end_with_zeros_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """Zeros inside of a value are the value's."""
    path = write(tmp_path, content)
    assert start(tmp_path) == ""
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["appendonly.aof", "appendonlydir/appendonly.aof.1.base.rdb"])
def test_snapshot_is_left_alone(tmp_path: Path, name: str) -> None:
    """Its checksum may end with zeros; Redis 6 has it in the same file."""
    path = write(tmp_path, WHOLE + bytes(8), name)
    assert start(tmp_path) == ""
    assert path.read_bytes() == WHOLE + bytes(8)


def test_new_server_has_no_file(tmp_path: Path) -> None:
    """That is no error."""
    assert start(tmp_path) == ""


def test_redis_that_would_not_see_the_data_is_refused(tmp_path: Path) -> None:
    """It would begin with nothing; with data of its own, or none, it starts."""
    assert run(tmp_path, "6.0.16").returncode == 0
    path = write(tmp_path, WHOLE)
    refused = run(tmp_path, "6.0.16")
    assert refused.returncode == 1
    assert "is of Redis 7 or newer, and this is Redis 6.0.16" in refused.stderr
    assert path.read_bytes() == WHOLE
    assert run(tmp_path, "10.0.0").returncode == 0
