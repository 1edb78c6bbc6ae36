"""Promises of a deploy of bot and store on one host, on every supported system."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import testinfra

from tests.conftest import Deployed
from tests.machines import DEFAULT_SYSTEM

SYSTEMS = ("debian-12", "debian-11", "debian-13", "ubuntu-22.04", "ubuntu-24.04")
SERVICES = ("rasa", "rasa-actions", "redis-tracker")

pytestmark = pytest.mark.parametrize("system", SYSTEMS)

Deployments = Callable[[str], Deployed]


@pytest.fixture(scope="session")
def deployed(deployed: Callable[..., Deployed]) -> Deployments:
    """Install everything on the default system; on the others a prepared host will do, which was installed likewise."""
    return lambda system: deployed(system, is_prepared=system != DEFAULT_SYSTEM)


def test_deploy_ends_with_the_bots_answer(deployed: Deployments, system: str) -> None:
    """What a newcomer sees last: the answer, where the bot listens, the commands to go on with."""
    output = deployed(system).run.succeeded().output
    assert "Bot:  Big Arena, Rock Cellar" in output
    assert "http://127.0.0.1:5005" in output
    for command in ("make talk", "make show", "make verify", "make remove"):
        assert command in output


def test_second_deploy_changes_nothing(deployed: Deployments, system: str) -> None:
    """Neither a file, nor a model, nor a running service."""
    found = deployed(system)
    state = (
        f"systemctl show --property=ExecMainStartTimestampMonotonic,MainPID {' '.join(SERVICES)};"
        "find /var/lib/steadfast/models /etc/steadfast /opt/steadfast -maxdepth 1 -printf '%p %T@\n'"
    )
    before = found.host.exec(state).stdout
    second = found.kit.deploy().succeeded()
    assert second.changed == {system: 0}, second.output
    assert found.host.exec(state).stdout == before


@pytest.mark.parametrize("service", SERVICES)
def test_service_runs_and_starts_at_boot(deployed: Deployments, system: str, service: str) -> None:
    """Under systemd."""
    host = testinfra.get_host(f"docker://{deployed(system).host.container_name}")
    assert host.service(service).is_running
    assert host.service(service).is_enabled


@pytest.mark.parametrize("name", ["endpoints.yml", "credentials.yml", "token"])
def test_configuration_is_for_the_bots_account_only(deployed: Deployments, system: str, name: str) -> None:
    """It has the passwords."""
    host = testinfra.get_host(f"docker://{deployed(system).host.container_name}")
    file = host.file(f"/etc/steadfast/{name}")
    assert (file.user, file.mode) == ("rasa", 0o400)


def test_packages_own_redis_stays_off(deployed: Deployments, system: str) -> None:
    """The distribution's instance would listen without a password after the next boot."""
    host = testinfra.get_host(f"docker://{deployed(system).host.container_name}")
    assert host.package("redis-server").is_installed
    assert not host.service("redis-server").is_enabled
    assert not host.service("redis-server").is_running


@pytest.mark.parametrize("service", SERVICES)
def test_services_are_sandboxed(deployed: Deployments, system: str, service: str) -> None:
    """The exposure that systemd measures, from 0 to 10, is 2.0 or better."""
    found = deployed(system).host.exec(f"systemd-analyze security --no-pager {service}").stdout
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", found)
    assert exposure, found
    assert float(exposure[1]) <= 2.0


def test_redis_keeps_every_write(deployed: Deployments, system: str) -> None:
    """The configuration that it runs with, not the one that was meant."""
    configuration = deployed(system).host.exec("cat /etc/redis/tracker.conf").stdout
    for line in ("appendonly yes", "appendfsync always", "maxmemory-policy noeviction"):
        assert line in configuration.splitlines()
    assert deployed(system).host.exec("ls /var/lib/redis/tracker").stdout.strip()


def test_redis_refuses_everything_but_the_trackers_work(deployed: Deployments, system: str) -> None:
    """No password, foreign keys, dangerous commands: refused. The tracker's own: served."""
    found = deployed(system)
    password = found.kit.secrets()["redis_password"]

    def redis(command: str, *, login: bool = True) -> str:
        user = "--user rasa" if login else ""
        environment = {"REDISCLI_AUTH": password} if login else {}
        return found.host.exec(f"redis-cli {user} {command} 2>&1", environment=environment, check=False).stdout

    assert "NOAUTH" in redis("ping", login=False)
    assert "PONG" in redis("ping")
    assert "OK" in redis("setex rasa:tracker:acl-test 5 x")
    assert "NOPERM" in redis("get another:key")
    dangerous = ("keys '*'", "config get dir", "flushall", "replicaof no one", "acl list", "save", "shutdown")
    for command in dangerous:
        assert "NOPERM" in redis(command), command


def test_nothing_listens_beyond_loopback(deployed: Deployments, system: str) -> None:
    """Bot, action server and store are reachable from the host itself only."""
    listening = deployed(system).host.exec("ss --listening --tcp --numeric --no-header").stdout
    addresses = {line.split()[3] for line in listening.splitlines()}
    ports = {"5005", "5055", "6379"}
    assert {f"127.0.0.1:{port}" for port in ports} == {
        address for address in addresses if address.rpartition(":")[2] in ports
    }


def test_http_api_needs_the_token(deployed: Deployments, system: str) -> None:
    """The REST channel is for users; the HTTP API is not."""
    found = deployed(system)
    script = (
        "import sys, urllib.error, urllib.request\n"
        "for url in sys.argv[1:]:\n"
        "    try: print(urllib.request.urlopen(url).status)\n"
        "    except urllib.error.HTTPError as error: print(error.code)\n"
    )
    url = "http://127.0.0.1:5005/status"
    token = found.kit.secrets()["rasa_api_token"]
    answer = found.host.exec(["python3", "-c", script, url, f"{url}?token={token}"])
    assert answer.stdout.split() == ["401", "200"]


def test_secrets_stay_secret(deployed: Deployments, system: str) -> None:
    """Not in what deploy prints, not in process lists, logs or files that others can read."""
    found = deployed(system)
    places = {
        "output": found.run.output,
        "processes": found.host.exec("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout,
        "journal": found.host.exec("journalctl --no-pager").stdout,
    }
    where = {"rasa_api_token": "/etc/steadfast/token", "redis_password": "/etc/steadfast/endpoints.yml"}
    for name, secret in found.kit.secrets().items():
        # The search below would find it, were it readable.
        assert secret in found.host.exec(f"cat {where[name]}").stdout
        assert [place for place, text in places.items() if secret in text] == [], name
        readable = found.host.exec(
            "grep --recursive --files-with-matches --fixed-strings --regexp "
            f"{secret} /etc /opt/steadfast/bin /var/lib/steadfast /var/log 2>/dev/null | "
            "xargs --no-run-if-empty stat --format '%a %n'",
            check=False,
        ).stdout
        loose = [line for line in readable.splitlines() if not line.split()[0].endswith("00")]
        assert loose == [], name


def test_facts_tell_what_is_deployed(deployed: Deployments, system: str) -> None:
    """Verify, show and remove read them; so may a person."""
    fact = json.loads(deployed(system).host.exec("cat /etc/steadfast/facts/bot.fact").stdout)
    assert fact["tracker_store"] == "redis"
    assert fact["rasa_version"] == "3.6.21"
    assert fact["service_manager"] == "systemd"
