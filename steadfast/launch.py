"""Starts Rasa's command line in this process: `python -m steadfast.launch train ...`."""

from __future__ import annotations

import contextlib
import importlib
import sys


def start_rasa(arguments: list[str]) -> None:
    """Runs a command of Rasa until it ends, with `arguments` as after `rasa` on a command line."""
    # Measured: imported after TensorFlow, as Rasa does it, skops.io takes 4 s more in each process.
    with contextlib.suppress(ImportError):
        importlib.import_module("skops.io")
    sys.argv = ["rasa", *arguments]

    # Imported late: it takes seconds, and who calls this has checked the arguments before.
    from rasa.__main__ import main

    main()


if __name__ == "__main__":
    start_rasa(sys.argv[1:])
