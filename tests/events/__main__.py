"""Tries every event of the table on a deployed sample bot, with a restart of everything in between.

Exit status: 0 if all is as the table says, 1 if something is not, 2 if that could not be found out.
"""

from __future__ import annotations

import argparse
import sys

from control.deployment import Deployment
from control.errors import ControlError
from tests.events import check_events, restarter
from tests.faults.fault import FaultError

DIFFERENT, CANNOT_RUN = 1, 2


def main() -> None:
    """Tries them, prints what is not as it must be, and exits."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.events", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inventory", default="inventory/local", help="inventory/local by default")
    parser.add_argument("--host", help="which host of the group bots; the first by default")
    options = parser.parse_args()
    try:
        deployment = Deployment(options.inventory)
        bot = deployment.bot(options.host)
        report = check_events(bot, restarter(deployment, bot))
    except (ControlError, FaultError) as error:
        print(f"Nothing could be proved. {error}", file=sys.stderr)
        sys.exit(CANNOT_RUN)
    for difference in report.differences:
        print(f"DIFFERENT {difference}")
    for name in report.forgotten:
        print(f"FORGOTTEN {name}: the event is there after the restart, the reminder never comes")
    print(f"{report.rows} conversations, {len(report.differences)} differences; {report.seconds:.0f} s and a restart")
    sys.exit(DIFFERENT if report.differences else 0)


if __name__ == "__main__":
    main()
