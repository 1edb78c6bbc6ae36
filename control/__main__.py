"""Talk to a deployed bot; list its stored conversations, show or remove one of them, or copy all to another store."""

from __future__ import annotations

import argparse
import json
import sys

from rich.console import Console

from control.conversation import Conversation
from control.deployment import Bot, Deployment
from control.errors import ControlError
from control.listing import listing, near_names
from control.migrate import check_bots, migrate
from control.talk import talk

INVENTORY = "inventory/local"
LIMIT = 50


def show(bot: Bot, options: argparse.Namespace, console: Console) -> None:
    """Shows one conversation straight from the store."""
    if not options.sender:
        list_all(bot, options, console)
        return
    tracker = bot.read(options.sender)
    if tracker is None:
        raise ControlError(_not_stored(bot, options.sender))
    if options.json:
        print(json.dumps(tracker, ensure_ascii=False, indent=1))
    else:
        store = f"{bot.facts['tracker_store']} of {bot.host.name}"
        console.print(Conversation(tracker, store, with_minor=options.all))


def list_all(bot: Bot, options: argparse.Namespace, console: Console) -> None:
    """Lists the stored conversations, the latest first."""
    found = bot.conversations()
    if options.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    elif found:
        console.print(listing(found, 0 if options.all else LIMIT))
    else:
        console.print(f"No conversation is stored yet{_reason(bot)}.")


def forget(bot: Bot, options: argparse.Namespace, console: Console) -> None:
    """Removes every trace of one conversation from the store."""
    if not bot.forget(options.sender):
        raise ControlError(_not_stored(bot, options.sender))
    console.print(f"Nothing of '{options.sender}' is left in {bot.facts['tracker_store']} of {bot.host.name}.")


def hold_talk(bot: Bot, options: argparse.Namespace, console: Console) -> None:
    """Sends messages as a user would, or asks for them one by one."""
    if not talk(bot, options.sender, options.message, console):
        raise ControlError("Not every message was acknowledged.")


def migrate_all(bot: Bot, options: argparse.Namespace, console: Console) -> None:
    """Copies every conversation from one store to another, and compares both; goes on where it stopped before."""
    source, target = options.source, options.target
    inventory = "" if options.inventory == INVENTORY else f" INVENTORY={options.inventory}"
    again = f"What was copied stays; this goes on from there: make migrate FROM={source} TO={target}{inventory}"
    check_bots(Deployment(options.inventory).bots, source, target, console)
    try:
        is_same = migrate(bot, source, target, console)
    except KeyboardInterrupt:
        raise ControlError(f"Interrupted. {again}") from None
    except ControlError as error:
        raise ControlError(f"{error} {again}") from None
    if not is_same:
        raise ControlError(
            f"The conversations named above are not the same in {target}, which was left as it is there."
        )


def _not_stored(bot: Bot, sender: str) -> str:
    near = near_names(sender, bot.senders())
    hint = f": did you mean {' or '.join(near)}?" if near else _reason(bot) + "."
    return f"No conversation of '{sender}' is stored{hint}"


def _reason(bot: Bot) -> str:
    reason = bot.probe().get("keeps_nothing_because")
    return f" ({reason})" if reason else ""


def parser() -> argparse.ArgumentParser:
    """Returns the parser; every command sets `run`, called with bot, options and console."""
    root = argparse.ArgumentParser(prog="python -m control", description=__doc__)
    root.add_argument("--inventory", default=INVENTORY, help=f"{INVENTORY} by default")
    root.add_argument("--host", help="which host of the group bots; the first by default")
    commands = root.add_subparsers(dest="command", required=True)

    showing = commands.add_parser("show", help=show.__doc__)
    showing.add_argument("sender", nargs="?", help="without it, all are listed")
    showing.set_defaults(run=show)

    listed = commands.add_parser("list", help=list_all.__doc__)
    listed.set_defaults(run=list_all)
    for command in (showing, listed):
        command.add_argument("--json", action="store_true", help="as JSON")
        command.add_argument("--all", action="store_true", help="leave nothing out")

    forgetting = commands.add_parser("forget", help=forget.__doc__)
    forgetting.add_argument("sender", help="whose conversation")
    forgetting.set_defaults(run=forget)

    talking = commands.add_parser("talk", help=hold_talk.__doc__)
    talking.add_argument("sender", help="the name to talk under")
    talking.add_argument("message", nargs="*", help="without it, messages are typed")
    talking.set_defaults(run=hold_talk)

    migrating = commands.add_parser("migrate", help=migrate_all.__doc__)
    migrating.add_argument("source", metavar="FROM", help="a store that was deployed here, by its name")
    migrating.add_argument("target", metavar="TO", help="the store to copy to, which playbooks/migrate.yml makes ready")
    migrating.set_defaults(run=migrate_all)
    return root


def main() -> None:
    """Runs one command."""
    options = parser().parse_args()
    try:
        bot = Deployment(options.inventory).bot(options.host)
        options.run(bot, options, Console(highlight=False, markup=False))
    except ControlError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")


if __name__ == "__main__":
    main()
