"""Disks of the lab's hosts: what is done in the host, without Docker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest
from docker.models.containers import Container

from tests.lab.disk import add_disk
from tests.lab.host import Host, Result


class RecordedHost(Host):
    """Notes what is run and copied there."""

    def __init__(self, *, systemd: bool) -> None:
        """Stand for a host, with systemd or without."""
        super().__init__(cast(Container, None), "store", "debian-12", systemd=systemd)
        self.commands: list[str] = []
        self.files: dict[str, str] = {}

    def exec(
        self,
        command: str | Sequence[str],
        *,
        check: bool = True,
        user: str = "root",
        timeout: float = 600.0,
        environment: Mapping[str, str] | None = None,
    ) -> Result:
        """Note it."""
        self.commands.append(str(command))
        return Result(0, "", "")

    def put(self, source: Path | bytes, destination: str, mode: int | None = None) -> None:
        """Note it."""
        assert isinstance(source, bytes)
        self.files[destination] = source.decode()


@pytest.mark.parametrize("file_system", ["ext4", "xfs"])
def test_disk_is_mounted_by_its_line(file_system: str) -> None:
    """As whoever mounts it again does; there are loop devices by then."""
    host = RecordedHost(systemd=True)
    add_disk(host, "/var/lib/redis/tracker", file_system=file_system)
    image = "/var/lib/lab-disks/var-lib-redis-tracker"
    devices, made = host.commands[:2]
    assert devices in host.files
    assert f"mkfs.{file_system}" in made
    assert f"'{image} /var/lib/redis/tracker {file_system} loop" in made
    assert made.endswith("mount /var/lib/redis/tracker")


@pytest.mark.parametrize("systemd", [True, False])
def test_devices_are_there_before_the_disks_at_boot(systemd: bool) -> None:
    """A container's /dev begins without them; without systemd nothing is mounted at boot."""
    host = RecordedHost(systemd=systemd)
    add_disk(host, "/srv/data")
    units = [text for path, text in host.files.items() if path.endswith(".service")]
    assert len(units) == systemd
    assert all("Before=local-fs-pre.target" in unit for unit in units)
    assert any("systemctl enable" in command for command in host.commands) == systemd
