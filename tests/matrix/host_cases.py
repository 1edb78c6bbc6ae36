"""The faults of hosts: a fault of tests/faults with what it hits, how often and for how long."""

from __future__ import annotations

from tests.checks.recovery import RASA_KILLED
from tests.faults.disk import FullDisk, PowerCut, ReadOnlyDisk
from tests.faults.host import Reboot
from tests.faults.idle import IdleConnections
from tests.faults.network import CutOff, Reset, SlowLink
from tests.faults.operations import ChangingDeploy, PackageUpgrade, PasswordRotation, Redeploy
from tests.faults.process import Kill, Pause, Restart, Stop
from tests.matrix.fault_case import PASSWORD, SERVER, FaultCase
from tests.matrix.host_bed import HostBed

# Why a cell is left out where the store is not what the fault needs.
NETWORK = "there is no network between the bot and it, it is a file on the bot's host"

HOST_CASES: tuple[FaultCase[HostBed], ...] = (
    # Processes.
    FaultCase("stop-rasa", "Rasa stopped for 3 s", lambda bed: Stop([bed.rasa]), 2, 3, limit=RASA_KILLED),
    FaultCase("kill-rasa", "kill -9 of Rasa", lambda bed: Kill([bed.rasa]), 3, limit=RASA_KILLED),
    FaultCase("kill-actions", "kill -9 of the action server", lambda bed: Kill([bed.actions]), 4),
    FaultCase(
        "kill-everything", "kill -9 of everything at once", lambda bed: Kill(bed.everything), 2, limit=RASA_KILLED
    ),
    FaultCase("restart-server", "restart of the server", lambda bed: Restart([bed.server]), 6, needs_server=SERVER),
    FaultCase("stop-server", "server stopped for 3 s", lambda bed: Stop([bed.server]), 4, 3, SERVER),
    FaultCase("kill-server", "kill -9 of the server", lambda bed: Kill([bed.server]), 8, needs_server=SERVER),
    FaultCase("pause-server", "server paused for 10 s", lambda bed: Pause([bed.server]), 2, 10, SERVER),
    # The network between the bot and the store.
    FaultCase("cut-off-3", "bot cut off from the store for 3 s", lambda bed: CutOff(bed.link), 4, 3, NETWORK),
    FaultCase("cut-off-40", "bot cut off from the store for 40 s", lambda bed: CutOff(bed.link), 1, 40, NETWORK),
    FaultCase("reset", "connections to the store reset", lambda bed: Reset(bed.link), 8, needs_server=NETWORK),
    FaultCase("slow-link", "slow link to the store for 5 s", lambda bed: SlowLink(bed.link), 2, 5, NETWORK),
    # The disk with the data.
    FaultCase("disk-full", "disk full for 5 s", lambda bed: FullDisk(bed.beside_data, bed.disk), 3, 5),
    # Whatever has the data open is killed; where that is a file, it is Rasa.
    FaultCase(
        "disk-read-only",
        "disk read-only for 5 s",
        lambda bed: ReadOnlyDisk(bed.beside_data, bed.disk),
        3,
        5,
        limit_of_file=RASA_KILLED,
    ),
    FaultCase(
        "power-cut",
        "power cut of the store",
        lambda bed: PowerCut(bed.beside_data, bed.disk),
        8,
        limit_of_file=RASA_KILLED,
    ),
    # Nobody talks, and the server does not wait for ever.
    FaultCase(
        "idle",
        "connections closed by the server because nobody talked",
        lambda bed: IdleConnections([bed.server], bed.port, bed.idle_timeout, bed.use_store),
        rounds=2,
        needs_server=SERVER,
        is_quiet=True,
    ),
    # Whole hosts.
    FaultCase("reboot-store", "reboot of the store's host", lambda bed: Reboot([bed.server]), 2, needs_server=SERVER),
    FaultCase("reboot-bot", "reboot of the bot's host", lambda bed: Reboot([bed.bot_services]), limit=RASA_KILLED),
    # What administrators do.
    FaultCase("redeploy", "deploy without a change", lambda bed: Redeploy(bed.everything, bed.deploy_again)),
    FaultCase(
        "redeploy-changed",
        "deploy with a changed setting",
        lambda bed: ChangingDeploy([bed.rasa], bed.change),
        limit=RASA_KILLED,
    ),
    FaultCase(
        "rotate-password",
        "rotation of the store's passwords",
        lambda bed: PasswordRotation([bed.rasa], bed.deploy_again, bed.secrets),
        needs_server=PASSWORD,
        limit=RASA_KILLED,
    ),
    FaultCase("upgrade", "upgrade of the server", lambda bed: PackageUpgrade([bed.server]), needs_server=SERVER),
)
