"""The lab's own logic, without Docker."""

import functools
import http.server
import ipaddress
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.lab import apt, cleanup, engine, networks, python_archive, runs
from tests.lab.certificates import ca_bundle
from tests.lab.distributions import DEBIAN, UBUNTU, find, systems
from tests.lab.errors import LabError
from tests.lab.images import recipe_hash

DEB822 = """\
# A comment
Types: deb deb-src
URIs: http://mirror.example/debian/
# Another one, in the middle
Suites: bookworm
 bookworm-updates
Components: main contrib

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Enabled: yes

Types: deb
URIs: http://switched-off.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb-src
URIs: http://source.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/vendor.gpg] https://vendor.example/linux bookworm main
deb http://archive.example/ubuntu/ jammy main universe  # why
deb http://archive.example/ubuntu jammy-updates main universe
deb http://archive.example/ubuntu jammy-security main universe
deb-src http://archive.example/ubuntu jammy main
deb http://flat.example/packages ./
"""
SETTINGS = """\
Acquire "";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::http::Proxy::mirror.example "DIRECT";
Acquire::https::Proxy "http://127.0.0.1:3142";
Acquire::Check-Valid-Until "false";
Acquire::http::User-Agent "mine";
APT::Sandbox::User "root";
"""


def test_one_line_sources() -> None:
    """Sources are read; comments and source packages are not."""
    assert list(apt.parse_list(ONE_LINE)) == [
        apt.Source("https://vendor.example/linux", "bookworm", ("main",)),
        apt.Source("http://archive.example/ubuntu", "jammy", ("main", "universe")),
        apt.Source("http://archive.example/ubuntu", "jammy-updates", ("main", "universe")),
        apt.Source("http://archive.example/ubuntu", "jammy-security", ("main", "universe")),
        apt.Source("http://flat.example/packages", "./", ()),
    ]


def test_deb822_sources() -> None:
    """Each suite of each address is read, unless it is disabled or of source packages."""
    assert list(apt.parse_deb822(DEB822)) == [
        apt.Source("http://mirror.example/debian", "bookworm", ("main", "contrib")),
        apt.Source("http://mirror.example/debian", "bookworm-updates", ("main", "contrib")),
        apt.Source("http://mirror.example/debian-security", "bookworm-security", ("main",)),
    ]


def test_machine_sources(tmp_path: Path) -> None:
    """Both formats count, and a machine without apt has none."""
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://one.example/debian bookworm main\n")
    (parts / "two.list").write_text("deb http://two.example/debian bookworm main\n")
    (parts / "three.sources").write_text(DEB822)
    (parts / "four.sources.disabled").write_text(DEB822)
    found = {source.uri for source in apt.machine_sources(tmp_path)}
    assert found == {
        "http://one.example/debian",
        "http://two.example/debian",
        "http://mirror.example/debian",
        "http://mirror.example/debian-security",
    }
    assert apt.machine_sources(tmp_path / "no-apt-here") == []


def test_mirror() -> None:
    """A distribution's mirror is told from another vendor's archive."""
    sources = [*apt.parse_list(ONE_LINE), *apt.parse_deb822(DEB822)]
    assert apt.mirror(DEBIAN, sources, {}) == apt.Mirror(
        "http://mirror.example/debian", "http://mirror.example/debian-security"
    )
    assert apt.mirror(UBUNTU, sources, {}) == apt.Mirror(
        "http://archive.example/ubuntu", "http://archive.example/ubuntu"
    )


def test_mirror_of_another_distribution() -> None:
    """It is not there, unless the environment names one."""
    sources = list(apt.parse_deb822(DEB822))
    assert apt.mirror(UBUNTU, sources, {}) is None
    named = {
        "STEADFAST_LAB_MIRROR_UBUNTU": "http://named.example/ubuntu/",
        "STEADFAST_LAB_MIRROR_DEBIAN": "http://named.example/debian",
    }
    assert apt.mirror(UBUNTU, sources, named) == apt.Mirror(
        "http://named.example/ubuntu", "http://named.example/ubuntu"
    )
    assert apt.mirror(DEBIAN, sources, named) == apt.Mirror(
        "http://named.example/debian", "http://named.example/debian-security"
    )


def test_suites() -> None:
    """A host gets the release, its updates, and security updates where they are known."""
    sources = apt.suites(find("debian-11"), apt.Mirror("http://m.example/debian", None))
    assert [source.suite for source in sources] == ["bullseye", "bullseye-updates"]
    sources = apt.suites(find("debian-11"), apt.Mirror("http://m.example/debian", "http://s"))
    assert apt.sources_list(sources) == (
        "deb http://m.example/debian bullseye main\n"
        "deb http://m.example/debian bullseye-updates main\n"
        "deb http://s bullseye-security main\n"
    )


def test_apt_settings() -> None:
    """Only what the mirror needs is kept, and no proxy on loopback for hosts."""
    settings = apt.parse_settings(SETTINGS)
    assert settings.conf == (
        'Acquire::http::Proxy "http://proxy.example:3128";\n'
        'Acquire::http::Proxy::mirror.example "DIRECT";\n'
        'Acquire::Check-Valid-Until "false";\n'
    )
    assert settings.proxies == {
        "http": "http://proxy.example:3128",
        "https": "http://127.0.0.1:3142",
    }


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[str]:
    """Serve an archive that has bookworm and nothing else; yield its address."""
    release = tmp_path / "dists/bookworm/InRelease"
    release.parent.mkdir(parents=True)
    release.write_text("Origin: Debian\n")

    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_lost_suite(archive: str) -> None:
    """A suite that an archive does not have is noticed."""
    assert apt.exists(apt.Source(archive, "bookworm", ("main",)), {})
    assert not apt.exists(apt.Source(archive, "bookworm-security", ("main",)), {})


def test_recipe_hash() -> None:
    """It changes with what is in the image, and with nothing else."""
    system = find("debian-12")
    sources = [apt.Source("http://m.example/debian", "bookworm", ("main",))]
    settings = apt.Settings("", {})
    first = recipe_hash(system, sources, settings)
    assert first == recipe_hash(system, list(sources), apt.Settings("", {"http": "unused"}))
    others = {
        recipe_hash(find("debian-13"), sources, settings),
        recipe_hash(system, [], settings),
        recipe_hash(system, sources, apt.Settings('Acquire::ForceIPv4 "true";\n', {})),
    }
    assert len(others | {first}) == 4


def test_unknown_system() -> None:
    """The error lists the known systems."""
    assert [system.name for system in systems().values()] == list(systems())
    with pytest.raises(LabError, match=r"'debian-9'; known: debian-11, .*ubuntu-24\.04"):
        find("debian-9")


def test_live_run() -> None:
    """What a live run has made is no leftover."""
    assert not runs.is_leftover(runs.labels())


def test_killed_run() -> None:
    """What a killed run has made is a leftover, even before its parent notices."""
    process = subprocess.Popen(("sleep", "60"))
    labels = {
        **runs.labels(),
        runs.PID: str(process.pid),
        runs.STARTED: runs.started(process.pid) or "",
    }
    assert not runs.is_leftover(labels)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert runs.is_leftover(labels)
    process.wait()
    assert runs.is_leftover(labels)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({runs.STARTED: "1"}, True, id="process number used again"),
        pytest.param({runs.PID: ""}, True, id="no process"),
        pytest.param({runs.STARTED: "1", runs.WHERE: "elsewhere"}, False, id="other machine"),
    ],
)
def test_leftover(change: dict[str, str], *, expected: bool) -> None:
    """A process number alone does not make a run alive, and elsewhere it says nothing."""
    assert runs.is_leftover({**runs.labels(), **change}) is expected


def test_foreign() -> None:
    """What is not the lab's is never a leftover."""
    assert not runs.is_leftover({})
    assert not runs.is_leftover({"com.docker.compose.project": "mine"})


def fake_resource(name: str, labels: dict[str, str], removed: list[str]) -> cleanup.Resource:
    """Return a resource that only notes its removal."""
    return cleanup.Resource("container", name, labels, lambda: removed.append(name))


def test_remove_leftovers() -> None:
    """What dead runs left is removed, all else stays."""
    removed: list[str] = []
    dead = {**runs.labels(), runs.STARTED: "1"}
    found = [
        fake_resource("dead", dead, removed),
        fake_resource("alive", runs.labels(), removed),
        fake_resource("foreign", {}, removed),
    ]
    assert cleanup.remove(cleanup.leftovers(found)) == ["container dead"]
    assert removed == ["dead"]


def test_remove_goes_on() -> None:
    """One that cannot be removed does not keep the others, and is named."""
    removed: list[str] = []

    def gone() -> None:
        raise docker.errors.NotFound("no such container")

    def busy() -> None:
        raise docker.errors.APIError("conflict", explanation="has active endpoints")

    found = [
        cleanup.Resource("container", "gone", {}, gone),
        cleanup.Resource("network", "busy", {}, busy),
        fake_resource("last", {}, removed),
    ]
    with pytest.raises(LabError, match="not removed: network busy: has active endpoints"):
        cleanup.remove(found)
    assert removed == ["last"]


def test_free_subnet() -> None:
    """A subnet overlaps none that is taken."""
    taken = [ipaddress.IPv4Network("10.213.0.0/17"), ipaddress.IPv4Network("10.213.128.0/18")]
    free = {networks.free_subnet(taken) for _ in range(200)}
    assert all(subnet.subnet_of(ipaddress.IPv4Network("10.213.192.0/18")) for subnet in free)
    with pytest.raises(LabError, match=r"no subnet of .* is free"):
        networks.free_subnet([ipaddress.IPv4Network("10.0.0.0/8")])


def test_routed_subnets(tmp_path: Path) -> None:
    """The default route takes no subnet."""
    table = tmp_path / "route"
    table.write_text(
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "tun0\t0000D50A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    )
    assert list(networks.routed_subnets(table)) == [ipaddress.IPv4Network("10.213.0.0/16")]


def test_next_address() -> None:
    """Each address is given once, until there is none."""
    network = networks.Network("n", ipaddress.IPv4Network("10.213.7.0/24"))
    assert [network.next_address() for _ in range(2)] == ["10.213.7.32", "10.213.7.33"]
    small = networks.Network("n", ipaddress.IPv4Network("10.213.7.0/27"))
    with pytest.raises(LabError, match="no address left"):
        small.next_address()


def test_ca_bundle(tmp_path: Path) -> None:
    """The machine's bundle counts only if it has more than the distribution's."""
    system, local, other = tmp_path / "system.crt", tmp_path / "local", tmp_path / "other.pem"
    system.touch()
    other.touch()
    assert ca_bundle({}, system, local) is None
    assert ca_bundle({"SSL_CERT_FILE": str(system)}, system, local) is None
    assert ca_bundle({"PIP_CERT": str(tmp_path / "none")}, system, local) is None
    assert ca_bundle({"REQUESTS_CA_BUNDLE": str(other)}, system, local) == other
    (local / "company").mkdir(parents=True)
    (local / "company/root.crt").touch()
    assert ca_bundle({}, system, local) == system


def fake_python(prefix: Path, version: tuple[int, int, int], says_prefix: Path | None = None) -> None:
    """Install a script that answers as an interpreter of that version would."""
    answer = {
        "version": version,
        "prefix": str(says_prefix or prefix),
        "implementation": "CPython",
    }
    (prefix / "bin").mkdir(parents=True)
    program = prefix / "bin/python3"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    program.chmod(0o755)


def test_interpreters(tmp_path: Path) -> None:
    """What runs and has a folder of its own is found; shims and other versions are not."""
    versions = tmp_path / "pyenv/versions"
    for version in ((3, 7, 16), (3, 9, 18), (3, 10, 13), (3, 11, 7)):
        fake_python(versions / ".".join(map(str, version)), version)
    # A virtual environment that stands on the distribution's own Python.
    fake_python(versions / "environment", (3, 9, 2), Path("/usr"))
    fake_python(tmp_path / "home/.local/share/uv/python/cpython-3.8.20-linux", (3, 8, 20))
    shim = tmp_path / "shims/python3.10"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.10: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    environ = {"PATH": str(shim.parent), "PYENV_ROOT": str(tmp_path / "pyenv")}
    found = python_archive.interpreters(environ, tmp_path / "home")
    assert sorted(interpreter.version for interpreter in found) == [
        (3, 8, 20),
        (3, 9, 18),
        (3, 10, 13),
    ]
    assert max(found).prefix == versions / "3.10.13"


def test_no_interpreter(tmp_path: Path) -> None:
    """A machine without a fitting Python is no error."""
    assert python_archive.interpreters({"PATH": str(tmp_path)}, tmp_path) == set()


def test_archive(tmp_path: Path) -> None:
    """It has what runs programs, and the same bytes each time."""
    prefix = tmp_path / "3.10.13"
    for name in (
        "bin/python3.10",
        "bin/pip3.10",
        "bin/python3.10-config",
        "include/python3.10/Python.h",
        "lib/libpython3.10.so.1.0",
        "lib/python3.10/os.py",
        "lib/python3.10/ensurepip/_bundled/pip.whl",
        "lib/python3.10/__pycache__/os.cpython-310.pyc",
        "lib/python3.10/config-3.10/libpython3.10.a",
        "lib/python3.10/site-packages/extra.py",
        "lib/python3.10/test/test_os.py",
        "lib/python3.10/unittest/test/test_case.py",
        "lib/python3.10/idlelib/idle.py",
        "share/man/python3.1",
    ):
        path = prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (prefix / "bin/python3").symlink_to("python3.10")
    interpreter = python_archive.Interpreter((3, 10, 13), prefix)
    first, second = tmp_path / "first.tar.gz", tmp_path / "second.tar.gz"
    python_archive.pack(interpreter, first)
    os.utime(prefix / "lib/python3.10/os.py", (1, 1))
    python_archive.pack(interpreter, second)
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as tar:
        files = {entry.name for entry in tar if not entry.isdir()}
        assert tar.getmember("python/bin/python3").linkname == "python3.10"
    assert files == {
        "python/bin/python3",
        "python/bin/python3.10",
        "python/include/python3.10/Python.h",
        "python/lib/libpython3.10.so.1.0",
        "python/lib/python3.10/os.py",
        "python/lib/python3.10/ensurepip/_bundled/pip.whl",
    }


@pytest.fixture
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the lab at a socket that nobody serves; return an empty folder on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return programs


@pytest.mark.usefixtures("no_engine")
def test_engine_without_root(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who may not start an Engine is told so in one sentence."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="only root can start or install one"):
        engine.ensure_engine()


@pytest.mark.usefixtures("no_engine")
def test_engine_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Engine on another machine is not started here."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(LabError, match="which DOCKER_HOST names"):
        engine.ensure_engine()


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        pytest.param("exit 3", "dockerd ended with exit code 3", id="ends"),
        pytest.param("exec sleep 60", "no Docker Engine answers at .* after 1 s", id="hangs"),
    ],
)
def test_engine_fails(no_engine: Path, monkeypatch: pytest.MonkeyPatch, then: str, reason: str) -> None:
    """An Engine that does not start shows the end of its log."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    dockerd = no_engine / "dockerd"
    dockerd.write_text(f'#!/bin/sh\necho "failed to start daemon: why"\n{then}\n')
    dockerd.chmod(0o755)
    with pytest.raises(LabError, match=f"(?s){reason}.*failed to start daemon: why"):
        engine.ensure_engine(timeout=1)
