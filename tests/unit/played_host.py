"""A host that is only played, for the tests of faults."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from tests.faults.fault import Target


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    output: str = ""
    status: int = 0
    errors: str = ""


@dataclass
class PlayedHost:
    """A host with a service manager; what happens to its services is set by the test.

    Attributes:
        running: Process id of each service; 0 if it is not running.
        paused: Whether its processes are stopped by SIGSTOP.
        survives: Whether processes live on, whatever is done to them.
        comes_back: Whether the service manager brings back a killed service.
        starts: Whether a service can be started by hand.
    """

    name: str = "played"
    is_local: bool = False
    running: dict[str, int] = field(default_factory=lambda: {"rasa": 10, "rasa-actions": 20})
    paused: bool = False
    survives: bool = False
    comes_back: bool = True
    starts: bool = True
    commands: list[str] = field(default_factory=list)
    boots: list[str] = field(default_factory=lambda: ["first", "", "second"])

    def run(self, command: str) -> Answer:
        """Answers as a shell there would."""
        self.commands.append(command)
        for pattern, act in (
            ("systemctl show", self._show),
            ("supervisorctl status", self._status),
            ("docker container inspect", self._inspect),
            ("boot_id", lambda _: self._boot()),
            ("ps -eo", lambda _: self._tree()),
            ("/proc/", self._identities),
            ("ctl restart", lambda _: self._renew(by_hand=True)),
            ("docker restart", lambda _: self._renew(by_hand=True)),
            ("STOP", lambda _: self._pause(paused=True)),
            ("CONT", lambda _: self._pause(paused=False)),
            ("kill", lambda _: self._renew(by_hand=self.comes_back)),
            ("ctl stop", lambda _: self._renew(by_hand=False)),
            ("ctl start", lambda _: self._renew(by_hand=self.starts)),
            ("docker stop", lambda _: self._renew(by_hand=False)),
            ("docker start", lambda _: self._renew(by_hand=self.starts)),
        ):
            if pattern in command:
                return act(command)
        return Answer()

    def _show(self, command: str) -> Answer:
        name = shlex.split(command)[-1]
        state = "loaded" if name in self.running else "not-found"
        return Answer(f"LoadState={state}\nMainPID={self.running.get(name, 0)}\n")

    def _status(self, command: str) -> Answer:
        name = shlex.split(command)[-1]
        if name not in self.running:
            return Answer(f"{name}: ERROR (no such process)\n", status=4)
        if not self.running[name]:
            return Answer(f"{name}    BACKOFF   Exited too quickly\n", status=3)
        return Answer(f"{name}    RUNNING   pid {self.running[name]}, uptime 0:00:01\n")

    def _inspect(self, command: str) -> Answer:
        name = shlex.split(command)[-1]
        if name not in self.running:
            return Answer(status=1, errors=f"Error: No such container: {name}\n")
        return Answer(f"{self.running[name]}\n")

    def _tree(self) -> Answer:
        lines = ["1 0"]
        for main in filter(None, self.running.values()):
            lines += [f"{main} 1", f"{main + 1} {main}"]
        return Answer("\n".join(lines))

    def _identities(self, command: str) -> Answer:
        alive = {each for main in self.running.values() if main for each in (main, main + 1)}
        if "/T/" in command and not self.paused:
            return Answer()
        asked = {int(each) for each in re.findall(r"/proc/(\d+)/", command)}
        return Answer(" ".join(f"{each}@7" for each in asked & alive))

    def _renew(self, by_hand: bool) -> Answer:
        if not self.survives:
            self.running = {
                name: (main + 100 if main else 500) if by_hand else 0 for name, main in self.running.items()
            }
        return Answer()

    def _pause(self, paused: bool) -> Answer:
        self.paused = paused and not self.survives
        return Answer()

    def _boot(self) -> Answer:
        boot = self.boots.pop(0) if len(self.boots) > 1 else self.boots[0]
        if not boot:
            raise OSError("played cannot be reached.")
        return Answer(boot)


def target(played: PlayedHost, manager: str = "systemd", *names: str) -> Target:
    """Returns the services of a played host."""
    return Target(played, manager, names or ("rasa", "rasa-actions"))
