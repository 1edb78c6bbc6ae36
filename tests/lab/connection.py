"""How Ansible reaches hosts that are containers: one `docker exec` for a whole run instead of one for each step.

Ansible's own connection by Docker starts `docker exec` for each command and each file, which keeps the processor
busier than what they do. Here `docker exec` runs sshd, on its input and output, and SSH keeps that connection.
Neither the host's network nor a service of its own has a part in it.
"""

import functools
import shlex
import tempfile
from pathlib import Path

from tests.lab.keys import KeyPair, generate_key
from tests.lab.runs import cache_dir, lock

# Whatever the host's own sshd is told to do.
_SSHD = ("/usr/sbin/sshd", "-i", "-f", "/dev/null", "-o", "Subsystem=sftp internal-sftp")
# Who is at the other end of a pipe needs no proof, and is another one each time.
_OPTIONS = {
    "StrictHostKeyChecking": "no",
    "UserKnownHostsFile": "/dev/null",
    "LogLevel": "ERROR",
    "IdentitiesOnly": "yes",
}


def by_docker(container: str) -> dict[str, str]:
    """Return Ansible's variables to reach a container with sshd as root."""
    key = _key()
    # It answers with the one key that may come in: no file of the host's says so.
    keys = ("-o", f"AuthorizedKeysCommand=/usr/bin/echo {key.public}", "-o", "AuthorizedKeysCommandUser=root")
    serve = f"mkdir -p /run/sshd && ssh-keygen -A >/dev/null && exec {shlex.join((*_SSHD, *keys))}"
    proxy = shlex.join(("docker", "exec", "--interactive", container, "sh", "-c", serve))
    options = {**_OPTIONS, "ProxyCommand": proxy}
    return {
        "ansible_connection": "ssh",
        "ansible_host": container,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(key.private),
        "ansible_ssh_common_args": " ".join(f"-o {shlex.quote(f'{name}={value}')}" for name, value in options.items()),
        "ansible_python_interpreter": "/usr/bin/python3",
    }


@functools.cache
def _key() -> KeyPair:
    """Return this machine's key for its throwaway machines, made at first use."""
    folder = cache_dir() / "key"
    with lock("key"):
        if not folder.exists():
            made = Path(tempfile.mkdtemp(dir=cache_dir()))
            generate_key(made)
            made.replace(folder)
    private = folder / "id_ed25519"
    return KeyPair(private, private.with_suffix(".pub").read_text().strip())
