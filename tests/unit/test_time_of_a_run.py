"""A run of the tests that has an end: what it did not begin is named, and none at all is no success."""

from __future__ import annotations

import pytest

from tests.kit import run

FILE = "tests/unit/test_write.py"
# In seconds since 1970.
PAST, FUTURE = 1, 99999999999


@pytest.mark.parametrize("processes", ["0", "2"])
def test_run_that_began_nothing_fails(processes: str) -> None:
    """With one process, and with several."""
    over = run("python", "-m", "pytest", f"--none-after={PAST}", f"--numprocesses={processes}", FILE)
    assert over.status == 1
    assert f"{FILE}, " in over.output.partition(" not run ")[2]
    assert "the time of this run was over" in over.output


def test_run_that_has_time_succeeds() -> None:
    """The control: nothing is left out."""
    found = run("python", "-m", "pytest", f"--none-after={FUTURE}", FILE).succeeded()
    assert "not run" not in found.output
    assert " passed in " in found.output
