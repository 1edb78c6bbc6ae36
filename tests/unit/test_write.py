"""The files of Compose are written where they differ: whole, and for nobody else to read."""

from __future__ import annotations

from pathlib import Path

from tests.unit.plugins import load

FILTERS = load("roles/compose/filter_plugins/compose.py")
ACTION = load("roles/compose/action_plugins/write_files.py")

TEXTS = {"rendered/redis.conf": "port 6379\r\n", "rendered/facts/bot.fact": "{}", ".env": "NAME='Ä'\n"}


def new(texts: dict[str, str], folder: Path) -> dict[str, str]:
    """Give those that are to be written."""
    found: dict[str, str] = FILTERS.compared_with(texts, str(folder))["new"]
    return found


def write(folder: Path, texts: dict[str, str]) -> str:
    """Write as the role does; give what went wrong."""
    error: str = ACTION.write_all(str(folder), texts)
    return error


def test_what_was_written_differs_no_more(tmp_path: Path) -> None:
    """Until one of them is changed or gone."""
    assert new(TEXTS, tmp_path) == TEXTS
    assert write(tmp_path, TEXTS) == ""
    assert new(TEXTS, tmp_path) == {}
    (tmp_path / ".env").unlink()
    assert new(TEXTS, tmp_path) == {".env": TEXTS[".env"]}
    assert new({".env": "other"}, tmp_path) == {".env": "other"}


def test_what_others_may_read_is_written_anew(tmp_path: Path) -> None:
    """And what a container could not; its text is the same one, for which nothing is to be made anew."""
    write(tmp_path, TEXTS)
    wrong = {".env": 0o644, "rendered/redis.conf": 0o400, "rendered/facts": 0o755}
    for path, mode in wrong.items():
        (tmp_path / path).chmod(mode)
        again = new(TEXTS, tmp_path)
        assert [name for name in again if name.startswith(path)] == list(again) != []
        assert FILTERS.compared_with(TEXTS, str(tmp_path))["other"] == []
        write(tmp_path, again)
        assert new(TEXTS, tmp_path) == {}


def test_folder_lets_nobody_else_in(tmp_path: Path) -> None:
    """What a container reads in it is for every account of the container; the settings are the owner's."""
    write(tmp_path, TEXTS)
    modes = {path: (tmp_path / path).stat().st_mode & 0o777 for path in ("rendered", "rendered/facts", *TEXTS)}
    assert modes == {
        "rendered": 0o700,
        "rendered/facts": 0o700,
        "rendered/redis.conf": 0o444,
        "rendered/facts/bot.fact": 0o444,
        ".env": 0o600,
    }


def test_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    """Though nobody may write it, and nothing else is left."""
    write(tmp_path, TEXTS)
    assert write(tmp_path, {"rendered/redis.conf": "port 6380\n"}) == ""
    assert (tmp_path / "rendered/redis.conf").read_text() == "port 6380\n"
    assert sorted(path.name for path in (tmp_path / "rendered").iterdir()) == ["facts", "redis.conf"]


def test_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """In a sentence; nothing is left half written."""
    (tmp_path / "rendered").write_text("a file where the folder should be")
    assert "redis.conf cannot be written" in write(tmp_path, TEXTS)
    (tmp_path / "facts" / "bot.fact").mkdir(parents=True)
    assert "bot.fact cannot be written" in write(tmp_path, {"facts/bot.fact": "{}"})
    assert [path.name for path in (tmp_path / "facts").iterdir()] == ["bot.fact"]
