"""Which cells the matrix has: every store, both classes, every fault that can happen to it, and the controls."""

from __future__ import annotations

import pytest
import yaml

from tests.checks.recovery import RASA_KILLED, SERVER_BACK
from tests.faults.fault import known_faults
from tests.kit import REPOSITORY
from tests.matrix.cell import CLASSES, RASA, STEADFAST
from tests.matrix.cells import all_cells, left_out, stores
from tests.matrix.fault_cases import FAULT_CASES
from tests.stores import definition, known

CELLS = all_cells()
# Issue 5: the matrix is red unless each of these is caught.
CONTROLS_NEEDED = 8


def test_every_store_of_the_kits_own_is_there() -> None:
    """And no list but tests/stores says which."""
    assert len(stores()) == 5
    assert all(definition(store)["steadfast_type"] for store in stores())


@pytest.mark.parametrize("store", stores())
@pytest.mark.parametrize("tracker_store_class", CLASSES)
def test_every_fault_is_run_or_left_out_with_a_reason(store: str, tracker_store_class: str) -> None:
    """Once each."""
    run = [cell.name for cell in CELLS if cell.key[:2] == (store, tracker_store_class) and not cell.setup.commands]
    without = [
        each.fault for each in left_out() if (each.store, each.tracker_store_class) == (store, tracker_store_class)
    ]
    names = [case.name for case in FAULT_CASES]
    assert sorted(name for name in [*run, *without] if name in names) == sorted(names)
    assert all(each.reason.endswith(".") for each in left_out())


def test_every_known_fault_is_used() -> None:
    """A fault that no case names would be tried nowhere."""
    used = {value for case in FAULT_CASES for value in case.make.__code__.co_names}
    assert {fault.__name__ for fault in known_faults().values()} <= used


def test_limit_is_that_of_rasa_where_the_fault_ends_rasa() -> None:
    """As a power cut does where the data are a file beside it; a server that is back is waited for less long."""
    limits = {cell.key[::2]: cell.limit for cell in CELLS}
    files = [store for store in stores() if not definition(store)["server_role"]]
    assert files
    for store in stores():
        wanted = RASA_KILLED if store in files else SERVER_BACK
        assert (limits[store, "power-cut"], limits[store, "disk-read-only"]) == (wanted, wanted)
        assert limits[store, "disk-full"] == SERVER_BACK
        assert limits[store, "kill-rasa"] == RASA_KILLED


def test_names_are_told_apart() -> None:
    """By store, class and fault: so are their results."""
    keys = [cell.key for cell in CELLS]
    assert len(set(keys)) == len(keys)


def test_cells_of_a_setup_come_one_after_the_other() -> None:
    """Each setup is deployed once."""
    setups = [cell.setup for cell in CELLS]
    changes = [setup for before, setup in zip([None, *setups], setups, strict=False) if setup != before]
    assert len(set(changes)) == len(changes)


def test_controls_are_those_of_the_stores() -> None:
    """At least those that issue 5 names: each loses turns by its class, a setting or a command."""
    controls = [cell for cell in CELLS if cell.is_control]
    assert len(controls) >= CONTROLS_NEEDED
    for control in controls:
        loosened = control.setup.settings or control.setup.commands
        assert loosened or control.setup.tracker_store_class == RASA
        # A cell of the matrix is not replaced by one that must lose.
        assert not loosened or control.name not in [case.name for case in FAULT_CASES]


def test_controls_settings_are_those_of_a_role() -> None:
    """One that no role knows would loosen nothing, and the kit would not say so."""
    defaults = [yaml.safe_load(path.read_text()) for path in REPOSITORY.glob("roles/*/defaults/main.yml")]
    known_settings = {name for each in defaults for name in each or ()}
    used = {name for cell in CELLS for name, _ in cell.setup.settings}
    assert used
    assert used <= known_settings


def test_rasas_class_is_broken_once() -> None:
    """To see what it loses takes no more; with ours each fault happens as often as there is time for."""
    assert {cell.rounds for cell in CELLS if cell.setup.tracker_store_class == RASA} == {1}
    steadfast = [cell for cell in CELLS if cell.setup.tracker_store_class == STEADFAST and not cell.is_control]
    assert sum(cell.rounds for cell in steadfast) >= 300


def test_data_and_version_are_known_where_it_is_tried() -> None:
    """So that a disk can be given to the data, and the report can name what was tried."""
    assert all(known(store)["data"].startswith("/") and known(store)["version"] for store in stores())
