"""Compose projects that the tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.compose.project import Project, have_images


@pytest.fixture(scope="session")
def images(machines: None) -> None:
    """Have Compose, and images where no registry has them."""
    have_images()


@contextmanager
def running(folder: Path, store: str, **settings: Any) -> Iterator[Project]:
    """Runs the bot with a store; it is gone with all its data afterwards."""
    project = Project(folder, store, **settings)
    try:
        project.start().succeeded()
        yield project
    finally:
        project.down()
