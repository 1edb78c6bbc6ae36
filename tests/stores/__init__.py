"""What the tests know of each store, a file per store: `NAME.yml`.

accepted: values that Rasa takes, by option
rejected: values that must be refused, by option
systems: where the kit's server (or the store's file) is tried, by the lab's names; the first one is verified
tls: the one of them on which TLS is tried; none where there is no server or no TLS
no_tls: what is said where TLS is asked from the kit's server, which is without
plain: where its driver tries TLS by itself, the options with which it does not
administrator: SQLAlchemy's URL by which root gets into the bot's database, on the server's host
durable: what root asks the server that runs, each time with the row that says that a write is on disk before it is kept
foreign: statements that the bot's account must not be allowed, beside changing tables
right: the statements that take a right from the bot's account there, and give it back
idle: where it is the kit's, how its server is told to close idle connections: `IdleTimeout` in tests/faults/idle.py
mends: whether a table that Rasa has made is made over there, and not only given indexes
own_database: where it is, the statements that give Rasa's own class a database `rasa_own`, for a table as it makes it
loses: the scenarios of `make verify` in which Rasa's own class is known to lose turns
cheaper: how many times cheaper than with Rasa's own class a turn's store work must be after 400 turns, for `make bench`
events: what Rasa's own class does with events in another way than the others: `Habits` in tests/events/table.py
data: the folder of its data, on the server's host or, without a server, on the bot's; none where it is not the kit's
version: a command that prints there what keeps the data, and its version
controls: cells of the fault matrix that lose turns, to see that it catches them; each has
    fault: a name in tests/matrix/fault_cases.py; class: steadfast or rasa
    name: of its own, where the cell of this class and fault must not lose turns; and what makes it lose them:
    loosened (for people); settings (of the kit); commands (on the server's host after the deploy)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


def known(store: str) -> dict[str, Any]:
    """Read what the tests know of a store."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{store}.yml").read_text())
    return {
        "systems": [],
        "tls": None,
        "no_tls": "does not speak it: set tracker_store_tls to false",
        "plain": {},
        "administrator": "",
        "idle": {},
        "mends": False,
        "own_database": [],
        "loses": [],
        "data": "",
        "version": "",
        "controls": [],
        **found,
    }


def definition(store: str) -> dict[str, Any]:
    """Read a store's definition; its templates stay as they are."""
    found: dict[str, Any] = _variables(store)["tracker_store_definition"]
    return found


def container_role(store: str) -> str:
    """Name the role of the server that the kit runs under Compose, and so its container; empty for none."""
    found = definition(store)
    role: str = found.get("container_role", found["server_role"])
    return role


def tls_options(store: str, authority: str) -> dict[str, Any]:
    """Give the options with which a bot asks for TLS; the authority's certificates are a file on its host."""
    options = json.dumps(_variables(store).get("tracker_store_tls_options", {}))
    found: dict[str, Any] = json.loads(options.replace("{{ tracker_store_authority_file }}", authority))
    return found


def _variables(store: str) -> dict[str, Any]:
    path = FOLDER.parent.parent / "roles" / "tracker_store" / "stores" / f"{store}.yml"
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def names() -> list[str]:
    """List the stores."""
    return sorted(path.stem for path in FOLDER.glob("*.yml"))


def cases(wanted: Callable[[str, str], bool] = lambda store, system: True) -> list[tuple[str, str]]:
    """List each store with each system that it is tried on, or those that are wanted."""
    return [(name, system) for name in names() for system in known(name)["systems"] if wanted(name, system)]
