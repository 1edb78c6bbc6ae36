"""Operations that are no accidents: a deploy, with and without a change, new passwords, an upgrade of the server."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults.commands import output, run
from tests.faults.fault import FaultError, Target, register
from tests.faults.process import Restart, ServiceFault
from tests.faults.services import Processes, ServiceManager, everywhere

Deploy = Callable[[], object]
"""Deploys, and raises an error if that fails."""


class Deployed(ServiceFault):
    """A deploy that the services run on, or are restarted by."""

    def __init__(self, targets: Sequence[Target], deploy: Deploy) -> None:
        """Takes the services, and what deploys them."""
        super().__init__(targets)
        self.deploy = deploy

    def inject(self) -> None:
        """Returns at the end of the deploy."""
        self.check()
        self.deploy()
        everywhere(self.see, self.managers, self.before)


@register
class Redeploy(Deployed):
    """A deploy of what is deployed already; none of the services may be restarted by it."""

    name = "redeploy"
    title = "deploy without a change"

    def see(self, manager: ServiceManager, before: Processes) -> None:
        """Sees that each service's main process is the one that it was."""
        for service in manager.services:
            now = manager.main_process(service)
            if not any(process.startswith(f"{now}@") for process in manager.alive(before[service])):
                raise FaultError(f"A deploy without a change restarted {service} on {manager.host.name}.")

    def heal(self) -> str:
        """Has nothing to do."""
        return "nothing was restarted"


@register
class ChangingDeploy(Deployed):
    """A deploy with another setting, which restarts the services.

    Its deploy changes the setting each time that it is called: what is deployed already would restart nothing.
    """

    name = "changing-deploy"
    title = "deploy with a changed setting"


@register
class PasswordRotation(Deployed):
    """New secrets in the place of generated ones: their files are deleted, then it is deployed (docs/settings.md)."""

    name = "password-rotation"
    title = "rotation of the store's passwords"

    def __init__(self, targets: Sequence[Target], deploy: Deploy, secrets: Sequence[Path]) -> None:
        """Takes the services that log in with them, what deploys them, and the files of the secrets on this machine."""
        super().__init__(targets, deploy)
        self.secrets = secrets

    def check(self) -> None:
        """Also makes sure that the secrets are there."""
        super().check()
        missing = [str(path) for path in self.secrets if not path.is_file()]
        if missing or not self.secrets:
            raise FaultError(f"There is no secret to rotate: {', '.join(missing) or 'none was named'}.")

    def inject(self) -> None:
        """Returns when the services run with secrets that are all new."""
        self.check()
        old = {path: path.read_bytes() for path in self.secrets}
        for path in self.secrets:
            path.unlink()
        self.deploy()
        same = [path.name for path in self.secrets if not path.is_file() or path.read_bytes() == old[path]]
        if same:
            raise FaultError(f"The deploy made no new secret: {', '.join(same)}.")
        everywhere(self.see, self.managers, self.before)


@register
class PackageUpgrade(Restart):
    """The package of each service's program is installed anew, and the service restarted.

    It is the same version, unless there is a newer one. The server is not told: its program's file is replaced while it
    runs, and it is restarted on the new one, as in an upgrade. apt does not restart it, since it restarts none but the
    services that are in the package, and the kit's are not.
    """

    name = "package-upgrade"
    title = "upgrade of the server's package"

    def hit(self, manager: ServiceManager, before: Processes) -> None:
        """Has apt replace the programs, sees that the running ones are replaced, and restarts them."""
        programs = {service: f"/proc/{manager.main_process(service)}/exe" for service in manager.services}
        packages = set()
        for program in programs.values():
            # One line for each package, `NAME: PATH`; NAME may have an architecture.
            owner = output(manager.host, f"dpkg --search $(readlink {program})")
            packages.add(owner.rpartition(": ")[0])
        names = shlex.join(sorted(packages))
        apt = "DEBIAN_FRONTEND=noninteractive apt-get --yes -qq"
        output(manager.host, f"{apt} update && {apt} install --reinstall {names}")
        for service, program in programs.items():
            if not run(manager.host, f"readlink {program}").output.strip().endswith(" (deleted)"):
                raise FaultError(f"apt did not replace the program of {service} on {manager.host.name}.")
        super().hit(manager, before)
