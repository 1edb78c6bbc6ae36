"""Adding a store touches that store's own files only: for each store, every file that names it."""

from __future__ import annotations

import re
from fnmatch import fnmatch

import pytest

from tests.kit import REPOSITORY

# As people write them. `memory` and `custom` are words of every day; `redis` is the default and has the locks, too.
WORDS = {
    "dynamodb": "dynamo",
    "mariadb": "mariadb",
    "mongodb": "mongo",
    "mysql": "mysql",
    "postgresql": "postgres",
    "sqlite": "sqlite",
}

# Two flavours of one server, and what both speak.
RELATED = {"mariadb": ("mysql",), "mysql": ("mariadb",)}

# What is made in the tree and never committed.
NOT_OURS = re.compile(
    r"(^|/)(\.git|\.hypothesis|\.steadfast|\.\w+_cache|__pycache__|compose/rendered)/|^compose/\.env$"
)

# Where a store's name stands, and no store is meant or none had to be added.
ELSEWHERE = {
    "README.md": "for people",
    "docs/*": "for people",
    "inventory/*/group_vars/*": "for people",
    "requirements/*": "names of packages",
    "pyproject.toml": "names of packages",
    "roles/event_broker/*": "the dialects of the SQL event broker",
    "steadfast/brokers.py": "the dialects of the SQL event broker",
    "tests/unit/brokers/sql.yml": "the dialects of the SQL event broker",
    "tests/unit/test_event_broker.py": "the dialects of the SQL event broker",
    "steadfast/readers/sql*.py": "what the SQL stores share",
    "steadfast/readers/causes.py": "what the SQL stores share",
    "steadfast/servers/sql*.py": "what the SQL stores share",
    "steadfast/stores/sql.py": "what the SQL stores share",
    "tests/unit/test_steadfast_sql*.py": "what the SQL stores share",
    "roles/rasa/files/find_python.sh": "Python's own module sqlite3",
    "roles/rasa/tasks/*python.yml": "Python's own module sqlite3",
    "compose/images.yml": "all images, pinned in one place",
    "tests/compose/test_*.py": "examples in tests that combine things",
    "tests/matrix/example.py": "an example",
    "tests/unit/test_report.py": "its example",
    "tests/stores/*.yml": "dialects that must be refused",
    "tests/lab/distributions.py": "why the lab has Debian sid",
    "tests/lab/stand_ins/adminer/Dockerfile": "names of packages",
    "tests/lab/stand_ins/python/Dockerfile": "Python's own module sqlite3",
    "tests/deploy/test_*.py": "examples in tests that combine things",
    "tests/unit/test_steadfast_redis.py": "an example",
    "tests/unit/test_store_locality.py": "this test",
}


def own_files(store: str) -> tuple[str, ...]:
    """Give the patterns of a store's own files."""
    patterns = []
    for name in (store, *RELATED.get(store, ())):
        patterns += [
            f"roles/{name}/*",
            f"roles/tracker_store/stores/{name}.yml",
            f"steadfast/readers/{name}.py",
            # Named after Rasa's `type:`.
            f"steadfast/servers/{WORDS[name]}*.py",
            f"steadfast/stores/{WORDS[name]}.py",
            f"tests/servers/backends/{name}.py",
            f"tests/servers/test_{name}.py",
            f"tests/stores/{name}.yml",
            f"tests/lab/{name}.py",
            f"compose/{name}.yml",
            # Named after the official image.
            f"tests/lab/stand_ins/{WORDS[name]}/*",
            f"tests/unit/test_steadfast_{name}*.py",
        ]
    return tuple(patterns)


def files_that_name(store: str) -> list[str]:
    """List every file of the repository in which a store's name stands."""
    found = []
    for path in sorted(REPOSITORY.rglob("*")):
        name = str(path.relative_to(REPOSITORY))
        if path.is_file() and not NOT_OURS.search(name):
            text = path.read_bytes().decode("utf-8", errors="replace")
            if re.search(WORDS[store], text, re.IGNORECASE):
                found.append(name)
    return found


@pytest.mark.parametrize("store", sorted(WORDS))
def test_no_other_file_names_the_store(store: str) -> None:
    """Printed whole with `pytest -s`; what stands elsewhere is named."""
    named = files_that_name(store)
    print(f"{store}:", *named, sep="\n  ")
    patterns = (*own_files(store), *ELSEWHERE)
    assert [name for name in named if not any(fnmatch(name, pattern) for pattern in patterns)] == []
    assert f"roles/tracker_store/stores/{store}.yml" in named
