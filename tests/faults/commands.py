"""Commands on hosts, which fail as faults do: with a FaultError."""

from __future__ import annotations

from tests.faults.fault import FaultError, Host, Result


def run(host: Host, command: str) -> Result:
    """Runs a shell command as root, whatever its exit status.

    Raises:
        FaultError: The host cannot be reached.
    """
    try:
        return host.run(command)
    except OSError as error:
        raise FaultError(str(error)) from None


def output(host: Host, command: str) -> str:
    """Returns what a shell command prints.

    Raises:
        FaultError: The host cannot be reached, or the command fails.
    """
    result = run(host, command)
    if result.status != 0:
        told = (result.errors or result.output).strip().replace("\n", " ").rstrip(".")
        raise FaultError(f"'{command}' failed on {host.name}: {told}.")
    return result.output


def require_programs(host: Host, packages: dict[str, str]) -> None:
    """Makes sure that a host has some programs.

    Args:
        host: The host.
        packages: For each program the package of Debian's and Ubuntu's that brings it.

    Raises:
        FaultError: One is missing.
    """
    for program, package in packages.items():
        if run(host, f"command -v {program}").status != 0:
            raise FaultError(f"{host.name} has no {program}, which this fault takes: apt-get install {package} there.")
