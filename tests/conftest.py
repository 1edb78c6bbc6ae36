"""The throwaway machines that the tests share."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests import lab
from tests.compose.project import have_images
from tests.kit import Kit, Run
from tests.machines import DEFAULT_SYSTEM, machine_settings, start_machine

# The groups that take longest begin first: otherwise one process is left with them when the others have nothing to do.
LONGEST = (
    *("debian-12 stores", "debian-sid", "debian-12 test_brokers_and_locks", "debian-13", "debian-12 test_faults"),
    *("debian-12 test_migrate", "debian-12 test_two_hosts", "ubuntu-22.04", "ubuntu-24.04", "debian-12 test_local"),
    *("compose test_scaling", "debian-12 test_other_stores", "debian-12 test_tls", "debian-11", "servers debian-12"),
    *("compose test_compose", "compose test_bad_input", "debian-12 test_changes", "debian-12 test_inside"),
    *("debian-12 test_one_host", "debian-12 test_bad_input", "servers debian-13", "servers debian-sid"),
    *("servers debian-11", "debian-12 test_verify"),
)
OUT_OF_TIME = "NOT RUN: the time of this run was over; make test without MINUTES runs all"
# What has no mirror everywhere. Without Debian nothing would be tested, which must not look like success.
MAY_BE_MISSING = ("ubuntu-22.04", "ubuntu-24.04")


# What names a store, or a server of one, among a test's parameters.
STORE_PARAMETERS = ("store", "kind")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know how to try everything."""
    parser.addoption(
        "--every-system", action="store_true", help="try each store on each of its systems, not on one of them only"
    )
    parser.addoption("--none-after", type=int, help="begin no test after a moment, in seconds since 1970")


@dataclass(frozen=True)
class Deployed:
    """A host with the bot and its store, and the run that deployed it."""

    host: lab.Host
    kit: Kit
    run: Run


@pytest.fixture(scope="session")
def machines() -> Iterator[None]:
    """Have Docker, and no leftovers, before and after."""
    lab.ensure_engine()
    lab.remove_leftovers()
    yield
    lab.remove_run(lab.run_id())


@pytest.fixture(scope="session")
def images(machines: None) -> None:
    """Have Compose and its images."""
    have_images()


@pytest.fixture(scope="session")
def start(machines: None) -> Callable[..., lab.Host]:
    """Start a throwaway machine; a system that may be missing here, and is, is reported as not run."""

    def start_host(system: str, name: str, **options: Any) -> lab.Host:
        try:
            return start_machine(system, name, **options)
        except lab.Unavailable as error:
            if system not in MAY_BE_MISSING:
                raise
            pytest.skip(f"NOT RUN: {error}")

    return start_host


@pytest.fixture(scope="session")
def deployed(
    start: Callable[..., lab.Host],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Deployed]:
    """Deploy bot and store on one host of a system, once a session; a host that was not prepared serves for both."""

    @functools.cache
    def deploy(system: str, is_prepared: bool) -> Deployed:
        host = start(system, system if is_prepared else f"new-{system}", is_prepared=is_prepared)
        kit = Kit(
            tmp_path_factory.mktemp(system) / "inventory",
            {system: host.ansible_variables()},
            bots=[system],
            stores=[system],
            settings=machine_settings(system),
        )
        return Deployed(host, kit, kit.deploy())

    new: set[str] = set()

    def deployed_once(system: str, *, is_prepared: bool = True) -> Deployed:
        if not is_prepared:
            new.add(system)
        return deploy(system, system not in new)

    return deployed_once


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin no test after the moment that was set: a run that is ended from outside says nothing of any."""
    end = item.config.getoption("--none-after")
    if end and time.time() > end:
        pytest.skip(OUT_OF_TIME)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep together what shares a host: several processes run the tests, see scripts/test.sh."""
    if isinstance(item, pytest.Function):
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Function) -> str:
    """Name what one process runs without a break.

    What is done to the default system is more than half of all tests. Each process that takes a part of it has a host
    of its own: a deploy more costs less than to wait for the other parts.
    """
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    system = str(parameters.get("system", DEFAULT_SYSTEM))
    if "backends" in item.fixturenames:
        return f"servers {system}"
    if item.path.parent.name == "compose":
        return f"compose {parameters.get('store', item.path.stem)}"
    if system != DEFAULT_SYSTEM:
        return system
    return f"{system} {'stores' if 'store' in parameters else item.path.stem}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is tried on another system; begin with the groups that take longest, in each as they were."""
    if not config.getoption("--every-system"):
        for item, system in _tried_elsewhere(items):
            reason = f"NOT RUN: tried on {system}; make test-all tries each store on every system"
            item.add_marker(pytest.mark.skip(reason=reason))
    ranks = {name: rank for rank, name in enumerate(LONGEST)}

    def rank(item: pytest.Item) -> int:
        marker = item.get_closest_marker("xdist_group")
        return ranks.get(marker.args[0], len(ranks)) if marker else len(ranks)

    items.sort(key=rank)


def _tried_elsewhere(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, str]]:
    """Yield each test of a store that is there for another system, too, with that: the default one, or the first."""
    same: dict[tuple[str, ...], dict[str, pytest.Item]] = {}
    for item in items:
        parameters = (
            dict(item.callspec.params) if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        )
        system = parameters.pop("system", None)
        if system and any(name in parameters for name in STORE_PARAMETERS):
            others = [f"{name} {value}" for name, value in sorted(parameters.items())]
            same.setdefault((str(item.path), item.name.partition("[")[0], *others), {})[str(system)] = item
    for of_system in same.values():
        chosen = DEFAULT_SYSTEM if DEFAULT_SYSTEM in of_system else next(iter(of_system))
        yield from ((item, chosen) for system, item in of_system.items() if system != chosen)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that had no time for any test: it must not look like success."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or reporter.stats.get("passed"):
        return
    if any(report.longrepr[2].endswith(OUT_OF_TIME) for report in reporter.stats.get("skipped", [])):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _case(name: str, *, by_file: bool) -> str:
    """Name what was not run: a test's parameters, or where there may be hundreds, its file."""
    return name.partition("::")[0] if by_file else name.partition("[")[2].rstrip("]") or name


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was not run and why: nobody should take a store or a system for tested that was not."""
    cases = Counter(
        (_case(report.nodeid, by_file=report.longrepr[2].endswith(OUT_OF_TIME)), report.longrepr[2])
        for report in terminalreporter.stats.get("skipped", [])
    )
    if cases:
        terminalreporter.section("not run")
    for (case, reason), count in sorted(cases.items()):
        terminalreporter.write_line(f"{case}, {count} tests: {reason.removeprefix('Skipped: NOT RUN: ')}")
