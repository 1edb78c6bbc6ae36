"""Key pairs for SSH."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.lab.errors import LabError


@dataclass(frozen=True)
class KeyPair:
    """A key pair that lives as long as its folder; known hosts are written beside it."""

    private: Path
    public: str


def generate_key(folder: Path) -> KeyPair:
    """Make an ed25519 key pair without a passphrase in ``folder``, a temporary one."""
    if shutil.which("ssh-keygen") is None:
        raise LabError("ssh-keygen is missing: apt-get install openssh-client")
    private = folder / "id_ed25519"
    subprocess.run(
        ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "steadfast-lab", "-f", private),
        check=True,
    )
    return KeyPair(private, private.with_suffix(".pub").read_text().strip())
