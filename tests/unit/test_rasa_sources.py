"""A bot is copied and trained again when its sources change, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.plugins import load

PLUGIN = load("roles/rasa/filter_plugins/rasa.py")


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    """A small bot."""
    (tmp_path / "data").mkdir()
    (tmp_path / "actions").mkdir()
    (tmp_path / "config.yml").write_text("language: en")
    (tmp_path / "data" / "nlu.yml").write_text("nlu: []")
    (tmp_path / "actions" / "__init__.py").write_text("")
    return tmp_path


def test_same_sources_have_the_same_digest(bot: Path) -> None:
    """Whatever a run of the bot leaves behind."""
    before = PLUGIN.folder_digest(str(bot))
    for name in ("__pycache__", "models", ".rasa"):
        (bot / name).mkdir()
        (bot / name / "file").write_text("x")
    assert PLUGIN.folder_digest(str(bot)) == before


@pytest.mark.parametrize("name", ["config.yml", "data/nlu.yml", "data/new.yml"])
def test_changed_source_changes_the_digest(bot: Path, name: str) -> None:
    """A changed file and a new one."""
    before = PLUGIN.folder_digest(str(bot))
    (bot / name).write_text("changed")
    assert PLUGIN.folder_digest(str(bot)) != before


def test_actions_do_not_train_the_model_again(bot: Path) -> None:
    """The model is made of the configuration, the domain and the data."""
    names = ["config.yml", "domain.yml", "domain", "data"]
    before = PLUGIN.folder_digest(str(bot), names)
    (bot / "actions" / "__init__.py").write_text("changed")
    assert PLUGIN.folder_digest(str(bot), names) == before


def test_moved_content_changes_the_digest(bot: Path) -> None:
    """The names count, too."""
    before = PLUGIN.folder_digest(str(bot))
    (bot / "config.yml").rename(bot / "konfig.yml")
    assert PLUGIN.folder_digest(str(bot)) != before
