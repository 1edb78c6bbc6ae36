"""The Makefile's own words: a variable that is none of those it knows is not passed over."""

from __future__ import annotations

import pytest

from tests.kit import run


@pytest.mark.parametrize("target", ["talk", "show", "forget", "verify"])
def test_unknown_target_is_refused(target: str) -> None:
    """It would have them speak of the hosts."""
    refused = run("make", "--dry-run", target, "SENDER=me", "TARGET=compsoe")
    assert refused.status != 0
    assert "TARGET is 'compsoe': leave it out for the hosts, or set it to compose" in refused.output


@pytest.mark.parametrize("target", ["talk", "show", "forget", "verify"])
def test_known_target_is_taken(target: str) -> None:
    """The control: with it, and without."""
    assert "compose/rendered/facts" in run("make", "--dry-run", target, "SENDER=me", "TARGET=compose").output
    plain = run("make", "--dry-run", target, "SENDER=me").succeeded()
    assert "compose/rendered/facts" not in plain.output
