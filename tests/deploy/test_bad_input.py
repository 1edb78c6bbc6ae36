"""Promises about bad input: one clear sentence, and nothing half done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from tests import lab
from tests.conftest import Deployed
from tests.kit import Kit
from tests.machines import machine_settings

PREFIX_RULE = "letters and digits only"

# What is set, and what the sentence must name.
REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "unknown store": ({"tracker_store": "reddis"}, ("tracker_store is 'reddis'", "memory, mongodb, ")),
    "unknown option": (
        {"tracker_store_options": {"keyprefix": "x"}},
        ("tracker_store_options.keyprefix", "Did you mean 'key_prefix'?"),
    ),
    "option of another store": (
        {"tracker_store": "memory", "tracker_store_options": {"port": 6380}},
        ("tracker_store_options.port is not an option of the store 'memory'",),
    ),
    "option that excludes the store": (
        {"tracker_store": "mysql", "tracker_store_options": {"login_db": "mysql"}},
        ("tracker_store_options.login_db is not an option of the store 'mysql'",),
    ),
    "server that the distribution has not": (
        {"tracker_store": "mysql"},
        ("Debian 12 on fresh has no package of MySQL", "set `tracker_store: mariadb`"),
    ),
    "class that there is not": (
        {"tracker_store_class": "own"},
        ("tracker_store_class is 'own'", "steadfast, for the kit's own class, or rasa"),
    ),
    "channels without the one that the kit's class needs": (
        {"rasa_credentials": {"callback": {"url": "http://127.0.0.1:9/"}}},
        ("rasa_credentials has callback, but not rest", "set tracker_store_class to rasa"),
    ),
    "key prefix that Rasa would drop": (
        {"tracker_store_options": {"key_prefix": "rasa_tracker"}},
        ("tracker_store_options.key_prefix is 'rasa_tracker'", PREFIX_RULE),
    ),
    "port out of range": (
        {"tracker_store_options": {"port": 70000}},
        ("tracker_store_options.port is 70000", "from 1 to 65535"),
    ),
    "port of the store taken": (
        {"tracker_store_options": {"port": 22}},
        ("tracker_store_options.port is 22", "choose a free port"),
    ),
    "port of the bot taken": ({"rasa_port": 8022}, ("rasa_port is 8022", "choose a free port")),
    "port of the bot out of range": ({"rasa_port": 80}, ("rasa_port is 80", "1024 to 65535")),
    "port of the bot twice": ({"rasa_port": 5055}, ("rasa_port is 5055", "rasa_actions_port")),
    "weak password for the kit's own Redis": (
        {"tracker_store_options": {"password": "777777"}},
        ("tracker_store_options.password has 6 characters", "16 or more"),
    ),
    "TLS that the kit's own Redis has not": (
        {"tracker_store_options": {"use_ssl": True}},
        ("tracker_store_options.use_ssl is true", "set tracker_store_tls to true"),
    ),
    "durability that is none": (
        {"redis_appendfsync": "no"},
        ("redis_appendfsync is 'no'", "always, or everysec"),
    ),
    "unsupported distribution": (
        {"preflight_systems": {"Debian": ["99"]}},
        ("runs Debian 12", "supported are Debian 99"),
    ),
    "too little disk": ({"preflight_free_disk_gb": 100000}, ("GB free", "needs 100000 GB")),
    "too little memory": ({"preflight_memory_mb": 10000000}, ("MB of memory", "10000000 MB")),
    "no such bot": ({"rasa_project": "/nowhere"}, ("rasa_project is '/nowhere'", "config.yml")),
    "no such archive of Python": (
        {"rasa_python_archive": "/nowhere.tar.gz"},
        ("rasa_python_archive is '/nowhere.tar.gz'",),
    ),
    "no such certificates": (
        {"host_ca_certificates": "/nowhere.pem"},
        ("host_ca_certificates is '/nowhere.pem'", "PEM"),
    ),
    "unsupported Python": ({"rasa_python": "/usr/bin/python3"}, ("rasa_python is", "3.8, 3.9 or 3.10")),
}


class Fresh(NamedTuple):
    """A fresh host with an inventory, reached as a user with sudo."""

    host: lab.Host
    kit: Kit
    key: lab.KeyPair


@pytest.fixture(scope="module")
def fresh(
    start: Callable[..., lab.Host],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fresh]:
    """A fresh host over SSH."""
    host = start("debian-12", "fresh")
    # Something that has the port of a bot.
    host.exec("systemd-run --unit taken python3 -m http.server --bind 127.0.0.1 8022")
    key = lab.generate_key(tmp_path_factory.mktemp("key"))
    kit = Kit(
        tmp_path_factory.mktemp("fresh") / "inventory",
        {"fresh": lab.authorize(host, key)},
        bots=["fresh"],
        stores=["fresh"],
        settings={key: value for key, value in machine_settings("debian-12").items() if "archive" not in key},
    )
    yield Fresh(host, kit, key)
    host.remove()


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_settings_are_refused_before_the_host_is_touched(fresh: Fresh, case: str) -> None:
    """Each with the variable, its value and what is allowed."""
    variables, parts = REFUSED[case]
    fresh.kit.deploy(**variables).failed_with(*parts)
    found = fresh.host.exec("ls /etc/steadfast /opt/steadfast /etc/redis 2>/dev/null", check=False)
    assert found.stdout == ""


def test_somebody_elses_rasa_is_left_alone(fresh: Fresh) -> None:
    """An account or a service of the same name is not taken over, nor removed later."""
    fresh.host.exec("useradd --system --home-dir /srv/chatbot rasa")
    try:
        fresh.kit.deploy().failed_with("an account rasa (rasa_user) with the home /srv/chatbot")
    finally:
        fresh.host.exec("userdel rasa")
    fresh.host.put(b"[Service]\nExecStart=/bin/true\n", "/etc/systemd/system/rasa.service")
    try:
        fresh.kit.deploy().failed_with("the service /etc/systemd/system/rasa.service")
    finally:
        fresh.host.exec("rm /etc/systemd/system/rasa.service")


def test_no_sudo(fresh: Fresh) -> None:
    """A user who cannot become root is told so."""
    fresh.host.exec("mv /etc/sudoers.d/lab /root/lab")
    try:
        fresh.kit.deploy().failed_with("Cannot become root on fresh as 'operator'")
    finally:
        fresh.host.exec("mv /root/lab /etc/sudoers.d/lab")


def test_unreachable_package_index(fresh: Fresh) -> None:
    """The sentence says where it looked and which settings lead there."""
    fresh.kit.deploy(
        **machine_settings("debian-12"),
        rasa_package_index="http://127.0.0.1:9/simple",
        package_environment={"UV_HTTP_RETRIES": "0"},
    ).failed_with(
        "could not install Rasa's packages",
        "rasa_package_index",
    )
    assert fresh.host.exec("ls -d /opt/steadfast/venv-*", check=False).stdout == ""


def test_wrong_password_for_an_existing_redis(
    deployed: Callable[[str], Deployed], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The bot that runs is not touched: neither its configuration nor its process."""
    found = deployed("debian-12")
    external = Kit(
        tmp_path_factory.mktemp("external") / "inventory",
        {"debian-12": found.host.ansible_variables()},
        bots=["debian-12"],
        stores=[],
    )
    settings = {
        **found.kit.settings,
        "rasa_api_token": found.kit.secrets()["rasa_api_token"],
    }
    state = "systemctl show --property=MainPID rasa; sha256sum /etc/steadfast/endpoints.yml"
    before = found.host.exec(state).stdout
    options = {"url": "127.0.0.1", "username": "rasa", "password": "wrong"}
    external.deploy(**settings, tracker_store_options=options).failed_with(
        "password",
    )
    assert found.host.exec(state).stdout == before
