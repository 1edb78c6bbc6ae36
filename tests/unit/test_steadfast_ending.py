"""How the process ends when Rasa must not go on."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.kit import REPOSITORY

SENTENCE = "No store: start it."
# As Rasa's server: in a task of an event loop, which Sanic runs in a `try` that logs what comes.
SERVER = """
import asyncio, logging
from steadfast.ending import end

async def handle():
    {}

async def serve():
    await asyncio.ensure_future(handle())

try:
    asyncio.new_event_loop().run_until_complete(serve())
except BaseException:
    logging.getLogger("sanic.error").exception("Experienced exception while trying to serve")
    raise
"""


@pytest.mark.parametrize(
    ("step", "traces"), [(f"end({SENTENCE!r})", 0), ("raise SystemExit('x')", 2), ("raise ValueError('x')", 2)]
)
def test_only_the_sentence_is_said(step: str, traces: int) -> None:
    """And the stack of every other error."""
    command = (sys.executable, "-c", SERVER.format(step))
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == traces, done.stderr
    assert traces or done.stderr == f"{SENTENCE}\n"
