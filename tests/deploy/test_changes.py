"""A deploy over a running bot restarts what a change touches, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import Deployed
from tests.kit import run

SERVICES = ("rasa", "rasa-actions", "redis-tracker")


def process_ids(found: Deployed) -> dict[str, str]:
    """Read the main process of each service."""
    show = "systemctl show --value --property=MainPID"
    return {name: found.host.exec(f"{show} {name}").stdout.strip() for name in SERVICES}


def restarted(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Name the services whose process is another one."""
    return {name for name in SERVICES if before[name] != after[name]}


def test_changed_channel_restarts_rasa_only(deployed: Callable[[str], Deployed]) -> None:
    """It is no business of the store or of the action server."""
    found = deployed("debian-12")
    before = process_ids(found)
    found.kit.deploy(rasa_credentials={"rest": {}, "callback": {"url": "http://127.0.0.1:9/"}}).succeeded()
    assert restarted(before, process_ids(found)) == {"rasa"}


def test_weakened_redis_is_mended_and_restarted(deployed: Callable[[str], Deployed]) -> None:
    """Somebody edits its configuration on the host: the file and the process are put right."""
    found = deployed("debian-12")
    found.kit.deploy().succeeded()
    found.host.exec("sed -i 's/^appendfsync always/appendfsync no/' /etc/redis/tracker.conf")
    found.host.exec("systemctl restart redis-tracker")
    before = process_ids(found)
    found.kit.deploy().succeeded()
    assert restarted(before, process_ids(found)) == {"redis-tracker"}
    assert "appendfsync always" in found.host.exec("cat /etc/redis/tracker.conf").stdout


def test_redis_starts_on_what_a_power_cut_leaves(deployed: Callable[[str], Deployed]) -> None:
    """A command that is cut short, and zeros behind it, where the disk was not written any more."""
    found = deployed("debian-12")
    found.kit.deploy().succeeded()
    talk = ("python", "-m", "control", "--inventory", str(found.kit.folder), "talk", "power-cut")
    run(*talk, "Find me some good venues").succeeded()
    found.host.exec(
        "systemctl stop redis-tracker && cd /var/lib/redis/tracker/appendonlydir && "
        "printf '*3\\r\\n$3\\r\\nSE' >>$(ls *.incr.aof) && truncate --size=+6000 *.incr.aof && "
        "systemctl start redis-tracker"
    )
    said = found.host.exec("journalctl --unit redis-tracker --output cat --no-pager").stdout
    assert "ended with 6000 zeros, as a power cut leaves them; they are cut off." in said
    assert "Rock Cellar has the best reviews" in run(*talk, "compare the reviews").succeeded().output
    assert found.kit.deploy().succeeded().changed == {"debian-12": 0}
