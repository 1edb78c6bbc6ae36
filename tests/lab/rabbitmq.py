"""RabbitMQ on a throwaway machine: the distribution's package, with the plugin to look into queues."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from tests.lab.host import Host

_GET = (
    "import base64, json, sys, urllib.request\n"
    "url, login, count = sys.argv[1:]\n"
    "body = json.dumps({'count': int(count), 'ackmode': 'ack_requeue_false', 'encoding': 'auto'}).encode()\n"
    "login = base64.b64encode(login.encode()).decode()\n"
    "headers = {'Authorization': 'Basic ' + login, 'Content-Type': 'application/json'}\n"
    "print(urllib.request.urlopen(urllib.request.Request(url, body, headers)).read().decode())\n"
)
# More than a test's turns make.
_MOST = 1000


class RabbitMQ:
    """A running RabbitMQ with one account.

    Attributes:
        username: the account's name; it may do everything in the virtual host `/`.
        password: its password.
    """

    def __init__(self, host: Host, username: str = "bot", password: str = "the bot's pass/word") -> None:
        """Install and start it on a Debian or Ubuntu host, listening on 5672."""
        self.host = host
        self.username = username
        self.password = password
        host.install("rabbitmq-server")
        host.exec("systemctl start rabbitmq-server && rabbitmq-plugins enable rabbitmq_management")
        host.exec(("rabbitmqctl", "add_user", username, password))
        host.exec(("rabbitmqctl", "set_user_tags", username, "management"))
        host.exec(("rabbitmqctl", "set_permissions", username, ".*", ".*", ".*"))

    def take(self, queue: str) -> list[dict[str, Any]]:
        """Take every event out of a queue, in order."""
        url = f"http://127.0.0.1:15672/api/queues/%2F/{quote(queue, safe='')}/get"
        answer = self.host.exec(["python3", "-c", _GET, url, f"{self.username}:{self.password}", str(_MOST)])
        return [json.loads(message["payload"]) for message in json.loads(answer.stdout)]
