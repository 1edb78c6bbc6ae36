"""Starts Rasa's command line in this process: `python -m steadfast.launch train ...`."""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys

# What Rasa's commands `run` and `train` import sooner or later. Measured: imported after TensorFlow, as Rasa does it,
# skops.io takes 4 s more in each process.
MODULES = ("skops.io", "rasa.core.run", "rasa.engine.recipes.default_components", "rasa.model_training", "rasa.server")


def start_rasa(arguments: list[str]) -> None:
    """Runs a command of Rasa until it ends, with `arguments` as after `rasa` on a command line."""
    sys.argv = ["rasa", *arguments]

    # Imported late: it takes seconds, and who calls this has checked the arguments before. Measured: a third of these
    # seconds goes into looking for garbage, of which imports make next to none; later on it is not looked at again.
    gc.disable()
    for module in MODULES:
        # Where one is missing that is needed, Rasa says so itself.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    from rasa.__main__ import main

    gc.freeze()
    gc.enable()
    main()


if __name__ == "__main__":
    start_rasa(sys.argv[1:])
