"""Docker Compose: which versions do, and how the plugin is installed."""

import os
from pathlib import Path

import pytest

from tests.lab import apt, compose, newer
from tests.lab.errors import LabError

DOCKER = """#!/bin/sh
[ -x "$PLUGINS/docker-compose" ] || { echo "docker: unknown command: docker compose"; exit 1; }
echo v2.26.1
"""
# As apt does with a file that does not have the hash that the signed index names.
REFUSED = "E: Failed to fetch docker-compose.deb  Hash Sum mismatch"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a folder with a docker that knows no Compose before PATH, and a mirror into apt's sources."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PLUGINS", str(tmp_path / "plugins"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(compose, "ensure_engine", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(apt, "mirror", lambda *_: apt.Mirror("http://m.example/debian", None))
    write(folder / "docker", DOCKER)
    return folder


def write(path: Path, script: str) -> None:
    """Write a program."""
    path.write_text(script)
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("shown", "version"),
    [
        ("2.26.1-4\n", "2.26.1-4"),
        ("v2.29.7\n", "2.29.7"),
        ("v10.0.0\n", "10.0.0"),
        ("1.29.2\n", None),
        ("docker-compose version 1.29.2\n", None),
        ("", None),
    ],
)
def test_parse_version(shown: str, version: str | None) -> None:
    """Compose 2 and newer do, with and without the v."""
    assert compose.parse_version(shown) == version


def test_installed(programs: Path, tmp_path: Path) -> None:
    """The plugin of the package comes into the folder, and once only."""
    write(
        programs / "apt-get", '#!/bin/sh\ncase "$*" in *download*) echo package >docker-compose_2_amd64.deb ;; esac\n'
    )
    program = "$3/usr/libexec/docker/cli-plugins/docker-compose"
    write(
        programs / "dpkg-deb",
        f'#!/bin/sh\nmkdir -p "${{3}}/usr/libexec/docker/cli-plugins"\ninstall -m 755 "$2" "{program}"\n',
    )
    plugins = tmp_path / "plugins"
    assert compose.ensure_compose(plugins) == "2.26.1"
    assert [path.name for path in plugins.iterdir()] == ["docker-compose"]
    write(programs / "apt-get", "#!/bin/sh\nexit 1\n")
    assert compose.ensure_compose(plugins) == "2.26.1"


def test_other_hash(programs: Path, tmp_path: Path) -> None:
    """A package that apt refuses is not unpacked, nor is one of an earlier download."""
    folder = tmp_path / "cache/steadfast-lab/compose"
    folder.mkdir(parents=True)
    (folder / "docker-compose_1_amd64.deb").touch()
    write(programs / "apt-get", f'#!/bin/sh\ncase "$*" in *download*) echo "{REFUSED}"; exit 100 ;; esac\n')
    with pytest.raises(LabError, match=r"docker-compose of Debian trixie cannot be had: .*Hash Sum mismatch"):
        compose.ensure_compose(tmp_path / "plugins")
    assert not (tmp_path / "plugins").exists()
    assert not list(folder.glob("*.deb"))


@pytest.mark.usefixtures("programs")
def test_no_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who may not install it is told so."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="docker compose is missing and only root can install it"):
        compose.ensure_compose(tmp_path / "plugins")


def test_no_mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Debian's archive there is none."""
    monkeypatch.setattr(apt, "mirror", lambda *_: None)
    with pytest.raises(LabError, match="no Debian mirror in this machine's apt"):
        newer.unpack_newer("docker-compose", tmp_path)
