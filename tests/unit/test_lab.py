"""Systems, their images and this machine's certificates, without Docker."""

from pathlib import Path

import pytest

from tests.lab import apt
from tests.lab.certificates import ca_bundle
from tests.lab.distributions import find, systems
from tests.lab.errors import LabError
from tests.lab.images import recipe_hash


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
