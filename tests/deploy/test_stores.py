"""Promises of every store on its real server: the bot of a running host is switched to it, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import testinfra

from tests.certificates import Certificate, own_certificates
from tests.deploy.cases import every, has_administrator, has_server, is_elsewhere, is_first, loses, mends, tries_tls
from tests.deploy.switched import Switch, Switched
from tests.kit import run
from tests.stores import definition, known, tls_options

SENDERS = ((1, "me"), (2, "Me"))
# As Rasa does when it starts.
RASAS_TABLE = """
import sys
import sqlalchemy
from rasa.core.tracker_store import SQLTrackerStore
SQLTrackerStore.Base.metadata.create_all(sqlalchemy.create_engine(sys.argv[1]))
"""
PORTS = {"3306", "5005", "5055", "5432", "6379", "33060"}


def verdicts(found: Switched, folder: Path, only: Iterable[str] = ()) -> dict[str, str]:
    """Verify, all or some scenarios, and return what is said of each scenario; the exit status must say the same."""
    report = folder / "verify.json"
    done = found.kit.verify(report, only)
    (bot,) = json.loads(report.read_text())["bots"]
    said = {scenario["scenario"]: scenario["verdict"] for scenario in bot["scenarios"]}
    assert done.status == (0 if set(said.values()) == {"PERSISTED"} else 1), done.output
    return said


@every()
def test_switch_ends_with_the_bots_answer(switch: Switch, store: str, system: str) -> None:
    """And names the store."""
    output = switch(store, system).run.succeeded().output
    assert "Bot:  Big Arena, Rock Cellar" in output
    assert f"its conversations are in {store} at " in output


@every()
def test_second_deploy_changes_nothing(switch: Switch, store: str, system: str) -> None:
    """Neither a file nor a table nor an account."""
    second = switch(store, system).deploy().succeeded()
    assert second.changed == {system: 0}, second.output


@every()
def test_show_lists_what_was_said(switch: Switch, store: str, system: str) -> None:
    """Straight from the store."""
    found = switch(store, system)
    assert "deploy" in found.control("list")
    shown = found.control("show", "deploy")
    assert "Find me some good venues" in shown
    assert "action_search_venues" in shown


@every(has_server)
def test_server_runs_in_a_sandbox(switch: Switch, store: str, system: str) -> None:
    """It starts at boot, and what systemd measures, from 0 to 10, is 2.0 or better."""
    found = switch(store, system)
    name = definition(store)["server_service"]
    service = testinfra.get_host(f"docker://{found.host.container_name}").service(name)
    assert service.is_running
    assert service.is_enabled
    measured = found.host.exec(f"systemd-analyze security --no-pager {name}").stdout
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", measured)
    assert exposure, measured
    assert float(exposure[1]) <= 2.0


@every()
def test_nothing_listens_beyond_loopback(switch: Switch, store: str, system: str) -> None:
    """The only bot is on the same host."""
    listening = switch(store, system).host.exec("ss --listening --tcp --numeric --no-header").stdout
    addresses = {line.split()[3] for line in listening.splitlines()}
    assert {address for address in addresses if address.rpartition(":")[2] in PORTS} <= {
        f"127.0.0.1:{port}" for port in PORTS
    }


@every(has_server)
def test_wrong_login_is_refused_before_the_bot_changes(switch: Switch, store: str, system: str, tmp_path: Path) -> None:
    """A server of the user's own, which this one is taken for: one sentence, and the bot stays as it was."""
    found = switch(store, system)
    before = found.state()
    options = {"url": "127.0.0.1", "username": "rasa", "password": "not-the-right-password"}
    refused = found.external(tmp_path / "inventory", tracker_store_options=options)
    refused.failed_with("password")
    assert "not-the-right-password" not in refused.output
    assert found.state() == before


@every(has_administrator)
def test_server_that_cannot_be_used_is_refused(switch: Switch, store: str, system: str) -> None:
    """It is down, has no such database, or gives the account too few rights: one sentence each."""
    found = switch(store, system)
    options = found.options()
    assert "nothing listens at 127.0.0.1:9: start the" in found.refusal({**options, "port": 9})
    assert re.search(r"'db' \(?absent|\(absent\)|\"absent\"", found.refusal({**options, "db": "absent"}))
    take, give = known(store)["right"]
    found.sql(take)
    try:
        assert "the user 'username' (rasa) may not INSERT in" in found.refusal(options)
    finally:
        found.sql(give)
    assert found.steadfast("probe", options).exit_code == 0


@every(lambda store, system: not has_server(store, system))
@pytest.mark.parametrize(
    ("folder", "sentence"),
    [
        ("/srv/full", "the disk with the file 'db' (/srv/full/tracker.db) is full or broken"),
        (
            "/srv",
            "the file 'db' (/srv/tracker.db) cannot be opened: make it and its folder writable for the bot's user",
        ),
    ],
    ids=["full disk", "folder of another account"],
)
def test_file_that_cannot_be_written_is_refused(
    switch: Switch, store: str, system: str, folder: str, sentence: str
) -> None:
    """On a real disk of 16 KB, and in a folder of root's: one sentence each."""
    found = switch(store, system)
    found.host.exec("mkdir -p /srv/full && mount -t tmpfs -o size=16k,mode=0777 tmpfs /srv/full")
    try:
        assert sentence in found.refusal({**found.options(), "db": f"{folder}/tracker.db"}, "prepare")
    finally:
        found.host.exec("umount /srv/full")


@every(mends)
def test_table_of_rasas_own_is_mended_in_place(switch: Switch, store: str, system: str) -> None:
    """Single precision becomes double, 64 KB become 4 GB, senders that differ in case are two; every row is kept."""
    found = switch(store, system)
    owner = {"username": "rasa_owner", "password": found.kit.secrets()[f"{store}_owner_password"]}
    event = {"event": "slot", "name": "note", "value": "x" * 50000, "timestamp": 1795239765.7654321}
    row = "INSERT INTO events (id, sender_id, type_name, timestamp, data) VALUES "
    found.sql("RENAME TABLE events TO kept")
    try:
        found.python(RASAS_TABLE, known(store)["administrator"])
        found.sql(
            *(f"{row} ({number}, '{who}', 'slot', 1795239765.77, '{json.dumps(event)}')" for number, who in SENDERS)
        )
        assert "deploy again" in found.refusal(found.options())
        changed = json.loads(found.steadfast("prepare", {**found.options(), **owner}).stdout)["changed"]
        assert any(change.startswith("mends the columns") for change in changed)
        assert json.loads(found.steadfast("prepare", {**found.options(), **owner}).stdout)["changed"] == []
        assert found.steadfast("probe", found.options()).exit_code == 0
        rows = found.sql("SELECT id, sender_id, timestamp, data FROM events WHERE sender_id = 'Me'")
        assert [(*row[:3], json.loads(row[3])) for row in rows] == [(2, "Me", event["timestamp"], event)]
        assert found.sql("SELECT COUNT(*) FROM events") == [[len(SENDERS)]]
    finally:
        found.sql("DROP TABLE IF EXISTS events", "RENAME TABLE kept TO events")


@every(is_first)
def test_verify_says_what_survives(switch: Switch, store: str, system: str, tmp_path: Path) -> None:
    """Every turn, whatever restarts."""
    assert set(verdicts(switch(store, system), tmp_path).values()) == {"PERSISTED"}


@every(is_first)
def test_every_event_is_kept_with_its_effect(switch: Switch, store: str, system: str) -> None:
    """As tests/events/events.yml says, through a restart of everything."""
    run("python", "-m", "tests.events", "--inventory", str(switch(store, system).kit.folder)).succeeded()


@every(is_elsewhere)
def test_conversations_move_in(switch: Switch, store: str, system: str) -> None:
    """What was said before the switch is copied to where the bot is now, which goes on from there."""
    found = switch(store, system)
    # Both stores have one of this name, from each one's deploy.
    found.control("forget", "deploy")
    found.host.exec("systemctl stop rasa")
    try:
        found.kit.playbook("migrate", migrate_from="redis", migrate_to=store).succeeded()
        assert " 0 in conflict, 0 failed." in found.control("migrate", "redis", store)
    finally:
        found.host.exec("systemctl start rasa && runuser -u rasa -- /opt/steadfast/bin/steadfast wait --seconds 120")
    assert "Rock Cellar has the best reviews" in found.talk("before-the-switch", "compare the reviews")


@every(has_administrator)
def test_server_of_ones_own_is_used_as_it_is(switch: Switch, store: str, system: str, tmp_path: Path) -> None:
    """The kit's, which is taken for one: the bot goes on there, and the server is left alone."""
    found = switch(store, system)
    process = f"systemctl show --value --property=MainPID {definition(store)['server_service']}"
    before = found.host.exec(process).stdout
    assert "Big Arena" in found.talk("own", "Find me some good venues")
    # As on a managed server, the account may make tables.
    login = {"username": "rasa_owner", "password": found.kit.secrets()[f"{store}_owner_password"]}
    options = {"url": "127.0.0.1", **login}
    state = found.state()
    found.external(tmp_path / "absent", tracker_store_options={**options, "db": "absent"}).failed_with("absent")
    assert found.state() == state
    found.external(tmp_path / "inventory", tracker_store_options=options).succeeded()
    assert found.options()["username"] == "rasa_owner"
    assert "Rock Cellar has the best reviews" in found.talk("own", "compare the reviews")
    assert found.host.exec(process).stdout == before


@every(tries_tls)
def test_tls_that_the_server_has_not_is_refused(switch: Switch, store: str, system: str) -> None:
    """Before the bot would go on in plain text."""
    found = switch(store, system)
    with_tls = {**found.options(), **tls_options(store, "/etc/ssl/certs/ca-certificates.crt")}
    assert known(store)["no_tls"] in found.refusal(with_tls)


@every(tries_tls)
def test_bot_goes_on_over_tls(switch: Switch, store: str, system: str) -> None:
    """By one switch; a second deploy changes nothing, and the server takes nothing in plain text any more."""
    found = switch(store, system)
    plain = {**found.options(), **known(store)["plain"]}
    assert "Big Arena" in found.talk("tls", "Find me some good venues")
    found.deploy(tracker_store_tls=True).succeeded()
    assert "Rock Cellar has the best reviews" in found.talk("tls", "compare the reviews")
    assert "compare the reviews" in found.control("show", "tls")
    assert found.deploy(tracker_store_tls=True).succeeded().changed == {system: 0}
    assert "set tracker_store_tls to true" in found.refusal(plain)


@every(tries_tls)
def test_certificate_that_is_not_the_servers_is_refused(
    switch: Switch, store: str, system: str, tmp_path: Path
) -> None:
    """Another host's, or another authority's: one sentence each, and the bot stays as it was."""
    found = switch(store, system)
    before = found.state()
    # The certificate has the address, and the host's name in the inventory.
    assert "is another host's" in found.refusal({**found.options(), "url": "localhost"})
    login = {name: found.options()[name] for name in ("username", "password")}
    found.external(
        tmp_path / "inventory",
        tracker_store_options={"url": "127.0.0.1", **login},
        tracker_store_tls=True,
        tracker_store_tls_authority=str(Certificate(tmp_path, "elsewhere").path),
    ).failed_with(
        f"the certificate of 127.0.0.1:{found.options()['port']} cannot be verified", "tracker_store_tls_authority"
    )
    assert found.state() == before
    assert "Rock Cellar" in found.talk("tls", "compare the reviews")


@every(tries_tls)
def test_certificates_of_the_users_own(switch: Switch, store: str, system: str, tmp_path: Path) -> None:
    """The bot believes their authority alone, so that the server must present what it signed."""
    found = switch(store, system)
    settings = own_certificates(tmp_path, ["127.0.0.1"])
    found.deploy(tracker_store_tls=True, **settings).succeeded()
    believed = next(value for value in found.options()["query"].values() if value.startswith("/"))
    assert found.host.exec(["cat", believed]).stdout == Path(settings["tracker_store_tls_authority"]).read_text()
    assert "Rock Cellar has the best reviews" in found.talk("tls", "compare the reviews")


@every(loses)
def test_verify_catches_rasas_own_class(switch: Switch, store: str, system: str, tmp_path: Path) -> None:
    """The control: where that class is known to lose a turn, verify says LOST."""
    found = switch(store, system)
    # The bot keeps it until it is switched to another store, which is next.
    found.deploy(tracker_store_class="rasa").succeeded()
    assert verdicts(found, tmp_path, known(store)["loses"]) == dict.fromkeys(known(store)["loses"], "LOST")


@every(is_first)
def test_switching_back_finds_the_old_conversations(switch: Switch, store: str, system: str) -> None:
    """Nothing of the other store was touched; the bot goes on where it stopped there."""
    found = switch(store, system)
    found.switch_back()
    assert "Rock Cellar has the best reviews" in found.talk("before-the-switch", "compare the reviews")
