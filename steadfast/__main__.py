"""The command `steadfast`: stored conversations and the running bot, as JSON on standard output.

Errors are one sentence on standard error with exit status 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from steadfast.errors import SteadfastError
from steadfast.facts import BotFacts, read_bot_facts, read_token

if TYPE_CHECKING:
    from steadfast.bot import Bot
    from steadfast.readers.reader import Reader


def list_conversations(options: argparse.Namespace) -> None:
    """Prints a summary of every stored conversation, or the names only."""
    from steadfast.readers.reader import summarise

    reader = _reader(read_bot_facts())
    if options.names:
        _print(sorted(reader.senders()))
    else:
        found = [summarise(sender, tracker) for sender, tracker in reader.conversations()]
        _print(sorted(found, key=lambda summary: summary["last"] or 0, reverse=True))


def read_conversation(options: argparse.Namespace) -> None:
    """Prints each whole stored conversation on a line; `null`, and an error in the end, if there is none."""
    reader = _reader(read_bot_facts())
    _print_conversations(options.sender, reader, reader.read)


def forget(options: argparse.Namespace) -> None:
    """Removes every trace of a conversation, also beside a running bot; if there is none, `null` and an error."""
    reader = _reader(read_bot_facts())
    if not reader.forget(options.sender):
        _print(None)
        raise _not_stored(options.sender, reader)
    _print({"forgotten": options.sender})


def give_back(options: argparse.Namespace) -> None:
    """Writes conversations of the kit's own class as Rasa's own class reads them; no bot may use the store meanwhile.

    With --store and --endpoints those of a store that is not in use yet.
    """
    from steadfast.endpoints import section
    from steadfast.servers import open_server

    with closing(open_server(section(_endpoints(_facts(options)), "tracker_store"))) as server:
        _print({"given_back": sum(server.give_back(sender) for sender in list(server.senders()))})


def read_tracker(options: argparse.Namespace) -> None:
    """Prints each conversation as Rasa's HTTP API tells it; `null`, and an error in the end, if there is none.

    The store is asked first, because Rasa stores an empty conversation for a sender that it is
    asked about and does not know.
    """
    facts = read_bot_facts()
    reader = _reader(facts)

    def find(sender: str) -> Any:
        stored = reader.keeps_nothing_because or reader.read(sender) is not None
        return _bot(facts).tracker(sender, options.seconds) if stored else None

    _print_conversations(options.sender, reader, find)


def talk(options: argparse.Namespace) -> None:
    """Sends messages one after the other and prints a line for each, as soon as it is there."""
    bot = _bot(read_bot_facts())
    errors = []
    for message in options.message:
        reply = bot.say(options.sender, message, options.seconds)
        _print(asdict(reply))
        if reply.error:
            errors.append(reply.error)
    if errors:
        raise SteadfastError(f"{len(errors)} of {len(options.message)} not acknowledged: {errors[0]}")


def probe(options: argparse.Namespace) -> None:
    """Checks that the servers of store, event broker and locks can be reached, logged in to, written and read.

    With --store and --endpoints it checks settings that are not in use yet.
    """
    from steadfast.endpoints import section
    from steadfast.servers import is_own, open_server

    facts = _facts(options)
    endpoints = _endpoints(facts)
    found = _opened(facts, endpoints).probe()
    if is_own(section(endpoints, "tracker_store")):
        with closing(open_server(section(endpoints, "tracker_store"))) as server:
            server.probe()
    if section(endpoints, "event_broker"):
        from steadfast.brokers import probe_event_broker

        found.update(probe_event_broker(section(endpoints, "event_broker")))
    if section(endpoints, "lock_store"):
        from steadfast.locks import probe_lock_store

        found.update(probe_lock_store(section(endpoints, "lock_store")))
    _print(found)


def prepare(options: argparse.Namespace) -> None:
    """Makes the tables that the store needs, or mends those that Rasa made; prints what it changed.

    With --store and --endpoints it prepares a store that is not in use yet.
    """
    _print({"changed": _reader(_facts(options)).prepare()})


def migrate(options: argparse.Namespace) -> None:
    """Copies every conversation from one store to another and compares both; prints a line for each.

    Both are opened by the settings that deploys left on this host. Fails if any conversation is not the same then.
    """
    from steadfast.deployed_stores import open_stores
    from steadfast.migrate import Migration

    folder = Path(read_bot_facts().endpoints).parent / "stores"
    with open_stores(options.source, options.target, folder) as (source, target):
        for line in Migration(source, target).run(options.after, options.seconds):
            _print(line)


def serve_store(options: argparse.Namespace) -> None:
    """Reads and writes conversations of a store as asked on standard input, for a migration to or from elsewhere.

    It is opened by the settings that deploys left on this host; without a name, the bot's own.
    """
    from steadfast.deployed_stores import DeployedStore, alone, settings_of
    from steadfast.endpoints import read_endpoints
    from steadfast.serve_store import serve

    facts = read_bot_facts()
    settings = settings_of(options.name, Path(facts.endpoints).parent / "stores") if options.name else facts.endpoints
    store = DeployedStore(options.name or facts.tracker_store, read_endpoints(str(settings)))
    with alone(Path(settings)):
        for answer in serve(store, sys.stdin):
            _print(answer)


def wait(options: argparse.Namespace) -> None:
    """Waits until Rasa, its model and its action server are ready."""
    from steadfast.endpoints import read_endpoints, section

    facts = read_bot_facts()
    action_url = section(read_endpoints(facts.endpoints), "action_endpoint").get("url")
    _print(_bot(facts).wait(options.seconds, action_url))


# Imported where they are used, so that each command starts in a fraction of a second: the YAML
# parser, the HTTP client and the store's driver take about 0.1 s each.


def _facts(options: argparse.Namespace) -> BotFacts:
    if options.store and options.endpoints:
        return BotFacts("", options.store, options.endpoints, "")
    return read_bot_facts()


def _endpoints(facts: BotFacts) -> dict[str, Any]:
    from steadfast.endpoints import read_endpoints, set_environment

    endpoints = read_endpoints(facts.endpoints)
    set_environment(endpoints)
    return endpoints


def _opened(facts: BotFacts, endpoints: dict[str, Any]) -> Reader:
    from steadfast.endpoints import section
    from steadfast.readers import open_reader

    return open_reader(facts.tracker_store, section(endpoints, "tracker_store"))


def _reader(facts: BotFacts) -> Reader:
    return _opened(facts, _endpoints(facts))


def _bot(facts: BotFacts) -> Bot:
    from steadfast.bot import Bot

    return Bot(facts.url, read_token(facts.token_file), facts.channel)


def _print_conversations(senders: list[str], reader: Reader, find: Callable[[str], Any]) -> None:
    missing = []
    for sender in senders:
        tracker = find(sender)
        _print(tracker)
        if tracker is None:
            missing.append(sender)
    if missing:
        raise _not_stored(missing[0], reader)


def _not_stored(sender: str, reader: Reader) -> SteadfastError:
    why = f" ({reader.keeps_nothing_because})" if reader.keeps_nothing_because else ""
    return SteadfastError(f"No conversation of '{sender}' is stored{why}.")


def _print(value: Any) -> None:
    # ASCII only: the way from here may be a terminal or a connection without UTF-8.
    print(json.dumps(value), flush=True)


def parser() -> argparse.ArgumentParser:
    """Returns the parser; every command sets `run`, which is called with the options."""
    root = argparse.ArgumentParser(prog="steadfast", description=__doc__)
    commands = root.add_subparsers(dest="command", required=True)

    def command(name: str, run: Any, **seconds: float) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        added.set_defaults(run=run)
        for option, default in seconds.items():
            added.add_argument(f"--{option}", type=float, default=default, metavar="N")
        return added

    command("list", list_conversations).add_argument("--names", action="store_true")
    command("read", read_conversation).add_argument("sender", nargs="+")
    command("forget", forget).add_argument("sender")
    command("tracker", read_tracker, seconds=30).add_argument("sender", nargs="+")
    talking = command("talk", talk, seconds=60)
    talking.add_argument("sender")
    talking.add_argument("message", nargs="+")
    for looking in (command("probe", probe), command("prepare", prepare), command("give-back", give_back)):
        looking.add_argument("--store", help="name of the tracker store; by default the deployed one")
        looking.add_argument("--endpoints", help="an endpoints file; by default the deployed one")
    migrating = command("migrate", migrate, seconds=float("inf"))
    migrating.add_argument("source", metavar="FROM")
    migrating.add_argument("target", metavar="TO")
    migrating.add_argument("--after", metavar="NEXT", help="go on from there: `next` of a run that --seconds ended")
    command("serve-store", serve_store).add_argument("name", nargs="?", metavar="NAME")
    command("wait", wait, seconds=180)
    return root


def main() -> None:
    """Runs one command."""
    options = parser().parse_args()
    try:
        options.run(options)
    except SteadfastError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
    except BrokenPipeError:
        sys.exit(1)


if __name__ == "__main__":
    main()
