"""Certificate authorities that this machine trusts and a fresh host does not."""

import os
from collections.abc import Mapping
from pathlib import Path

# The variables of OpenSSL, requests, curl and pip, in the order in which they are believed.
_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
_SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_LOCAL = Path("/usr/local/share/ca-certificates")


def ca_bundle(
    environ: Mapping[str, str] = os.environ,
    system_bundle: Path = _SYSTEM_BUNDLE,
    local: Path = _LOCAL,
) -> Path | None:
    """Return the machine's bundle (PEM) if it has more than its distribution's, else None.

    The lab's images do not have it: making a host trust a company's authority is the
    kit's work. Hand it this file.
    """
    named = (Path(environ[name]) for name in _VARIABLES if environ.get(name))
    bundle = next((path for path in named if path.is_file()), system_bundle)
    if bundle.resolve() != system_bundle.resolve():
        return bundle
    extra = any(local.rglob("*.crt")) if local.is_dir() else False
    return bundle if extra and bundle.is_file() else None
