"""Filters that look into certificates and keys on the control machine."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import load_pem_private_key


class _Refused(Exception):
    """What is wrong with a file, as half a sentence."""


def _read(path: str) -> bytes:
    if not Path(path).is_absolute() or not Path(path).is_file():
        raise _Refused("it must be the absolute path of a file on the control machine")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _Refused(f"the file cannot be read on the control machine ({error.strerror})") from None


def _certificates(path: str) -> list[x509.Certificate]:
    content = _read(path)
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise _Refused("it must be a file with certificates in PEM form") from None


def _key(path: str) -> Any:
    content = _read(path)
    try:
        return load_pem_private_key(content, password=None)
    except TypeError:
        raise _Refused("the key has a passphrase, which nobody types when a server starts: use a key without") from None
    except ValueError:
        raise _Refused("it must be a file with a private key in PEM form") from None


def _public(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def _trusted_path(chain: list[x509.Certificate], authorities: list[x509.Certificate]) -> list[x509.Certificate]:
    """Walk from a server's certificate to a root among the authorities, as clients do; empty if none is reached."""
    path = [chain[0]]
    for _ in range(len(chain) + len(authorities)):
        if path[-1] in authorities and _is_signed_by(path[-1], path[-1]):
            return path
        issuers = (found for found in (*chain, *authorities) if found not in path and _is_signed_by(path[-1], found))
        path += [next(issuers, path[-1])]
    return []


def _time_error(certificate: x509.Certificate) -> str:
    now = datetime.now(timezone.utc)
    if certificate.not_valid_after_utc < now:
        return f"it expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    if certificate.not_valid_before_utc > now:
        return f"it is valid from {certificate.not_valid_before_utc:%Y-%m-%d} only"
    return ""


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def _address(text: str) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _fits(address: str, name: str) -> bool:
    """Tell whether a certificate's name stands for an address (RFC 6125); a wildcard is the whole first label."""
    if _address(address) or _address(name):
        return bool(_address(address) == _address(name))
    wanted, found = address.lower(), name.lower()
    if found.startswith("*."):
        wanted, found = wanted.partition(".")[2], found[2:]
    return wanted == found


def _problems(files: dict[str, str], setting: str, addresses: list[str]) -> Iterable[str]:
    loaders = {"certificate": _certificates, "key": _key, "authority": _certificates}
    loaded: dict[str, Any] = {}
    for kind, path in files.items():
        try:
            loaded[kind] = loaders[kind](path)
        except _Refused as refused:
            yield f"{setting}_{kind} is '{path}': {refused}."
    # An authority alone is that of a server elsewhere.
    if len(loaded) < len(loaders):
        return

    chain, what = loaded["certificate"], f"{setting}_certificate is '{files['certificate']}'"
    if _public(chain[0].public_key()) != _public(loaded["key"].public_key()):
        yield f"{what}: {setting}_key ('{files['key']}') is the key of another certificate."
    trusted = _trusted_path(chain, loaded["authority"])
    if not trusted:
        yield (
            f"{what}: it does not lead to an authority in {setting}_authority ('{files['authority']}'); append the "
            "intermediate certificates to the certificate, and give the authority's root certificate."
        )
    for certificate in trusted or chain[:1]:
        error = _time_error(certificate)
        if error:
            whose = "" if certificate is chain[0] else f" ({certificate.subject.rfc4514_string()}, which it rests on)"
            yield f"{what}{whose}: {error}; get a new one."
    names = _names(chain[0])
    for address in addresses:
        if not any(_fits(address, name) for name in names):
            yield (
                f"{what}: it is a certificate of another host, {', '.join(names) or 'without a subjectAltName'}, "
                f"but bots reach the server at {address}; use one whose subjectAltName has {address}."
            )


def tls_errors(files: dict[str, str], setting: str, addresses: list[str]) -> list[str]:
    """Check a server's certificate before it is used.

    Args:
        files: absolute paths by kind: `certificate` (the server's first, then intermediate ones), `key`, `authority`;
            all of them, or `authority` alone. An empty path counts as none.
        setting: what the user set them by, without `_certificate` and so on.
        addresses: the addresses and names that clients verify; none are checked when empty.

    Returns:
        One sentence per thing that would keep clients from connecting, naming the setting and its value.
    """
    return list(_problems({kind: path for kind, path in files.items() if path}, setting, addresses))


def tls_authority_errors(folder: str, days: int) -> list[str]:
    """Check the kit's own authority, if it was made: what was left half or ends in so many days is refused."""
    certificate, key = Path(folder) / "authority.pem", Path(folder) / "authority.key"
    if not certificate.exists():
        return []
    try:
        authority = _certificates(str(certificate))[0]
        is_pair = _public(authority.public_key()) == _public(_key(str(key)).public_key())
    except _Refused:
        problem = "authority.pem or authority.key is missing or damaged"
    else:
        problem = "" if is_pair else "authority.pem is not the certificate of authority.key"
        if ends_within(str(certificate), days):
            problem = f"the authority ends on {authority.not_valid_after_utc:%Y-%m-%d}"
    return [f"{folder}: {problem}; restore the folder, or delete it and deploy to make a new one."] if problem else []


def ends_within(path: str, days: int) -> bool:
    """Tell whether a certificate ends in so many days or has ended; one that does not exist does not."""
    if not Path(path).is_file():
        return False
    return _certificates(path)[0].not_valid_after_utc < datetime.now(timezone.utc) + timedelta(days=days)


def subject_names(addresses: list[str]) -> list[str]:
    """Name addresses as in a subjectAltName: `IP:10.0.0.5`, `DNS:store.example`."""
    return [f"{'IP' if _address(address) else 'DNS'}:{address}" for address in addresses]


def file_digest(path: str) -> str:
    """Hash a file's content; empty for one that is not there."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if Path(path).is_file() else ""


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Map the filters' names to their functions."""
        return {
            "tls_errors": tls_errors,
            "tls_authority_errors": tls_authority_errors,
            "tls_ends_within": ends_within,
            "tls_subject_names": subject_names,
            "tls_file_digest": file_digest,
        }
