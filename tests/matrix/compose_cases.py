"""The faults of containers: a fault of tests/faults with what it hits, how often and for how long."""

from __future__ import annotations

from tests.checks.recovery import RASA_KILLED
from tests.faults.containers import DockerKill, DockerPause, Down, Recreate
from tests.faults.operations import ChangingDeploy, PasswordRotation, Redeploy
from tests.faults.process import Kill, Restart, Stop
from tests.matrix.compose_bed import ComposeBed
from tests.matrix.fault_case import PASSWORD, SERVER, FaultCase

COMPOSE_CASES: tuple[FaultCase[ComposeBed], ...] = (
    # Containers.
    FaultCase(
        "compose-restart-rasa",
        "docker restart of Rasa",
        lambda bed: Restart([bed.rasa]),
        2,
        limit=RASA_KILLED,
    ),
    FaultCase("compose-kill-rasa", "kill -9 in Rasa's container", lambda bed: Kill([bed.rasa]), 2, limit=RASA_KILLED),
    FaultCase("compose-kill-actions", "kill -9 in the action server's", lambda bed: Kill([bed.actions]), 3),
    FaultCase(
        "compose-kill-everything",
        "kill -9 in all containers at once",
        lambda bed: Kill(bed.everything),
        2,
        limit=RASA_KILLED,
    ),
    FaultCase(
        "compose-restart-server",
        "docker restart of the server",
        lambda bed: Restart([bed.server]),
        4,
        needs_server=SERVER,
    ),
    FaultCase(
        "compose-stop-server",
        "docker stop of the server for 3 s",
        lambda bed: Stop([bed.server]),
        3,
        3,
        SERVER,
    ),
    FaultCase("compose-kill-server", "kill -9 in the server's container", lambda bed: Kill([bed.server]), 6, 0, SERVER),
    FaultCase(
        "compose-docker-kill-server", "docker kill of the server", lambda bed: DockerKill([bed.server]), 4, 0, SERVER
    ),
    FaultCase(
        "compose-pause-server",
        "docker pause of the server for 10 s",
        lambda bed: DockerPause([bed.server]),
        2,
        10,
        SERVER,
    ),
    # What administrators do.
    FaultCase("compose-down-up", "docker compose down and up", lambda bed: Down(bed.everything), 2, limit=RASA_KILLED),
    FaultCase(
        "compose-new-image-rasa",
        "new image of the bot",
        lambda bed: Recreate([bed.bot_services]),
        limit=RASA_KILLED,
    ),
    FaultCase(
        "compose-new-image-server",
        "new image of the server",
        lambda bed: Recreate([bed.server]),
        2,
        needs_server=SERVER,
    ),
    FaultCase(
        "compose-redeploy", "compose-up without a change", lambda bed: Redeploy(bed.everything, bed.deploy_again)
    ),
    FaultCase(
        "compose-redeploy-changed",
        "compose-up with a changed setting",
        lambda bed: ChangingDeploy([bed.rasa], bed.change),
        limit=RASA_KILLED,
    ),
    FaultCase(
        "compose-rotate-password",
        "compose-up with new passwords of the store",
        lambda bed: PasswordRotation([bed.rasa], bed.deploy_again, bed.secrets),
        needs_server=PASSWORD,
        limit=RASA_KILLED,
    ),
)
