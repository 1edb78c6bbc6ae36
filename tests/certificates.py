"""Certificates for the tests, good ones and bad ones."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def general_name(address: str) -> x509.GeneralName:
    """Name an address as in a subjectAltName."""
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


class Certificate:
    """A certificate with its key, in files `NAME.crt` and `NAME.key`; it may sign others."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        issuer: Certificate | None = None,
        addresses: list[str] | None = None,
        days: tuple[float, float] = (-1, 90),
    ) -> None:
        """Make and write it.

        Args:
            folder: where the files go.
            name: their name, and the subject.
            issuer: what signs it; itself when left out.
            addresses: what it is for; without a subjectAltName when left out.
            days: from when to when it is valid, in days from now.
        """
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        start, end = (datetime.now(timezone.utc) + timedelta(days=day) for day in days)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.content.subject if issuer else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=addresses is None, path_length=None), critical=True)
        )
        if addresses is not None:
            names = x509.SubjectAlternativeName(list(map(general_name, addresses)))
            builder = builder.add_extension(names, critical=False)
        self.content: x509.Certificate = builder.sign(issuer.key if issuer else self.key, hashes.SHA256())
        self.pem = self.content.public_bytes(serialization.Encoding.PEM)
        self.path, self.key_path = folder / f"{name}.crt", folder / f"{name}.key"
        self.path.write_bytes(self.pem)
        self.write_key(serialization.NoEncryption())

    def write_key(self, encryption: serialization.KeySerializationEncryption) -> None:
        """Write the key, with or without a passphrase."""
        encoded = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        self.key_path.write_bytes(encoded)


def own_certificates(folder: Path, addresses: list[str]) -> dict[str, str]:
    """Make certificates as a user would bring them, and return the settings that name them."""
    authority = Certificate(folder, "company")
    server = Certificate(folder, "server", issuer=authority, addresses=addresses)
    return {
        "tracker_store_tls_certificate": str(server.path),
        "tracker_store_tls_key": str(server.key_path),
        "tracker_store_tls_authority": str(authority.path),
    }
