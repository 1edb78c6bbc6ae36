"""Promises of `tracker_store_tls`: one switch, and no word between bot and store is in plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import testinfra
from cryptography.x509 import load_pem_x509_certificate

from tests.certificates import Certificate, own_certificates
from tests.conftest import Deployed
from tests.kit import Kit, Run, run

SYSTEM = "debian-12"
SENDER = "tls"
FOLDER = "/etc/steadfast-tls"
AUTHORITY = f"{FOLDER}/authority.pem"
CERTIFICATE = f"{FOLDER}/redis-tracker.crt"


@dataclass(frozen=True)
class Secured:
    """A host whose bot was switched to TLS, the dry run of that and the run that did it."""

    deployed: Deployed
    dry_run: Run
    run: Run

    def deploy(self, *arguments: str, **variables: Any) -> Run:
        """Deploy with TLS."""
        return self.deployed.kit.deploy(*arguments, tracker_store_tls=True, **variables)

    def read(self, path: str) -> str:
        """Read a file of the host."""
        return self.deployed.host.exec(["cat", path]).stdout

    def redis(self, *options: str) -> str:
        """Say PING to the store as somebody without a password; what redis-cli prints."""
        command = ["timeout", "10", "redis-cli", *options, "ping"]
        done = self.deployed.host.exec(command, check=False)
        return done.stdout + done.stderr


def control(kit: Kit, *arguments: str) -> str:
    """Return what `make talk` or `make show` prints."""
    return run("python", "-m", "control", "--inventory", str(kit.folder), *arguments).succeeded().output


@pytest.fixture(scope="module")
def secured(deployed: Callable[[str], Deployed]) -> Iterator[Secured]:
    """Switch a running bot over, and back at the end."""
    found = deployed(SYSTEM)
    found.run.succeeded()
    control(found.kit, "talk", SENDER, "Find me some good venues")
    dry_run = found.kit.deploy("--check", "--diff", tracker_store_tls=True)
    yield Secured(found, dry_run, found.kit.deploy("--diff", tracker_store_tls=True))
    found.kit.deploy().succeeded()


def test_bot_goes_on_over_tls(secured: Secured) -> None:
    """The conversation is where it was, and the next turn is stored."""
    secured.run.succeeded()
    assert "Rock Cellar has the best reviews" in control(secured.deployed.kit, "talk", SENDER, "compare the reviews")
    assert "compare the reviews" in control(secured.deployed.kit, "show", SENDER)
    assert "use_ssl: true" in secured.read("/etc/steadfast/endpoints.yml")


def test_plain_connections_are_refused(secured: Secured) -> None:
    """On the port that had been plain; in TLS there is an answer."""
    plain = secured.redis()
    assert "NOAUTH" not in plain
    assert "PONG" not in plain
    assert "NOAUTH" in secured.redis("--tls", "--cacert", AUTHORITY)


def test_second_deploy_changes_nothing(secured: Secured) -> None:
    """Neither a certificate nor a running service."""
    second = secured.deploy().succeeded()
    assert second.changed == {SYSTEM: 0}, second.output


def test_keys_stay_where_they_belong(secured: Secured) -> None:
    """The server's is for the server; the authority's never leaves the control machine, and no run prints one."""
    host = testinfra.get_host(f"docker://{secured.deployed.host.container_name}")
    assert sorted(host.file(FOLDER).listdir()) == ["authority.pem", "redis-tracker.crt", "redis-tracker.key"]
    key = host.file(f"{FOLDER}/redis-tracker.key")
    assert (key.user, key.mode) == ("redis", 0o400)
    made = secured.deployed.kit.folder / "secrets" / "tls"
    assert {path.name for path in made.iterdir()} == {
        *("authority.key", "authority.pem", f"{SYSTEM}.crt", f"{SYSTEM}.key"),
    }
    assert {path.stat().st_mode & 0o777 for path in made.glob("*.key")} == {0o600}
    assert secured.dry_run.succeeded().changed[SYSTEM] > 0
    for key_path in made.glob("*.key"):
        secret = key_path.read_text().splitlines()[1]
        assert secret not in secured.dry_run.output + secured.run.output, key_path
    found = secured.deployed.host.exec(
        "grep --recursive --files-with-matches 'PRIVATE KEY' /etc/steadfast*", check=False
    )
    assert found.stdout.split() == [f"{FOLDER}/redis-tracker.key"]


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"tracker_store": "memory"}, "the store 'memory' has no TLS to switch on"),
        ({"tracker_store_tls_key": "/server.key"}, "only tracker_store_tls_key is set: set all three, or none"),
        ({"tracker_store_options": {"use_ssl": False}}, "tracker_store_options.use_ssl is false"),
    ],
)
def test_wrong_settings_are_refused(secured: Secured, variables: dict[str, Any], named: str) -> None:
    """With one sentence, before the host is touched."""
    refused = secured.deploy(**variables)
    assert refused.status != 0
    (error,) = refused.errors
    assert named in error
    assert refused.changed == {SYSTEM: 0}


def test_certificate_of_another_host_is_refused(secured: Secured, tmp_path: Path) -> None:
    """Before anything changes: Rasa itself would not notice."""
    before = secured.read(CERTIFICATE)
    refused = secured.deploy(**own_certificates(tmp_path, ["elsewhere.example"]))
    assert refused.status != 0
    (error,) = refused.errors
    assert "it is a certificate of another host, elsewhere.example, but bots reach the server at 127.0.0.1" in error
    assert refused.changed == {SYSTEM: 0}
    assert secured.read(CERTIFICATE) == before


def test_server_of_another_authority_is_refused(secured: Secured, tmp_path: Path) -> None:
    """A server of the user's own, which this one is taken for: one sentence, and the bot stays as it was."""
    settings = {
        **secured.deployed.kit.settings,
        "tracker_store_tls": True,
        "tracker_store_options": {
            "url": "127.0.0.1",
            "username": "rasa",
            "password": secured.deployed.kit.secrets()["redis_password"],
        },
        "tracker_store_tls_authority": own_certificates(tmp_path, ["127.0.0.1"])["tracker_store_tls_authority"],
    }
    hosts = {SYSTEM: secured.deployed.host.ansible_variables()}
    kit = Kit(tmp_path / "inventory", hosts, bots=[SYSTEM], stores=[], settings=settings)
    before = secured.read("/etc/steadfast/endpoints.yml")
    refused = kit.deploy()
    assert refused.status != 0
    (error,) = refused.errors
    assert "the certificate of the Redis at 127.0.0.1:6379 cannot be verified" in error
    assert "set tracker_store_tls_authority" in error
    assert secured.read("/etc/steadfast/endpoints.yml") == before


def test_certificates_of_the_users_own(secured: Secured, tmp_path: Path) -> None:
    """The server presents theirs, and the bot believes their authority."""
    settings = own_certificates(tmp_path, ["127.0.0.1"])
    secured.deploy(**settings).succeeded()
    presented = secured.deployed.host.exec(
        "openssl s_client -connect 127.0.0.1:6379 </dev/null 2>/dev/null | openssl x509"
    ).stdout
    assert presented == Path(settings["tracker_store_tls_certificate"]).read_text()
    assert "Rock Cellar" in control(secured.deployed.kit, "talk", SENDER, "Find me some good venues")


def test_certificate_that_is_about_to_end_is_renewed(secured: Secured) -> None:
    """By the next deploy, from the same authority; the server presents the new one."""
    made = secured.deployed.kit.folder / "secrets" / "tls"
    authority = (made / "authority.pem").read_text()
    ending = Certificate(made, SYSTEM, addresses=["127.0.0.1"], days=(-60, 20))
    secured.deploy().succeeded()
    renewed = load_pem_x509_certificate((made / f"{SYSTEM}.crt").read_bytes())
    assert (renewed.not_valid_after_utc - ending.content.not_valid_after_utc).days > 700
    assert (made / "authority.pem").read_text() == authority
    assert secured.read(CERTIFICATE) == (made / f"{SYSTEM}.crt").read_text()
    assert "Rock Cellar" in control(secured.deployed.kit, "talk", SENDER, "Find me some good venues")


def test_back_to_plain(secured: Secured) -> None:
    """The switch works in both directions."""
    secured.deployed.kit.deploy().succeeded()
    assert "NOAUTH" in secured.redis()
    assert "use_ssl" not in secured.read("/etc/steadfast/endpoints.yml")
    assert "compare the reviews" in control(secured.deployed.kit, "show", SENDER)
