"""Starts Rasa without its token in the process list: `python -m steadfast.serve run ...`.

Rasa 3.6.21 takes the HTTP API's token from `--auth-token` only; there is no environment variable
and no file for it. This reads the token from a file and calls Rasa's command line in this very
process, whose arguments as the system shows them stay as they were. What the tracker store takes
from the environment only is set here, too, from the endpoints file.
"""

from __future__ import annotations

import sys

from steadfast.endpoints import read_endpoints, set_environment
from steadfast.errors import SteadfastError
from steadfast.facts import read_bot_facts, read_token
from steadfast.launch import start_rasa

TOKEN_FILE_OPTION = "--token-file"
USAGE = f"Usage: python -m steadfast.serve [{TOKEN_FILE_OPTION} FILE] run [OPTIONS OF rasa run]"


def rasa_arguments(arguments: list[str], token: str) -> list[str]:
    """Returns the given arguments with the token put in after `run`."""
    # Joined by "=", because a token may begin with a dash.
    return [arguments[0], f"--auth-token={token}", *arguments[1:]]


def split_token_file(arguments: list[str]) -> tuple[str, list[str]]:
    """Returns the token's file, by default the one that `bot.fact` names, and the rest.

    Raises:
        SteadfastError: The rest is not `run ...`, or it sets a token itself.
    """
    path = ""
    if arguments[:1] == [TOKEN_FILE_OPTION]:
        path, arguments = arguments[1] if arguments[1:] else "", arguments[2:]
    if arguments[:1] != ["run"]:
        raise SteadfastError(USAGE)
    # Python's argument parser also takes the beginning of an option for the option.
    if any(argument.startswith(("-t", "--au")) for argument in arguments):
        raise SteadfastError("--auth-token would show the token to every user: write it to a file.")
    return path or read_bot_facts().token_file, arguments


def main() -> None:
    """Runs Rasa until it ends."""
    try:
        path, arguments = split_token_file(sys.argv[1:])
        complete = rasa_arguments(arguments, read_token(path))
        if "--endpoints" in arguments[:-1]:
            set_environment(read_endpoints(arguments[arguments.index("--endpoints") + 1]))
    except SteadfastError as error:
        sys.exit(str(error))
    start_rasa(complete)


if __name__ == "__main__":
    main()
