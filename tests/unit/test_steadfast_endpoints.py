"""`endpoints.yml` is read as Rasa reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from steadfast.endpoints import read_endpoints, section
from steadfast.errors import SteadfastError


def tracker_store(tmp_path: Path, text: str) -> dict[str, object]:
    """Returns the section `tracker_store` of an endpoints file with this text."""
    path = tmp_path / "endpoints.yml"
    path.write_text(text, encoding="utf-8")
    return section(read_endpoints(str(path)), "tracker_store")


@pytest.mark.parametrize("text", ["", "lock_store:\n  type: redis\n", "tracker_store:\n", "[]"])
def test_absent_section_is_empty(tmp_path: Path, text: str) -> None:
    """Rasa then keeps conversations in memory."""
    assert tracker_store(tmp_path, text) == {}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("010", 10),
        ("yes", "yes"),
        ("true", True),
        ("12", 12),
        ("'12'", "12"),
        ("ä", "ä"),
        (r"'\u00e4'", "ä"),
    ],
)
def test_values_are_those_of_yaml_1_2_and_rasa(tmp_path: Path, written: str, value: object) -> None:
    """Other parsers read 010 as eight and yes as true."""
    assert tracker_store(tmp_path, f"tracker_store:\n  option: {written}\n") == {"option": value}


@pytest.mark.parametrize(("written", "value"), [("${SECRET}", "hunter2"), ("a${SECRET}b", "ahunter2b")])
def test_environment_variables_are_expanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, value: str
) -> None:
    """As Rasa does in plain scalars."""
    monkeypatch.setenv("SECRET", "hunter2")
    assert tracker_store(tmp_path, f"tracker_store:\n  password: {written}\n") == {"password": value}


def test_quoted_environment_variables_stay(tmp_path: Path) -> None:
    """As Rasa leaves them in quoted ones."""
    text = 'tracker_store:\n  password: "${SECRET}"\n'
    assert tracker_store(tmp_path, text) == {"password": "${SECRET}"}


def test_unset_environment_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its neighbours."""
    monkeypatch.delenv("SECRET", raising=False)
    with pytest.raises(SteadfastError, match=r"uses \$\{SECRET\}, but"):
        tracker_store(tmp_path, "tracker_store:\n  password: ${SECRET}\n")


def test_bad_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    """Where the parser gave up."""
    with pytest.raises(SteadfastError, match=r"endpoints\.yml, line 3, is not valid YAML\."):
        tracker_store(tmp_path, "tracker_store:\n  - a: b\n c: [\n")


def test_missing_file_is_told(tmp_path: Path) -> None:
    """One sentence."""
    with pytest.raises(SteadfastError, match="cannot be read"):
        section(read_endpoints(str(tmp_path / "none.yml")), "tracker_store")
