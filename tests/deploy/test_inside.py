"""Runs tests/inside with the Rasa of a deployed bot host: its interpreter, its packages, its account."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from importlib.metadata import version

from tests.conftest import Deployed
from tests.kit import REPOSITORY
from tests.machines import DEFAULT_SYSTEM

FOLDER = "/opt/steadfast-inside"
# What pytest needs; Rasa brings the rest.
PACKAGES = ("pytest", "pluggy", "iniconfig", "pygments")
# For Pythons before 3.11 only, so the control machine may have none.
BACKPORTS = ("exceptiongroup==1.3.0", "tomli==2.2.1")
FILES = ("steadfast", "rasa_project", "tests/__init__.py", "tests/inside")
SECONDS = 600


def packed() -> bytes:
    """Pack what the tests need."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name in FILES:
            archive.add(REPOSITORY / name, name)
    return content.getvalue()


def test_promises_hold_inside_rasa(deployed: Callable[[str], Deployed]) -> None:
    """Every promise of tests/inside holds with the Rasa that a deploy installs."""
    host = deployed(DEFAULT_SYSTEM).host
    host.exec(f"rm -rf {FOLDER} && mkdir -p {FOLDER}")
    host.put(packed(), f"{FOLDER}/inside.tar")
    host.exec(f"tar -xf {FOLDER}/inside.tar -C {FOLDER} && chown -R rasa: {FOLDER}")
    packages = " ".join([*(f"{name}=={version(name)}" for name in PACKAGES), *BACKPORTS])
    host.exec(
        f"/opt/steadfast/bin/uv pip install --quiet --no-deps --python /opt/steadfast/venv-*/bin/python "
        f"--target {FOLDER}/packages {packages}",
        environment={"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"},
    )
    pytest = "-m pytest -q -p no:cacheprovider --disable-warnings --tb=short tests/inside"
    try:
        told = host.exec(
            f"cd {FOLDER} && runuser -u rasa -- env HOME={FOLDER} RASA_TELEMETRY_ENABLED=false CUDA_VISIBLE_DEVICES=-1 "
            f"SQLALCHEMY_SILENCE_UBER_WARNING=1 PYTHONPATH={FOLDER}:{FOLDER}/packages "
            f"/opt/steadfast/venv-*/bin/python {pytest}",
            timeout=SECONDS,
        )
    finally:
        host.exec(f"rm -rf {FOLDER}")
    # The exit status is that of pytest, which is not zero when nothing ran.
    print(told.stdout.strip().splitlines()[-1])
