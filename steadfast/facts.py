"""What the deploy wrote down about the bot on this host."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path

from steadfast.errors import SteadfastError

DEFAULT_DIRECTORY = "/etc/steadfast/facts"
DIRECTORY_VARIABLE = "STEADFAST_FACTS"


@dataclass(frozen=True)
class BotFacts:
    """The part of `bot.fact` that this package uses.

    Attributes:
        url: Where Rasa listens, for example `http://127.0.0.1:5005`.
        tracker_store: Name of the store; a module of `steadfast.readers` has the same name.
        endpoints: Path of Rasa's `endpoints.yml`.
        token_file: Path of the file whose only line is the HTTP API's token.
        channel: Name of the channel that messages are sent to.
    """

    url: str
    tracker_store: str
    endpoints: str
    token_file: str
    channel: str = "rest"


def read_bot_facts() -> BotFacts:
    """Reads `bot.fact` from `$STEADFAST_FACTS`, or else from `/etc/steadfast/facts`.

    Raises:
        SteadfastError: The file is missing, not JSON, or lacks a value.
    """
    path = Path(os.environ.get(DIRECTORY_VARIABLE, DEFAULT_DIRECTORY)) / "bot.fact"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return BotFacts(**{f.name: facts[f.name] for f in fields(BotFacts) if f.name in facts})
    except FileNotFoundError:
        raise SteadfastError(f"No bot is deployed here ({path} is missing): run make deploy.") from None
    except OSError as error:
        raise SteadfastError(f"{path} cannot be read: {error.strerror}.") from None
    except (TypeError, ValueError) as error:
        raise SteadfastError(f"{path} is damaged ({error}): run make deploy again.") from None


def read_token(path: str) -> str:
    """Reads the HTTP API's token from the first line of a file.

    Raises:
        SteadfastError: The file is missing, not readable for this user, or empty.
    """
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SteadfastError(
            f"The token of the HTTP API cannot be read from {path} ({error.strerror}): "
            "run this as root or as the bot's user."
        ) from None
    if not token:
        raise SteadfastError(f"{path} is empty, but must hold the token: run make deploy again.")
    return token
