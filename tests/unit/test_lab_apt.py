"""How the lab reads this machine's apt sources and settings."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import apt
from tests.lab.distributions import DEBIAN, UBUNTU, find

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
