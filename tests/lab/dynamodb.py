"""A server for throwaway machines that speaks DynamoDB's protocol: dynalite, its data on disk."""

from tests.lab.host import Host
from tests.lab.npm import npm_folder
from tests.lab.runs import cache_dir

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
    host.put(npm_folder(cache_dir(), _DYNALITE), "/opt/dynalite")
    host.install("nodejs")
    host.put(_UNIT.format(address=address, port=port).encode(), f"/etc/systemd/system/{SERVICE}.service")
    host.exec(f"systemctl daemon-reload && systemctl enable --now {SERVICE}")
    wait_for_dynamodb(host, port)
    return f"http://127.0.0.1:{port}"


def wait_for_dynamodb(host: Host, port: int = 4567) -> None:
    """Wait until the server listens, as after a restart; LabError after half a minute."""
    host.exec(["python3", "-c", _WAIT, str(port)])
