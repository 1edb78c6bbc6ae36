"""Hosts reached as real servers are: over SSH, as an ordinary user who may use sudo."""

import shlex

from tests.lab.host import Host
from tests.lab.keys import KeyPair

USER = "operator"
_HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"


def authorize(host: Host, key: KeyPair, user: str = USER) -> dict[str, str]:
    """Let the holder of ``key`` log in as ``user``, who may use sudo without a password.

    Starts sshd, also after reboots, and returns Ansible's variables for the connection.
    The host's key is read through Docker and not from the network, so it is checked strictly.
    """
    host.exec("ssh-keygen -A")
    # Debian has a group "operator", so the user's own group cannot be made.
    host.exec(f"id {user} >/dev/null 2>&1 || useradd --create-home --no-user-group --shell /bin/bash {user}")
    home = host.exec(f"getent passwd {user}").stdout.split(":")[5]
    host.exec(("install", "-d", "-m", "700", "-o", user, f"{home}/.ssh"))
    host.put(f"{key.public}\n".encode(), f"{home}/.ssh/authorized_keys", 0o600)
    host.exec(("chown", user, f"{home}/.ssh/authorized_keys"))
    host.put(f"{user} ALL=(ALL) NOPASSWD: ALL\n".encode(), "/etc/sudoers.d/lab", 0o440)
    if host.systemd:
        host.exec("systemctl enable --now ssh.service")
    else:
        host.exec("pgrep -x sshd >/dev/null || { mkdir -p /run/sshd && /usr/sbin/sshd; }")
    return _variables(host, key, user)


def _variables(host: Host, key: KeyPair, user: str) -> dict[str, str]:
    algorithm, public, *_ = host.exec(("cat", f"{_HOST_KEY}.pub")).stdout.split()
    known_hosts = key.private.parent / f"known_hosts-{host.container_name}"
    known_hosts.write_text(f"{host.ip} {algorithm} {public}\n")
    options = {
        "UserKnownHostsFile": str(known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
    }
    return {
        "ansible_connection": "ssh",
        "ansible_host": host.ip,
        "ansible_user": user,
        "ansible_ssh_private_key_file": str(key.private),
        "ansible_ssh_common_args": " ".join(f"-o {shlex.quote(f'{name}={value}')}" for name, value in options.items()),
        "ansible_python_interpreter": "/usr/bin/python3",
    }
