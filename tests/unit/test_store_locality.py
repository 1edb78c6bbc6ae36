"""Adding a store touches that store's own files only: for each store, every file that names it."""

from __future__ import annotations

import re
from fnmatch import fnmatch

import pytest

from tests.kit import REPOSITORY
from tests.stores import definition

# As people write them. `memory` and `custom` are words of every day; `redis` is the default and has the locks, too.
WORDS = {
    "dynamodb": "dynamo",
    "mariadb": "mariadb",
    "mongodb": "mongo",
    "mysql": "mysql",
    "postgresql": "postgres",
    "sqlite": "sqlite",
}

# What is written for people, and packages' names.
ABOUT_ALL = ("README.md", "docs/*", "requirements/*", "inventory/*/group_vars/*")


def own_files(store: str) -> tuple[str, ...]:
    """Give the patterns of a store's own files."""
    roles = {definition(store)["server_role"] or store, *definition(store).get("shares_files_with", [])}
    names = {store, *roles}
    return (
        *(f"roles/{role}/*" for role in roles),
        *(f"roles/tracker_store/stores/{name}.yml" for name in names),
        *(f"steadfast/readers/{name}*.py" for name in names),
        *(f"tests/stores/{name}.yml" for name in names),
        *(f"tests/lab/{name}.py" for name in names),
        *(f"tests/*test_*{name}*.py" for name in names),
    )


def files_that_name(store: str) -> list[str]:
    """List every file of the repository in which a store's name stands."""
    found = []
    for path in sorted(REPOSITORY.rglob("*")):
        name = str(path.relative_to(REPOSITORY))
        if path.is_file() and not name.startswith((".git/", ".steadfast/")) and "__pycache__" not in name:
            text = path.read_bytes().decode("utf-8", errors="replace")
            if re.search(WORDS[store], text, re.IGNORECASE):
                found.append(name)
    return found


@pytest.mark.parametrize("store", sorted(WORDS))
def test_no_other_file_names_the_store(store: str) -> None:
    """Printed whole with `pytest -s`; what stands elsewhere is named."""
    named = files_that_name(store)
    print(f"{store}:", *named, sep="\n  ")
    patterns = (*own_files(store), *ABOUT_ALL, "tests/unit/test_store_locality.py")
    assert [name for name in named if not any(fnmatch(name, pattern) for pattern in patterns)] == []
    assert f"roles/tracker_store/stores/{store}.yml" in named
