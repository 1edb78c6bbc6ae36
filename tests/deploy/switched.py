"""A bot of a running host that is switched from one store to another."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import Deployed
from tests.kit import Run, run


class Switched:
    """A host whose bot was switched to a store, and the run that did it."""

    def __init__(self, deployed: Deployed, store: str) -> None:
        """Deploy with the store, as STORE= on the command line does."""
        self.host = deployed.host
        self.kit = deployed.kit
        self.store = store
        self.talk("before-the-switch", "Find me some good venues")
        self.run = self.deploy()

    def deploy(self) -> Run:
        """Deploy with the store."""
        return self.kit.deploy(tracker_store=self.store)

    def control(self, *arguments: str) -> str:
        """Return what `make talk` or `make show` prints."""
        return run("python", "-m", "control", "--inventory", str(self.kit.folder), *arguments).succeeded().output

    def talk(self, sender: str, message: str) -> str:
        """Say something to the bot and return its answer."""
        return self.control("talk", sender, message)


Switch = Callable[[str, str], Switched]
