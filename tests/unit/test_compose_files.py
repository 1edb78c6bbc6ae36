"""The Compose files: each store has one, and every service in them is as safe as the others."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests import stores
from tests.kit import REPOSITORY
from tests.lab.stand_ins import official, stand_in_names

FOLDER = REPOSITORY / "compose"
# What a host's service manager gives Rasa to end what it is doing.
DRAIN_SECONDS = yaml.safe_load((REPOSITORY / "roles/service/defaults/main.yml").read_text())["service_stop_seconds"]
# The others extend what is in base.yml, and take their images from images.yml.
FILES = sorted(path.name for path in FOLDER.glob("*.yml") if path.name not in ("base.yml", "images.yml"))


def read(name: str) -> dict[str, Any]:
    """Read a Compose file."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return found


def complete(service: dict[str, Any]) -> dict[str, Any]:
    """Add what a service of base.yml has from the one that it extends."""
    if "extends" not in service:
        return service
    return {**complete(read("base.yml")["services"][service["extends"]["service"]]), **service}


def services(name: str) -> dict[str, dict[str, Any]]:
    """Give the services that a file defines, not those that it only adds to."""
    return {key: complete(value) for key, value in read(name)["services"].items() if "extends" in value}


def is_bot(service: dict[str, Any]) -> bool:
    """Tell whether a service is of the bot's image, whose Dockerfile has its account."""
    return bool(service["image"] == "${BOT_IMAGE}")


def seconds(duration: str) -> float:
    """Read a duration as in `800ms`, `40s` or `10m`."""
    ((number, unit),) = re.findall(r"\A(\d+)(ms|s|m)\Z", duration)
    return int(number) * {"ms": 0.001, "s": 1, "m": 60}[unit]


@pytest.mark.parametrize("store", stores.names())
def test_store_has_its_file(store: str) -> None:
    """By the store's name; where the kit runs a server, there is a service of the name of its role."""
    role = stores.container_role(store)
    assert f"{store}.yml" in FILES
    assert not role or role in services(f"{store}.yml")
    has_tables = stores.definition(store).get("has_tables", False)
    assert has_tables == ("tables" in services(f"{store}.yml"))


def test_views_are_for_people_who_ask() -> None:
    """A store's view runs with the profile `tools` only, and is reached by nobody but the door."""
    door = services("tools.yml")["tools"]
    views = [services(name)["view"] for name in FILES if "view" in services(name)]
    assert views
    for view in views:
        assert view["profiles"] == door["profiles"] == ["tools"]
        assert "ports" not in view


@pytest.mark.parametrize("name", FILES)
def test_services_may_do_little(name: str) -> None:
    """No capability, nothing to write to, an end of its memory and its log; secrets are files."""
    for service in services(name).values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True
        assert service["init"] is True
        assert service["mem_limit"]
        assert service["logging"]["options"]["max-size"]
        assert seconds(service["stop_grace_period"]) >= (DRAIN_SECONDS if is_bot(service) else 10)
        # Of the bot's own image; the others say it here, since the images begin as root.
        assert is_bot(service) or service["user"] not in ("", "0", "root")
        assert service["restart"] == "no" or (service["restart"] == "unless-stopped" and "healthcheck" in service)
        assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service)
        values = [value for key, value in service.get("environment", {}).items() if "PASSWORD" in key]
        assert all(value.startswith("/run/secrets/") for value in values)


def test_ports_are_the_bots_and_the_doors() -> None:
    """Of one Rasa, of the balancer before several, and of the door before a web view."""
    with_ports = {
        (name, key) for name in FILES for key, service in read(name)["services"].items() if "ports" in service
    }
    assert with_ports == {("published.yml", "rasa"), ("balancer.yml", "balancer"), ("tools.yml", "tools")}


def test_command_of_the_bot_is_that_of_a_host() -> None:
    """But for where things are and where it listens."""
    role = (REPOSITORY / "roles/rasa/tasks/run.yml").read_text()
    command = read("compose.yml")["services"]["rasa"]["command"]
    options = [word for word in command if word.startswith("--")]
    assert options
    assert all(option in role for option in options)


@pytest.mark.parametrize("name", FILES)
def test_service_waits_for_healthy_ones_only(name: str) -> None:
    """And for jobs that have succeeded."""
    conditions = [
        (other, condition["condition"])
        for service in read(name)["services"].values()
        for other, condition in service.get("depends_on", {}).items()
    ]
    jobs = {"tables", "accounts"}
    assert all(
        condition == ("service_completed_successfully" if other in jobs else "service_healthy")
        for other, condition in conditions
    )


@pytest.mark.parametrize("name", FILES)
def test_who_waits_is_not_kept_waiting(name: str) -> None:
    """In a `start_period` Docker 27 and newer ask every five seconds only, whatever the interval is."""
    for service in services(name).values():
        check = service.get("healthcheck", {})
        assert "start_period" not in check or seconds(check["interval"]) >= 5


def test_environment_of_the_bot_is_that_of_a_host() -> None:
    """What the image sets is what role rasa sets for its services, but for where things are."""
    role = yaml.safe_load((REPOSITORY / "roles/rasa/vars/main.yml").read_text())["__rasa_environment"]
    text = (FOLDER / "bot/Dockerfile").read_text()
    settings = text[text.index("ENV ") + 4 : text.index("RUN ")].replace("\\\n", " ").split()
    image = dict(setting.split("=", 1) for setting in settings)
    places = {"HOME", "PATH", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "STEADFAST_FACTS"}
    assert {key: value for key, value in image.items() if key not in places} == {
        key: value for key, value in role.items() if key not in places
    }


def test_images_are_pinned() -> None:
    """By tag and digest, in one place; each has a stand-in for where no registry can be reached."""
    images = yaml.safe_load((FOLDER / "images.yml").read_text())
    for name, image in images.items():
        assert re.fullmatch(rf"{official(name)}:[\w.-]+@sha256:[0-9a-f]{{64}}", image)
    assert set(images) <= set(stand_in_names())
    used = {service["image"] for name in FILES for service in services(name).values()}
    assert all(re.fullmatch(r"\$\{[A-Z]+_IMAGE\}", image) for image in used)
