"""A deployed bot that is talked to while its server or its Rasa breaks."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from secrets import token_hex
from typing import Any, NamedTuple

import testinfra
import yaml

from control.bot import Bot
from control.deployment import Server
from control.host import Host
from tests import lab
from tests.checks.check import PASS, run_checks, worst
from tests.faults.fault import Fault, Target, known_faults
from tests.kit import Kit
from tests.load.crowd import Crowd
from tests.load.plan import make_users
from tests.load.readings import read_api, read_store
from tests.persistence.scenarios import bot_target, server_target

FACTS = "/etc/steadfast/facts"
READY_SECONDS = 180
SEED = 5
# Without `resigned`, who would not wait as long as these faults last.
HABITS = ("patient", "hasty", "simple", "simple") * 2
# In the place of a status.
NO_ANSWER = 0
# Sends a request with JSON and prints status, headers and body of the answer.
SEND = """
import json, sys, urllib.error, urllib.request
method, url, body = sys.argv[1:]
request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"}, method=method)
try: answer = urllib.request.urlopen(request, timeout=60)
except urllib.error.HTTPError as error: answer = error
except OSError as error: print(json.dumps([0, {}, repr(error)])); sys.exit()
print(json.dumps([answer.status, dict(answer.headers), json.loads(answer.read())]))
"""


class Answer(NamedTuple):
    """What the REST channel answered."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def texts(self) -> list[str]:
        """The bot's texts, of a message that was acknowledged."""
        assert self.status == 200, self.body
        return [message["text"] for message in self.body]


class Bed(NamedTuple):
    """A bot and the server behind its store, on one host with systemd."""

    host: lab.Host
    kit: Kit
    bot: Bot
    server: Server

    @classmethod
    def of(cls, host: lab.Host, kit: Kit) -> Bed:
        """Finds out what is deployed on a host."""
        reached = Host(host.name, testinfra.get_host(f"docker://{host.container_name}"))
        bot = Bot(reached, json.loads(host.exec(f"cat {FACTS}/bot.fact").stdout))
        name = bot.facts["server"]
        return cls(host, kit, bot, Server(name, reached, json.loads(host.exec(f"cat {FACTS}/{name}.fact").stdout)))

    @property
    def away(self) -> str:
        """What is said where the server is down."""
        return f"Tracker store: nothing listens at 127.0.0.1:{self.server.facts['port']}"

    def server_fault(self, name: str) -> Fault:
        """Makes a fault of the server."""
        return known_faults()[name]([server_target(self.server)])

    def break_server(self, name: str, seconds: float = 0.0) -> None:
        """Breaks the server, leaves it so for a while, and sees it healed."""
        fault = self.server_fault(name)
        fault.inject()
        time.sleep(seconds)
        fault.heal()

    def kill_rasa(self) -> None:
        """Kills Rasa, and sees it ready again."""
        target = bot_target(self.bot)
        fault = known_faults()["kill"]([Target(target.host, target.service_manager, ("rasa",))])
        fault.inject()
        fault.heal()
        self.bot.wait(READY_SECONDS)

    def say(self, sender: str, text: str, url: str = "", **more: str) -> Answer:
        """Says something to this bot, or to another one at `url`."""
        message = json.dumps({"sender": sender, "message": text, **more})
        return self._send("POST", f"{url or self.bot.facts['url']}/webhooks/rest/webhook", message)

    def call(self, method: str, path: str, body: Any) -> Answer:
        """Calls Rasa's HTTP API."""
        url = f"{self.bot.facts['url']}{path}?token={self.kit.secrets()['rasa_api_token']}"
        return self._send(method, url, json.dumps(body))

    def events(self, sender: str) -> list[dict[str, Any]]:
        """Reads a conversation straight from the store."""
        found: list[dict[str, Any]] = (self.bot.read(sender) or {}).get("events", [])
        return found

    def texts(self, sender: str) -> list[str]:
        """Reads what the user said, oldest first."""
        return [event["text"] for event in self.events(sender) if event["event"] == "user"]

    def endpoints(self) -> dict[str, Any]:
        """Reads the bot's endpoints.yml."""
        found: dict[str, Any] = yaml.safe_load(self.host.exec(f"cat {self.bot.facts['endpoints']}").stdout)
        return found

    def redis(self, command: str) -> str:
        """Asks Redis as the bot's login; what is not there is empty."""
        environment = {"REDISCLI_AUTH": self.kit.secrets()["redis_password"]}
        return self.host.exec(f"redis-cli --user rasa {command}", environment=environment).stdout.strip()

    def users(self, url: str = "", habits: Sequence[str] = HABITS) -> Crowd:
        """Makes users of this bot, or of another one at `url`, on its host; they say the same every time."""
        return Crowd(
            self.bot.host, url or self.bot.facts["url"], make_users(SEED, prefix=f"{token_hex(3)}-", habits=habits)
        )

    def assert_kept(self, crowd: Crowd) -> None:
        """Asserts that every check passes for every conversation, in the store and as Rasa tells it."""
        places = [read(self.bot, crowd.senders, "afterwards") for read in (read_store, read_api)]
        for history in crowd.histories(*places):
            verdicts = run_checks(history)
            assert worst(verdicts) == PASS, verdicts

    def _send(self, method: str, url: str, body: str) -> Answer:
        return Answer(*json.loads(self.host.exec(["python3", "-c", SEND, method, url, body]).stdout))
