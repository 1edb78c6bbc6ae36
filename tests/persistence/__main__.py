"""Proves that the conversations of a deployed bot survive restarts.

Exit status: 0 if they all do, 1 if a turn was lost, doubled or stored out of order, 2 if that
could not be found out.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live

from control.bot import Bot
from control.deployment import Deployment
from control.errors import ControlError
from tests.faults.fault import FaultError
from tests.persistence.report import EXIT_STATUS, as_report, outcome, sentences, table
from tests.persistence.scenarios import make_plan, refuse_early
from tests.persistence.script import Script, own_script, sample_script
from tests.persistence.verify import Verification, VerifyError

CANNOT_RUN = 2


def prepare(deployment: Deployment, bot: Bot, options: argparse.Namespace, run: str) -> Verification:
    """Returns the verification of one bot, after making sure that it can be carried out.

    Raises:
        ControlError: Bot or store do not work.
        FaultError: A fault is impossible here.
        VerifyError: The messages cannot be used.
    """
    plan = make_plan(bot, deployment.server(bot), options.reboot)
    if options.only:
        plan = plan.only(options.only)
    refuse_early(plan)
    verification = Verification(bot, plan, script_maker(options.messages), run)
    verification.check_ready()
    return verification


def script_maker(messages: Path | None) -> Callable[[str], Script]:
    """Returns what makes the script: for the sample bot, or of a file with a message per line.

    Raises:
        VerifyError: The file cannot be read or its messages cannot be used.
    """
    if messages is None:
        return sample_script
    try:
        lines = messages.read_text(encoding="utf-8").splitlines()
        own = own_script([line.strip() for line in lines if line.strip()])
    except OSError as error:
        raise VerifyError(f"{messages} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise VerifyError(f"{messages} cannot be used. {error}") from None
    return lambda seed: own


@contextmanager
def shown(verification: Verification, console: Console) -> Iterator[Callable[[], None]]:
    """Shows the table while it changes; where nobody can watch, a line each."""
    if console.is_terminal:
        with Live(table(verification), console=console) as live:
            yield lambda: live.update(table(verification))
        return
    told = set()

    def tell() -> None:
        for trial in verification.trials:
            if trial.seconds and trial.scenario.name not in told:
                told.add(trial.scenario.name)
                counts = f"{trial.recorder.acknowledged} of {len(trial.recorder.turns)}"
                console.print(f"{trial.scenario.title}: {counts} turns acknowledged, {trial.seconds:.1f} s")

    yield tell
    console.print(table(verification))


def verify(options: argparse.Namespace, console: Console) -> int:
    """Verifies one bot or all of them, writes the report, and returns the exit status."""
    started = time.monotonic()
    run = f"{time.strftime('verify-%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    deployment = Deployment(options.inventory)
    bots = deployment.bots if options.all else [deployment.bot(options.host)]
    done: list[Verification] = []
    try:
        for bot in bots:
            # Several bots may share a store: each has senders of its own.
            name = f"{run}-{len(done) + 1}" if options.all else run
            verification = prepare(deployment, bot, options, name)
            done.append(verification)
            with shown(verification, console) as changed:
                verification.carry_out(changed)
            for sentence in sentences(verification):
                console.print(sentence)
    finally:
        # Also of a run that was interrupted; one that never began leaves the last report alone.
        if done:
            report = as_report(done, run, options.inventory, time.monotonic() - started)
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    console.print(f"Every turn is in {options.json}, and in the store as {run}-*.")
    return EXIT_STATUS[outcome(done)]


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    root = argparse.ArgumentParser(
        prog="python -m tests.persistence",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--inventory", default="inventory/local", help="inventory/local by default")
    chosen = root.add_mutually_exclusive_group()
    chosen.add_argument("--host", help="which host of the group bots; the first by default")
    chosen.add_argument("--all", action="store_true", help="every host of the group bots")
    root.add_argument("--reboot", action="store_true", help="reboot remote hosts, too")
    root.add_argument("--only", action="append", metavar="SCENARIO", help="such as kill-server; may be repeated")
    root.add_argument("--messages", type=Path, help="a file of messages, one per line, for a bot of your own")
    root.add_argument("--json", type=Path, default=Path("reports/verify.json"), help="the report")
    return root


def main() -> None:
    """Verifies, and exits."""
    options = parser().parse_args()
    try:
        sys.exit(verify(options, Console(highlight=False, markup=False)))
    except (ControlError, FaultError, VerifyError) as error:
        print(f"Nothing could be proved. {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("Interrupted: nothing is proved.", file=sys.stderr)
    sys.exit(CANNOT_RUN)


if __name__ == "__main__":
    main()
