"""The files of Compose are written where they differ: whole, and for nobody else to read."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from control import write
from tests.unit.plugins import load

PLUGIN = load("roles/compose/filter_plugins/compose.py")

TEXTS = {"rendered/redis.conf": "port 6379\r\n", "rendered/facts/bot.fact": "{}", ".env": "NAME='Ä'\n"}


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, texts: dict[str, str]) -> str | None:
    """Write as the role does."""
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(texts)))
    return write.main(str(folder))


def test_what_was_written_differs_no_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Until one of them is changed or gone."""
    assert PLUGIN.not_yet_in(TEXTS, str(tmp_path)) == TEXTS
    assert run(monkeypatch, tmp_path, TEXTS) is None
    assert PLUGIN.not_yet_in(TEXTS, str(tmp_path)) == {}
    (tmp_path / ".env").unlink()
    assert PLUGIN.not_yet_in(TEXTS, str(tmp_path)) == {".env": TEXTS[".env"]}
    assert PLUGIN.not_yet_in({".env": "other"}, str(tmp_path)) == {".env": "other"}


def test_what_others_may_read_is_written_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And what a container could not; its text is the same one, for which nothing is to be made anew."""
    run(monkeypatch, tmp_path, TEXTS)
    wrong = {".env": 0o644, "rendered/redis.conf": 0o400, "rendered/facts": 0o755}
    for path, mode in wrong.items():
        (tmp_path / path).chmod(mode)
        again = PLUGIN.not_yet_in(TEXTS, str(tmp_path))
        assert [name for name in again if name.startswith(path)] == list(again) != []
        assert PLUGIN.with_another_text_in(TEXTS, str(tmp_path)) == {}
        run(monkeypatch, tmp_path, again)
        assert PLUGIN.not_yet_in(TEXTS, str(tmp_path)) == {}


def test_folder_lets_nobody_else_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a container reads in it is for every account of the container; the settings are the owner's."""
    run(monkeypatch, tmp_path, TEXTS)
    modes = {path: (tmp_path / path).stat().st_mode & 0o777 for path in ("rendered", "rendered/facts", *TEXTS)}
    assert modes == {
        "rendered": 0o700,
        "rendered/facts": 0o700,
        "rendered/redis.conf": 0o444,
        "rendered/facts/bot.fact": 0o444,
        ".env": 0o600,
    }


def test_file_that_is_there_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Though nobody may write it, and nothing else is left."""
    run(monkeypatch, tmp_path, TEXTS)
    assert run(monkeypatch, tmp_path, {"rendered/redis.conf": "port 6380\n"}) is None
    assert (tmp_path / "rendered/redis.conf").read_text() == "port 6380\n"
    assert sorted(path.name for path in (tmp_path / "rendered").iterdir()) == ["facts", "redis.conf"]


def test_file_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a sentence; nothing is left half written."""
    (tmp_path / "rendered").write_text("a file where the folder should be")
    assert "redis.conf cannot be written" in str(run(monkeypatch, tmp_path, TEXTS))
    (tmp_path / "facts" / "bot.fact").mkdir(parents=True)
    assert "bot.fact cannot be written" in str(run(monkeypatch, tmp_path, {"facts/bot.fact": "{}"}))
    assert [path.name for path in (tmp_path / "facts").iterdir()] == ["bot.fact"]
