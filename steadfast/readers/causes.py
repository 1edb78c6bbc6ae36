"""Why a server could not be used: data, from which one sentence is made."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, Iterable, Mapping, NamedTuple

from steadfast.errors import SteadfastError

NOISE = re.compile(r" \(_ssl\.c:\d+\)|(FATAL|ERROR): +|connection to server .* port \d+ failed: ")


class Cause(NamedTuple):
    """A way to fail: the pattern that an error's `CODE MESSAGE` shows, and the sentence that it deserves.

    The sentence may use the pattern's named groups, and `{error}` for the message. An error fits if it, or
    what it was raised for, is of the kind, and the pattern is in its text or in that of the other. A cause
    passes where the same may succeed in a moment.
    """

    pattern: str
    sentence: str
    kind: type[BaseException] = BaseException
    passes: bool = False


def code_and_message(error: BaseException) -> tuple[str, str]:
    """Returns the server's code, empty where there is none, and the message in one line."""
    driver = getattr(error, "orig", None) or error
    code, message = getattr(driver, "pgcode", None) or "", str(driver)
    # As drivers of MySQL do. An OSError looks the same, but its text is the better one.
    if len(driver.args) == 2 and isinstance(driver.args[0], int) and not isinstance(driver, OSError):
        code, message = str(driver.args[0]), str(driver.args[1])
    # Without what says nothing to a person; libpq tries twice and tells both.
    lines = dict.fromkeys(NOISE.sub("", line).strip() for line in message.split("\nLINE ")[0].splitlines())
    return code, " ".join(lines).rstrip(".")


def explained(error: BaseException, causes: Iterable[Cause], values: Mapping[str, Any]) -> SteadfastError:
    """Returns the error for a person: `explanation`'s sentence."""
    return SteadfastError(explanation(error, causes, values)[1])


def explanation(error: BaseException, causes: Iterable[Cause], values: Mapping[str, Any]) -> tuple[Cause, str]:
    """Returns the first cause that fits, with its sentence; the last one must fit everything.

    Args:
        error: What a driver, or SQLAlchemy around it, raised.
        causes: In the order of trial.
        values: What the sentences name; what is missing is told as `not set`. An `error` goes before the message.
    """
    code, message = code_and_message(error)
    beneath = error.__cause__ or error.__context__ or error
    told_beneath = code_and_message(beneath)[1]
    text = f"{code} {message}" if told_beneath in message else f"{code} {message} {told_beneath}"
    fitting = (cause for cause in causes if isinstance(error, cause.kind) or isinstance(beneath, cause.kind))
    found = ((cause, re.search(cause.pattern, text, re.IGNORECASE)) for cause in fitting)
    cause, match = next((cause, match) for cause, match in found if match)
    known = defaultdict(lambda: "not set", {"error": message, **values, **match.groupdict("")})
    return cause, f"Tracker store: {cause.sentence.format_map(known)}."
