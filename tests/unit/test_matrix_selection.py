"""TARGET, STORE, CLASS, FAULT, ROUNDS and SEED: what they choose, and the one sentence about what they may be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.checks.check import FAIL, UNKNOWN
from tests.matrix.cells import all_cells
from tests.matrix.selection import SelectionError, select
from tests.unit.matrix_result import RESULT

CELLS = all_cells()


def test_nothing_chosen_is_everything() -> None:
    """With a seed of its own each time."""
    found = select({"STORE": "", "SEED": ""})
    assert list(found.cells) == CELLS
    assert found.rounds is None
    assert len({select({}).seed for _ in range(20)}) > 1


def test_each_part_of_a_cell_can_be_chosen() -> None:
    """Alone or together."""
    assert {cell.key[0] for cell in select({"STORE": "redis"}).cells} == {"redis"}
    assert {cell.key[1] for cell in select({"CLASS": "rasa"}).cells} == {"rasa"}
    assert {cell.setup.target for cell in select({"TARGET": "compose"}).cells} == {"compose"}
    (cell,) = select({"STORE": "redis", "CLASS": "steadfast", "FAULT": "power-cut"}).cells
    assert cell.key == ("redis", "steadfast", "power-cut")
    assert select({"ROUNDS": "3", "SEED": "0"}).rounds == 3
    assert select({"ROUNDS": "3", "SEED": "0"}).seed == 0


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"STORE": "oracle"}, r"STORE is 'oracle': it must be one of .*redis.*\."),
        ({"TARGET": "moon"}, r"TARGET is 'moon': it must be one of hosts, compose\."),
        (
            {"TARGET": "compose", "FAULT": "reset"},
            r"There is no cell of TARGET=compose FAULT=reset: FAULT must be .*\.",
        ),
        ({"CLASS": "mine"}, r"CLASS is 'mine': it must be one of .*steadfast.*\."),
        ({"FAULT": "flood"}, r"FAULT is 'flood': it must be one of .*kill-server.*\."),
        ({"ROUNDS": "0"}, r"ROUNDS is '0': it must be a number from 1 to 1000\."),
        ({"ROUNDS": "many"}, r"ROUNDS is 'many': it must be a number from 1 to 1000\."),
        ({"SEED": "-1"}, r"SEED is '-1': it must be a number from 0 to 999999\."),
        ({"STORE": "memory", "CLASS": "steadfast"}, r"There is no cell of STORE=memory CLASS=steadfast.*\."),
        ({"STORE": "memory", "FAULT": "reset"}, r"There is no cell of STORE=memory FAULT=reset: FAULT must be .*\."),
    ],
)
def test_what_there_is_not_is_refused(chosen: dict[str, str], sentence: str) -> None:
    """In one sentence that names the variable, its value and what is allowed."""
    with pytest.raises(SelectionError, match=f"^{sentence}$"):
        select(chosen)


def test_what_was_left_out_is_refused_with_the_reason() -> None:
    """A fault of a server, of a store that has none."""
    (without,) = {cell.setup.store for cell in CELLS if cell.name == "power-cut"} - {
        cell.setup.store for cell in CELLS if cell.name == "kill-server"
    }
    with pytest.raises(SelectionError, match="it has no server"):
        select({"STORE": without, "FAULT": "kill-server"})


def test_what_was_run_is_not_run_again() -> None:
    """Unless its fault is named, or nothing came out, or the tree has changes that nobody knows."""
    done = replace(RESULT, outcome=FAIL)
    everything = select({"STORE": "redis"})
    assert RESULT.key not in [cell.key for cell in everything.waiting([done], done.commit)]
    assert everything.waiting([done], f"{done.commit}-dirty") == list(everything.cells)
    assert everything.waiting([replace(done, outcome=UNKNOWN)], done.commit) == list(everything.cells)
    named = select({"STORE": "redis", "FAULT": "kill-server"})
    assert named.waiting([done], done.commit) == list(named.cells)
