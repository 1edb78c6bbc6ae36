"""The lab by hand: ``python -m tests.lab --help``."""

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.lab import cleanup
from tests.lab.bases import has_image
from tests.lab.compose import ensure_compose
from tests.lab.distributions import systems
from tests.lab.engine import ensure_engine
from tests.lab.errors import LabError, Unavailable
from tests.lab.hosts import start_host
from tests.lab.images import build, reference
from tests.lab.packages import apt_install
from tests.lab.runs import LABEL, PID, is_leftover, run_id
from tests.lab.stand_ins import build_stand_ins, write_references

_REPOSITORY = Path(__file__).parents[2]
# What Compose runs, by name; there are stand-ins of what only tests need, too.
_OFFICIAL = _REPOSITORY / "compose/images.yml"
# Read by role compose.
_REFERENCES = _REPOSITORY / ".steadfast/compose-images.json"


def _build(options: argparse.Namespace) -> int:
    made = build(options.systems or None)
    for name, outcome in made.items():
        print(f"{name}: {outcome if isinstance(outcome, str) else f'not made, {outcome.reason}'}")
    # Only who asked for a system by name is told by the exit code as well.
    missing = any(isinstance(outcome, Unavailable) for outcome in made.values())
    return int(missing and bool(options.systems))


def _compose_images(options: argparse.Namespace) -> int:
    asked = options.names or list(yaml.safe_load(_OFFICIAL.read_text()))
    ensure_compose()
    made = build_stand_ins(asked)
    write_references(made, asked, _REFERENCES)
    for name in asked:
        print(f"{name}: {made.get(name, 'the official image')}")
    return 0


def _list(_options: argparse.Namespace) -> int:
    client = ensure_engine()
    for name, system in systems().items():
        tag = reference(system)
        print(f"image {name}: {tag if has_image(client, tag) else 'not made yet'}")
    for found in cleanup.resources():
        state = "dead" if is_leftover(found.labels) else "alive"
        run, pid = found.labels.get(LABEL), found.labels.get(PID)
        print(f"{found.kind} {found.name}: run {run}, process {pid}, {state}")
    return 0


def _shell(options: argparse.Namespace) -> int:
    try:
        host = start_host(options.system, options.system.replace(".", "-"))
        print(f"{host.container_name} at {host.ip}; it is gone when the shell ends")
        # The SDK cannot hand over a terminal.
        command = ("docker", "exec", "-it", host.container_name, "bash", "-l")
        return subprocess.run(command, check=False).returncode
    except FileNotFoundError as error:
        raise LabError("the docker command is missing: apt-get install docker-cli") from error
    finally:
        cleanup.remove_run(run_id())


def _clean(options: argparse.Namespace) -> int:
    removed = cleanup.remove_run(options.run) if options.run else cleanup.remove_leftovers()
    if options.images:
        removed += cleanup.remove_images()
    for name in removed:
        print(f"removed {name}")
    for found in cleanup.resources():
        print(f"kept {found.kind} {found.name} of the live run {found.labels[LABEL]}")
    return 0


def _install(options: argparse.Namespace) -> int:
    apt_install(options.package)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description="Throwaway machines.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, action: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(action=action)
        return command

    add("build", _build, "make the images of the systems, by default of all").add_argument(
        "systems", nargs="*", metavar="SYSTEM"
    )
    add("list", _list, "show the images and what runs have made")
    add("shell", _shell, "start a host and open a shell in it").add_argument("system", choices=tuple(systems()))
    text = "make stand-ins for images that no registry has here, by default for all; install Compose if need be"
    add("compose-images", _compose_images, text).add_argument("names", nargs="*", metavar="NAME")
    add("install", _install, "install a package of Debian's on this machine, as root").add_argument("package")
    clean = add("clean", _clean, "remove what dead runs left")
    clean.add_argument("--run", help="remove what this run has made instead, alive or not")
    clean.add_argument("--images", action="store_true", help="remove the images as well")
    return parser


def main() -> int:
    """Run one command; a LabError becomes one line and exit code 1."""
    options = _parser().parse_args()
    try:
        action: Callable[[argparse.Namespace], int] = options.action
        return action(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
