"""Talk to a deployed bot; list its stored conversations, show or remove one of them, or copy all to another store."""

from __future__ import annotations

import argparse
import json
import sys

from rich.console import Console

from control.bot import Bot
from control.conversation import Conversation
from control.deployment import Deployment, containers
from control.errors import ControlError
from control.listing import listing, near_names
from control.migrate import COMPOSE, Side, between, migrate, on_a_host
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
    if options.source == options.target or not (options.source and options.target):
        raise ControlError(
            f"FROM is '{options.source}' and TO is '{options.target}': name two different stores, or {COMPOSE} for one."
        )
    source, target = (_side(name, bot, options) for name in (options.source, options.target))
    inventory = "" if options.inventory == INVENTORY else f" INVENTORY={options.inventory}"
    again = f"What was copied stays; this goes on from there: make migrate FROM={source} TO={target}{inventory}"
    target.refuse_writers()
    source.warn_of_writers(target, console)
    try:
        lines = between(source, target) if COMPOSE in (source.name, target.name) else on_a_host(bot, source, target)
        is_same = migrate(lines, source, target, console)
    except KeyboardInterrupt:
        raise ControlError(f"Interrupted. {again}") from None
    except ControlError as error:
        raise ControlError(f"{error} {again}") from None
    if not is_same:
        raise ControlError(
            f"The conversations named above are not the same in {target}, which was left as it is there."
        )


def _side(name: str, bot: Bot, options: argparse.Namespace) -> Side:
    if name == COMPOSE:
        in_containers = containers(options.compose)
        return Side(name, in_containers, [in_containers])
    return Side(name, bot, Deployment(options.inventory).bots)


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
    migrating.add_argument("source", metavar="FROM", help=f"a store that was deployed, by its name, or {COMPOSE}")
    migrating.add_argument("target", metavar="TO", help="likewise; playbooks/migrate.yml makes one on hosts ready")
    migrating.add_argument("--compose", default=COMPOSE, help="the folder of the Compose files")
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
