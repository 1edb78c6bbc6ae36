"""What Rasa is started with."""

from __future__ import annotations

import pytest

from steadfast.launch import MODULES
from tests.kit import REPOSITORY


@pytest.mark.parametrize("path", ["roles/rasa/vars/main.yml", "compose/bot/Dockerfile"])
def test_what_is_imported_at_the_start_is_compiled_beforehand(path: str) -> None:
    """On hosts and in the image of the bot: where it runs, nothing can be written."""
    (imports,) = (line for line in (REPOSITORY / path).read_text().splitlines() if "import skops.io" in line)
    assert [module for module in MODULES if module not in imports] == []
