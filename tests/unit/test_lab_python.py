"""A Python for Rasa, packed from one of this machine's."""

import json
import os
import tarfile
from pathlib import Path

from tests.lab import python_archive


def fake_python(prefix: Path, version: tuple[int, int, int], says_prefix: Path | None = None) -> None:
    """Install a script that answers as an interpreter of that version would."""
    answer = {
        "version": version,
        "prefix": str(says_prefix or prefix),
        "implementation": "CPython",
    }
    (prefix / "bin").mkdir(parents=True)
    program = prefix / "bin/python3"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    program.chmod(0o755)


def test_interpreters(tmp_path: Path) -> None:
    """What runs and has a folder of its own is found; shims and other versions are not."""
    versions = tmp_path / "pyenv/versions"
    for version in ((3, 7, 16), (3, 9, 18), (3, 10, 13), (3, 11, 7)):
        fake_python(versions / ".".join(map(str, version)), version)
    # A virtual environment that stands on the distribution's own Python.
    fake_python(versions / "environment", (3, 9, 2), Path("/usr"))
    fake_python(tmp_path / "home/.local/share/uv/python/cpython-3.8.20-linux", (3, 8, 20))
    shim = tmp_path / "shims/python3.10"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.10: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    environ = {"PATH": str(shim.parent), "PYENV_ROOT": str(tmp_path / "pyenv")}
    found = python_archive.interpreters(environ, tmp_path / "home")
    assert sorted(interpreter.version for interpreter in found) == [
        (3, 8, 20),
        (3, 9, 18),
        (3, 10, 13),
    ]
    assert max(found).prefix == versions / "3.10.13"


def test_no_interpreter(tmp_path: Path) -> None:
    """A machine without a fitting Python is no error."""
    assert python_archive.interpreters({"PATH": str(tmp_path)}, tmp_path) == set()


def test_archive(tmp_path: Path) -> None:
    """It has what runs programs, and the same bytes each time."""
    prefix = tmp_path / "3.10.13"
    for name in (
        "bin/python3.10",
        "bin/pip3.10",
        "bin/python3.10-config",
        "include/python3.10/Python.h",
        "lib/libpython3.10.so.1.0",
        "lib/python3.10/os.py",
        "lib/python3.10/ensurepip/_bundled/pip.whl",
        "lib/python3.10/__pycache__/os.cpython-310.pyc",
        "lib/python3.10/config-3.10/libpython3.10.a",
        "lib/python3.10/site-packages/extra.py",
        "lib/python3.10/test/test_os.py",
        "lib/python3.10/unittest/test/test_case.py",
        "lib/python3.10/idlelib/idle.py",
        "share/man/python3.1",
    ):
        path = prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (prefix / "bin/python3").symlink_to("python3.10")
    interpreter = python_archive.Interpreter((3, 10, 13), prefix)
    first, second = tmp_path / "first.tar.gz", tmp_path / "second.tar.gz"
    python_archive.pack(interpreter, first)
    os.utime(prefix / "lib/python3.10/os.py", (1, 1))
    python_archive.pack(interpreter, second)
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as tar:
        files = {entry.name for entry in tar if not entry.isdir()}
        assert tar.getmember("python/bin/python3").linkname == "python3.10"
    assert files == {
        "python/bin/python3",
        "python/bin/python3.10",
        "python/include/python3.10/Python.h",
        "python/lib/libpython3.10.so.1.0",
        "python/lib/python3.10/os.py",
        "python/lib/python3.10/ensurepip/_bundled/pip.whl",
    }
