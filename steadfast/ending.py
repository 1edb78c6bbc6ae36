"""Ends Rasa's process with a sentence instead of stack traces."""

from __future__ import annotations

import logging
import sys
from typing import NoReturn

# Both log whatever ends a server, with the stack, before it does so.
LOGGERS = ("asyncio", "sanic.error")


def end(sentence: str) -> NoReturn:
    """Ends the process; the sentence is the last line that it writes to standard error, and the status is 1.

    Rasa goes on after most other errors, but not after this one. From a thread it ends the thread only.

    Raises:
        SystemExit: Always.
    """
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_is_no_end)
    sys.exit(sentence)


def _is_no_end(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], SystemExit))
