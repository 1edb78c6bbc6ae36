"""Users who talk at once, on any host, and what became of their turns."""

from __future__ import annotations

import base64
import json
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from secrets import token_hex

from control.errors import ControlError
from control.host import Host, Result
from tests.checks.history import History, Reading, Turn
from tests.load import client
from tests.load.client import read_record
from tests.load.plan import User
from tests.load.sample_bot import SampleBot

SCRIPT = Path(client.__file__).read_bytes()
# A reboot leaves it alone, unlike /tmp.
PARENT = "/var/tmp"
# How long they talk before and after what happens meanwhile.
CALM_SECONDS = 1.5
START_SECONDS = 30
# A command's argument may have 128 KiB.
PIECE = 90_000


class Crowd:
    """Users of one bot, all on one host.

    What becomes of them is that host's matter: where it is rebooted, they end, and the turns in flight are unknown.
    `start` has them go on then. Users of a bot whose host is rebooted may live on another host, too, and outlive it.

    Attributes:
        users: Who they are.
        turns: For each sender what was said, in the order sent; empty until they have talked.
        turns_by_user: The same for each user.
    """

    def __init__(
        self,
        host: Host,
        url: str,
        users: Sequence[User],
        *,
        pause_seconds: float = 0.3,
        turns_per_second: float | None = None,
        longest_seconds: float = 300,
    ) -> None:
        """Takes users; they do not talk yet.

        Args:
            host: Where they are; it needs Python 3 only.
            url: Where the bot is, seen from there.
            users: As `tests.load.plan.make_users` makes them.
            pause_seconds: How long each user waits after an answer.
            turns_per_second: How many turns all of them begin in a second at the most; None for no limit.
            longest_seconds: Whatever becomes of the test, they do not talk for longer.
        """
        self.host = host
        self.users = users
        self.turns: dict[str, tuple[Turn, ...]] = {}
        self.turns_by_user: dict[str, tuple[Turn, ...]] = {}
        self._folder = f"{PARENT}/users-{token_hex(4)}"
        self._plan = {
            "url": url,
            "pause_seconds": pause_seconds,
            "interval_seconds": len(users) / turns_per_second if turns_per_second else 0,
            "longest_seconds": longest_seconds,
            "users": [asdict(user) for user in users],
        }
        habits = [user.habit for user in users]
        self._end_seconds = max(habit.timeout_seconds + habit.retry_seconds for habit in habits) + 10
        # Found again by its command line: after a reboot another process may have its number.
        self._runs = f"grep -aqs {self._folder} /proc/$(cat {self._folder}/pid)/cmdline"

    @property
    def senders(self) -> list[str]:
        """All conversations in which something was said."""
        return list(self.turns)

    @property
    def all_turns(self) -> list[Turn]:
        """The turns of all users."""
        return [turn for turns in self.turns.values() for turn in turns]

    def start(self) -> None:
        """Has them talk, and returns when they begin; after their host was rebooted they go on where they were.

        Raises:
            ControlError: The host could not run them.
        """
        self._put("client.py", SCRIPT)
        self._put("plan.json", json.dumps(self._plan).encode())
        begun, log = f"{self._folder}/begun", f"{self._folder}/log"
        talk = f"nohup python3 {self._folder}/client.py {self._folder} </dev/null >{log} 2>&1"
        waits = f"until [ -e {begun} ] || [ -s {log} ]; do sleep 0.1; done"
        self._run(
            f"cd / && rm -f {begun} && {{ {talk} & echo $! >{self._folder}/pid; }} && "
            f"timeout {START_SECONDS} sh -c {shlex.quote(waits)}"
        )

    def is_talking(self) -> bool:
        """Tell whether they still talk: they end by themselves after `longest_seconds`, or with all that is said."""
        return self.host.run(self._runs).status == 0

    def stop(self) -> None:
        """Has them end: they wait for their answers, and ask a last question each; then sets `turns`.

        Raises:
            ControlError: Their host cannot be reached, or they failed.
        """
        self._run(f"touch {self._folder}/until")
        waits = f"while {self._runs}; do sleep 0.2; done"
        if self.host.run(f"timeout {self._end_seconds:.0f} sh -c {shlex.quote(waits)}").status != 0:
            # Turns that are in flight now are unknown.
            self._run(f"kill $(cat {self._folder}/pid)")
        log = self._run(f"cat {self._folder}/log").output.strip()
        if log:
            raise ControlError(f"The users on {self.host.name} failed: {log[-500:]}")
        self._read(self._run(f"cat {self._folder}/record.jsonl").output)
        self._run(f"rm -r {self._folder}")

    @contextmanager
    def talking(self) -> Iterator[None]:
        """Has them talk from a moment before the block until a moment after it.

        Raises:
            ControlError: The host could not run them.
        """
        self.start()
        try:
            time.sleep(CALM_SECONDS)
            yield
            time.sleep(CALM_SECONDS)
        finally:
            self.stop()

    def histories(self, *places: Mapping[str, Reading]) -> list[History]:
        """Returns each conversation with what was read of it.

        Args:
            places: Readings by sender, as `tests.load.readings` makes them.
        """
        return [
            History(sender, turns, tuple(place[sender] for place in places), SampleBot)
            for sender, turns in self.turns.items()
        ]

    def _read(self, record: str) -> None:
        by_sender: dict[str, list[Turn]] = {}
        by_user: dict[str, list[Turn]] = {user.name: [] for user in self.users}
        for said in read_record(record):
            user, sender = said.pop("user"), said.pop("sender")
            turn = Turn(**{**said, "answers": tuple(said.get("answers", ()))})
            by_sender.setdefault(sender, []).append(turn)
            by_user[user].append(turn)
        self.turns = {sender: tuple(turns) for sender, turns in by_sender.items()}
        self.turns_by_user = {user: tuple(turns) for user, turns in by_user.items()}

    def _put(self, name: str, content: bytes) -> None:
        path = f"{self._folder}/{name}"
        self._run(f"mkdir -p {self._folder} && : >{path}")
        encoded = base64.b64encode(content).decode()
        for start in range(0, len(encoded), PIECE):
            self._run(f"printf %s {encoded[start : start + PIECE]} | base64 -d >>{path}")

    def _run(self, command: str) -> Result:
        done = self.host.run(command)
        if done.status != 0:
            told = done.errors.strip() or f"exit status {done.status}"
            raise ControlError(f"The users on {self.host.name} could not be run: {told[-500:]}")
        return done
