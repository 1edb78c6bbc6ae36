"""A server for throwaway machines that speaks DynamoDB's protocol: dynalite, its data on disk."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.host import Host
from tests.lab.packages import apt_install
from tests.lab.runs import cache_dir, lock, progress

# 4.0.0 asks for Node.js 20, but runs on the 18 of Debian 12; 3.2.2 cannot be told where to listen.
_DYNALITE = "dynalite@4.0.0"
_PROGRAM = "/opt/dynalite/node_modules/dynalite/cli.js"
_UNIT = f"""[Unit]
Description=DynamoDB of the lab

[Service]
ExecStart=/usr/bin/node {_PROGRAM} --host {{address}} --port {{port}} --path /var/lib/dynalite
StateDirectory=dynalite
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""
_WAIT = """
import socket, sys, time
for _ in range(300):
    try:
        sys.exit(socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close())
    except OSError:
        time.sleep(0.1)
sys.exit("nothing listens")
"""

SERVICE = "dynalite"


def start_dynamodb(host: Host, port: int = 4567, address: str = "127.0.0.1") -> str:
    """Run the server on a host as the systemd unit ``dynalite``, and return its URL there.

    It listens on that address of the host's and takes any key. Raises LabError if it cannot be had
    or does not start.
    """
    with lock(SERVICE):
        packages = _packages(cache_dir())
    host.put(packages, "/opt/dynalite")
    host.install("nodejs")
    host.put(_UNIT.format(address=address, port=port).encode(), f"/etc/systemd/system/{SERVICE}.service")
    host.exec(f"systemctl daemon-reload && systemctl enable --now {SERVICE}")
    wait_for_dynamodb(host, port)
    return f"http://127.0.0.1:{port}"


def wait_for_dynamodb(host: Host, port: int = 4567) -> None:
    """Wait until the server listens, as after a restart; LabError after half a minute."""
    host.exec(["python3", "-c", _WAIT, str(port)])


def _packages(cache: Path) -> Path:
    """Return a folder with the server's Node.js packages."""
    folder = cache / _DYNALITE.replace("@", "-")
    if not folder.is_dir():
        if shutil.which("npm") is None:
            apt_install("npm")
        progress(f"fetching {_DYNALITE}")
        partial = cache / f"{folder.name}.{os.getpid()}"
        partial.mkdir(parents=True)
        # The library's binaries are in its package: its script would only look whether they fit this machine.
        install = ("npm", "install", "--no-fund", "--no-audit", "--ignore-scripts", "--prefix", str(partial), _DYNALITE)
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            shutil.rmtree(partial)
            raise LabError(f"npm cannot fetch {_DYNALITE}:\n{done.stderr[-1000:]}")
        partial.rename(folder)
    return folder
