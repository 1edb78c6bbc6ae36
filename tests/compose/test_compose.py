"""`make compose-up`: the same bot and stores in containers, with few rights, and conversations that stay."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from tests import lab, stores
from tests.compose.project import Project, running, showing, shown

# Nothing for the account that may only look; KEYS would keep the bot waiting.
KEPT = "rasa:tracker:nobody"
REFUSED = [
    f"SET {KEPT} text",
    f"DEL {KEPT}",
    f"RENAME {KEPT} {KEPT}2",
    "FLUSHALL",
    "CONFIG GET dir",
    "KEYS *",
    "ACL LIST",
]
GREETING = ("talk", "--", "me", "Find me some good venues")


@pytest.fixture(scope="module")
def redis(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Run the bot with Redis."""
    with running(tmp_path_factory.mktemp("redis"), "redis") as project:
        yield project


def ids(project: Project) -> set[str]:
    """Name the containers that there are."""
    return {container["Id"] for container in project.containers()}


def test_bot_answers_and_the_store_has_the_turn(redis: Project) -> None:
    """As a user would see it."""
    assert "Big Arena" in redis.steadfast(*GREETING)
    assert "Find me some good venues" in redis.steadfast("read", "--", "me")


def test_a_second_time_changes_nothing(redis: Project) -> None:
    """No file, and no container."""
    before = ids(redis)
    again = redis.up().succeeded()
    assert again.changed == {"localhost": 0}
    assert ids(redis) == before


def test_dry_run_says_that_a_stopped_one_would_start_and_leaves_it(redis: Project) -> None:
    """Though what waits for it would not become healthy."""
    actions = f"{redis.name}-actions-1"
    redis.docker("stop", actions)
    dry = redis.up("--check").succeeded()
    assert dry.changed == {"localhost": 1}
    assert redis.docker("inspect", "--format", "{{.State.Status}}", actions).strip() == "exited"
    assert redis.up().succeeded().changed == {"localhost": 1}
    assert redis.docker("inspect", "--format", "{{.State.Health.Status}}", actions).strip() == "healthy"


def test_dry_run_says_what_another_setting_would_change_and_leaves_it(redis: Project) -> None:
    """The file that has it, and the containers that read it."""
    before = ids(redis)
    dry = redis.up("--check", "--diff", compose_server_memory="1g").succeeded()
    assert dry.changed["localhost"] > 0
    assert "+ SERVER_MEMORY='1g'" in dry.output
    assert f"Container {redis.name}-redis-1  Recreated" in dry.output
    assert ids(redis) == before
    assert redis.up().succeeded().changed == {"localhost": 0}


def test_file_that_was_changed_by_hand_comes_back(redis: Project) -> None:
    """With its rights, and in the container that reads it; also one that was removed."""
    file = redis.folder / "rendered" / "redis.conf"
    right, mode = file.read_text(), file.stat().st_mode
    file.write_text(f"{right}\nmaxclients 77\n")
    assert redis.up().succeeded().changed != {"localhost": 0}
    assert file.read_text() == right
    assert redis.compose("exec", "-T", "redis", "cat", "/run/secrets/redis.conf") == right
    file.chmod(0o666)
    assert redis.up().succeeded().changed != {"localhost": 0}
    assert file.stat().st_mode == mode
    file.unlink()
    assert redis.up().succeeded().changed != {"localhost": 0}
    assert file.read_text() == right
    assert redis.up().succeeded().changed == {"localhost": 0}


def test_exported_variables_of_compose_are_not_heard(redis: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings alone say what runs."""
    services = {each["Config"]["Labels"]["com.docker.compose.service"] for each in redis.containers()}
    with monkeypatch.context() as exported:
        for name, value in {"COMPOSE_PROJECT_NAME": "another", "COMPOSE_PROFILES": "tools", "RASA_PORT": "1"}.items():
            exported.setenv(name, value)
        again = redis.up().succeeded()
        changed = redis.up(compose_rasa_memory="2500m").succeeded()
    assert again.changed == {"localhost": 0}
    assert changed.changed != {"localhost": 0}
    assert {each["Config"]["Labels"]["com.docker.compose.service"] for each in redis.containers()} == services
    redis.up().succeeded()


def test_other_bots_of_the_inventory_are_left_alone(redis: Project, tmp_path: Path) -> None:
    """They need not be there: containers run on this machine only."""
    more = tmp_path / "more.json"
    more.write_text(json.dumps({"bots": {"hosts": {"elsewhere": {"ansible_host": "elsewhere.invalid"}}}}))
    assert redis.up("--inventory", str(more)).succeeded().changed == {"localhost": 0}


def test_containers_may_do_little(redis: Project) -> None:
    """Each of them."""
    for container in redis.containers():
        host, name = container["HostConfig"], container["Name"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert host["SecurityOpt"] == ["no-new-privileges:true"], name
        assert host["Memory"] > 0, name
        assert host["Init"], name
        assert host["LogConfig"]["Config"]["max-size"], name
        assert host["RestartPolicy"]["Name"] == "unless-stopped", name
        assert container["Config"]["User"] not in ("", "0", "root"), name
        assert "Health" in container["State"], name


def test_redis_refuses_writes_before_its_container_is_killed(redis: Project) -> None:
    """At half of what the container may use, since it may need twice its data."""
    (server,) = (each for each in redis.containers() if each["Name"] == f"/{redis.name}-redis-1")
    limit = server["HostConfig"]["Memory"] // 2
    assert f"maxmemory {limit}" in redis.compose("exec", "-T", "redis", "cat", "/run/secrets/redis.conf").splitlines()


def test_only_the_bot_can_be_reached_and_by_loopback_only(redis: Project) -> None:
    """No port of the store or the action server is published."""
    published = [
        (container["Config"]["Labels"]["com.docker.compose.service"], binding["HostIp"])
        for container in redis.containers()
        for bindings in container["HostConfig"]["PortBindings"].values()
        for binding in bindings
    ]
    assert published == [("rasa", "127.0.0.1")]


def others_may(path: Path) -> bool:
    """Tell whether another account of the machine may do anything with a file or folder."""
    return path.stat().st_mode & 0o077 != 0


def test_no_secret_shows(redis: Project) -> None:
    """Neither in an image, nor in a container's settings or processes, nor to another account of the machine."""
    token = redis.kit.secrets()["rasa_api_token"]
    # What is mounted comes from outside, and is where the search must find it.
    search = f"grep -rlsF {token} / --exclude-dir=proc --exclude-dir=sys --exclude-dir=venv || true"
    found = redis.compose("exec", "-T", "rasa", "sh", "-c", search)
    assert found.split() == ["/run/secrets/token"]
    told = shown(redis)
    assert {name: showing(told, secret) for name, secret in redis.kit.secrets().items() if showing(told, secret)} == {}
    assert not others_may(redis.folder / "rendered")
    assert not others_may(redis.folder / ".env")


def test_image_of_the_bot_is_small_and_has_sources_only(redis: Project) -> None:
    """Less than 3 GB, and nothing that a project's folder has besides."""
    (image,) = json.loads(
        redis.docker("image", "inspect", redis.docker("inspect", "--format={{.Image}}", f"{redis.name}-rasa-1").strip())
    )
    assert image["Size"] < 3_000_000_000
    found = redis.compose("exec", "-T", "rasa", "find", "/opt/steadfast/bot", "/opt/steadfast/package", "-name", ".*")
    assert found == ""


def test_secret_that_shows_is_found(redis: Project) -> None:
    """The control: one in an image, a setting, a command and a line of the log is found in each of them."""
    secret = secrets.token_hex()
    labels = {"labels": lab.labels()}
    leak = {
        "build": {"context": "bot", "dockerfile_inline": f"FROM ${{SERVER_IMAGE}}\nENV PASSWORD={secret}\n"},
        "entrypoint": ["sh", "-c", f"echo {secret} && sleep 600"],
        "environment": {"PASSWORD": secret},
        **labels,
    }
    (redis.folder / "leak.yml").write_text(json.dumps({"services": {"leak": leak}, "networks": {"default": labels}}))
    options = ("--file", "leak.yml", "--project-name", f"{redis.name}-leak")
    try:
        redis.compose(*options, "up", "--detach", "--build")
        told = shown(redis, *options)
    finally:
        redis.compose(*options, "down", "--rmi", "local", "--timeout", "0")
    assert showing(told, secret) == set(told)
    assert others_may(redis.folder / "leak.yml")


def log_in(project: Project, username: str) -> Redis:
    """Log in to Redis, which this machine reaches by the address of its container."""
    (address,) = (
        network["IPAddress"]
        for container in project.containers()
        if container["Config"]["Labels"]["com.docker.compose.service"] == "redis"
        for network in container["NetworkSettings"]["Networks"].values()
    )
    secret = {"rasa": "redis_password", "rasa-viewer": "redis_viewer_password"}[username]
    return Redis(host=address, username=username, password=project.kit.secrets()[secret])


def test_account_of_the_web_view_may_look_and_nothing_else(redis: Project) -> None:
    """Redis itself refuses it; as a control, the bot's own may write and delete."""
    bot, viewer = log_in(redis, "rasa"), log_in(redis, "rasa-viewer")
    bot.set(KEPT, "kept")
    for command in REFUSED:
        with pytest.raises(NoPermissionError):
            viewer.execute_command(*command.split())
    with pytest.raises(NoPermissionError):
        viewer.get("another:tracker:nobody")
    assert viewer.get(KEPT) == b"kept"
    assert viewer.memory_usage(KEPT) > 0
    assert bot.delete(KEPT) == 1
    assert viewer.get(KEPT) is None


def test_conversations_outlive_down_and_up(redis: Project) -> None:
    """By hand, in the folder; `down --volumes` takes them away."""
    redis.steadfast(*GREETING)
    redis.compose("down")
    redis.compose("up", "--detach", "--wait")
    assert "Find me some good venues" in redis.steadfast("read", "--", "me")


def test_redis_keeps_every_acknowledged_turn(redis: Project, tmp_path: Path) -> None:
    """Restart and kill -9 of Rasa, of Redis, of both."""
    found = redis.verify(tmp_path / "verify.json").succeeded()
    assert "PERSISTED" in found.output
    assert "LOST" not in found.output


@pytest.mark.parametrize(
    "store",
    [
        name
        for name in stores.names()
        if (stores.known(name)["data"] or stores.container_role(name)) and name != "redis"
    ],
)
def test_every_store_keeps_every_acknowledged_turn(images: None, store: str, tmp_path: Path) -> None:
    """A kill -9 of everything, and a restart of the server alone; on hosts `make verify` does the rest."""
    with running(tmp_path, store) as project:
        has_server = stores.container_role(store)
        only = ("restart-server", "kill-both") if has_server else ("kill-rasa",)
        assert project.up().succeeded().changed == {"localhost": 0}
        found = project.verify(tmp_path / "verify.json", *only).succeeded()
    assert "PERSISTED" in found.output
    assert "LOST" not in found.output


def test_memory_is_found_out(images: None, tmp_path: Path) -> None:
    """The control: it loses every conversation."""
    with running(tmp_path, "memory") as project:
        found = project.verify(tmp_path / "verify.json", "kill-rasa")
    assert found.status == 1
    assert "LOST" in found.output
