"""How long `make compose-up` takes until a turn is acknowledged, against `rasa run` alone in the same image.

Run by `make bench-compose`, with Redis. The images are there before; secrets, settings, volumes and containers are not.
"""

from __future__ import annotations

import http.client
import json
import shutil
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests import lab
from tests.compose.project import Project, free_port, have_images

# What issue 6 promises: from nothing to the first acknowledged turn in so many times what Rasa alone takes, without a
# change in so many seconds.
FIRST_RATIO = 1.15
UNCHANGED_SECONDS = 5.0
ROUNDS = 3
POLL_SECONDS = 0.1
LONGEST_SECONDS = 300.0
# No action of the bot's own answers it.
MESSAGE = json.dumps({"sender": "benchmark", "message": "hello"}).encode()
CREDENTIALS = "rest: {}\n"
MODEL = "/opt/steadfast/model/model.tar.gz"


def first_turn(port: int) -> float:
    """Send a message again and again until it is acknowledged; return the moment."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/webhooks/rest/webhook", MESSAGE)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                if answer.status == 200 and json.loads(answer.read()):
                    return time.monotonic()
        except (OSError, ValueError, http.client.HTTPException):
            # It is not there yet, or not ready.
            pass
        time.sleep(POLL_SECONDS)
    sys.exit(f"No turn was acknowledged within {LONGEST_SECONDS:.0f} s.")


def alone(project: Project, folder: Path) -> float:
    """Time `rasa run` in a container of the bot's image, with everything else as Rasa has it by default."""
    port = free_port()
    credentials = folder / "credentials.yml"
    credentials.write_text(CREDENTIALS)
    image = next(
        line.partition("=")[2].strip("'")
        for line in (project.folder / ".env").read_text().splitlines()
        if line.startswith("BOT_IMAGE=")
    )
    labels = [f"--label={name}={value}" for name, value in lab.labels().items()]
    publish, mount = f"--publish=127.0.0.1:{port}:5005", f"--volume={credentials}:/credentials.yml:ro"
    command = ("python", "-m", "rasa", "run", "--model", MODEL, "--credentials", "/credentials.yml")
    started = time.monotonic()
    container = project.docker("run", "--detach", "--rm", *labels, publish, mount, image, *command).strip()
    try:
        return first_turn(port) - started
    finally:
        project.docker("kill", container)


def ups(project: Project) -> tuple[float, float]:
    """Time `make compose-up` from nothing until a turn is acknowledged, and once more without a change."""
    project.down()
    (project.folder / ".env").unlink()
    for folder in (project.folder / "rendered", project.kit.folder / "secrets"):
        shutil.rmtree(folder)
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        running = pool.submit(project.up)
        first = first_turn(project.kit.settings["rasa_port"]) - started
        running.result().succeeded()
    return first, project.up().succeeded().seconds


def main() -> None:
    """Measure in turns, print a table, and fail when a promise was missed."""
    lab.ensure_engine()
    lab.remove_leftovers()
    have_images()
    rasa: list[float] = []
    first: list[float] = []
    unchanged: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "project", "redis")
        try:
            # Writes the name of the bot's image.
            project.up().succeeded()
            for number in track(range(ROUNDS), "rasa run, compose-up, compose-up unchanged ...", transient=True):
                project.down()
                rasa.append(alone(project, Path(folder)))
                for seconds, found in zip((first, unchanged), ups(project), strict=True):
                    seconds.append(found)
                print(f"{number + 1}: {rasa[-1]:.1f} s, {first[-1]:.1f} s, {unchanged[-1]:.1f} s", flush=True)
        finally:
            project.down()
            lab.remove_run(lab.run_id())

    ratio = median(first) / median(rasa)
    promises = (
        ("rasa run alone, first turn", rasa, "", True),
        (
            "make compose-up, first turn",
            first,
            f"{FIRST_RATIO} times rasa run: {ratio:.2f}",
            ratio <= FIRST_RATIO,
        ),
        (
            "make compose-up, unchanged",
            unchanged,
            f"{UNCHANGED_SECONDS:.0f} s",
            median(unchanged) <= UNCHANGED_SECONDS,
        ),
    )
    table = Table("seconds", "least", "median", "most", "promise, at most", "", title=f"compose-up, {ROUNDS} rounds")
    for what, seconds, promise, is_met in promises:
        figures = (f"{figure:.1f}" for figure in (min(seconds), median(seconds), max(seconds)))
        table.add_row(what, *figures, promise, ("met" if is_met else "MISSED") if promise else "")
    Console(width=100).print(table)
    sys.exit(0 if all(is_met for *_, is_met in promises) else 1)


if __name__ == "__main__":
    main()
