"""Every fault of the matrix, by what it happens to."""

from __future__ import annotations

from typing import Any

from tests.matrix.compose_cases import COMPOSE_CASES
from tests.matrix.fault_case import FaultCase
from tests.matrix.host_cases import HOST_CASES
from tests.matrix.setup import COMPOSE, HOSTS

CASES: dict[str, tuple[FaultCase[Any], ...]] = {HOSTS: HOST_CASES, COMPOSE: COMPOSE_CASES}
FAULT_CASES = tuple(case for cases in CASES.values() for case in cases)


def find(name: str) -> FaultCase[Any]:
    """Returns the fault of that name; KeyError if there is none."""
    return {case.name: case for case in FAULT_CASES}[name]


def target_of(name: str) -> str:
    """Returns what the fault of that name happens to; KeyError if there is none."""
    return {case.name: target for target, cases in CASES.items() for case in cases}[name]
