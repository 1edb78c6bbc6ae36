"""Servers on throwaway machines: one machine per system, with all its servers, for all tests."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from steadfast.servers.server import Server
from tests import lab
from tests.servers.backends import BACKENDS
from tests.servers.backends.backend import Backend
from tests.servers.proxy import Proxy

DISK_MEGABYTES = 2048


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test on every server; those that restart it or cut it off on those that have a process."""
    if "kind" in metafunc.fixturenames:
        kinds = [kind for kind in BACKENDS if kind.service or "proxy" not in metafunc.fixturenames]
        if "full" in metafunc.function.__name__:
            kinds = [kind for kind in kinds if kind.can_be_full]
        if "disk" in metafunc.function.__name__:
            kinds = [kind for kind in BACKENDS if kind.data]
        oldest = -1 if metafunc.definition.get_closest_marker("newest") else 0
        cases = [(kind, system) for kind in kinds for system in BACKENDS[kind][oldest:]]
        names = [f"{kind.name}-{system}" for kind, system in cases]
        metafunc.parametrize(("kind", "system"), cases, ids=names, scope="session")


@pytest.fixture(scope="session")
def backends(start: Callable[..., lab.Host]) -> Callable[[type[Backend], str], Backend]:
    """Start the machine of a system, with all its servers, once a session."""
    hosts: dict[str, dict[type[Backend], Backend]] = {}

    def start_servers(system: str) -> dict[type[Backend], Backend]:
        host = start(system, f"servers-{system}", disks=True)
        kinds = [kind for kind, systems in BACKENDS.items() if system in systems]
        for kind in kinds:
            if kind.data:
                lab.add_disk(host, kind.data, DISK_MEGABYTES)
                # A server would take it for a database.
                host.exec(f"rmdir {kind.data}/lost+found")
        host.install(*(package for kind in kinds for package in kind.packages))
        found = {kind: kind(host) for kind in kinds}
        for backend in found.values():
            backend.configure()
        return found

    def backend(kind: type[Backend], system: str) -> Backend:
        if system not in hosts:
            hosts[system] = start_servers(system)
        return hosts[system][kind]

    return backend


@pytest.fixture
def backend(backends: Callable[[type[Backend], str], Backend], kind: type[Backend], system: str) -> Backend:
    """Give the server that the test is run on."""
    return backends(kind, system)


@pytest.fixture
def proxy(backend: Backend) -> Iterator[Proxy]:
    """Give a proxy before the server."""
    opened = Proxy(backend.host.ip, backend.port)
    yield opened
    opened.close()


@pytest.fixture
def place() -> str:
    """Give the test a place of its own on the server."""
    return f"t{uuid.uuid4().hex}"


@pytest.fixture
def server(backend: Backend, place: str) -> Iterator[Server]:
    """Open the test's place with the class under test."""
    opened = backend.open(place)
    yield opened
    opened.close()
