"""A server's certificate is checked on the control machine, before a host is touched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from tests.certificates import Certificate
from tests.unit.plugins import load

PLUGIN = load("roles/tls/filter_plugins/tls.py")

STORE = ["10.0.0.5", "store.example"]


class Files:
    """An authority and a server's certificate, and what the checks say of them."""

    def __init__(self, folder: Path) -> None:
        """Make a good set."""
        self.folder = folder
        self.authority = Certificate(folder, "authority")
        self.server = Certificate(folder, "server", issuer=self.authority, addresses=STORE)

    def errors(self, addresses: Sequence[str] = STORE, **paths: str) -> list[str]:
        """Check them as a deploy does, with other files in the place of some."""
        files = {
            "certificate": str(self.server.path),
            "key": str(self.server.key_path),
            "authority": str(self.authority.path),
            **paths,
        }
        found: list[str] = PLUGIN.tls_errors(files, "tracker_store_tls", addresses)
        return found


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A good set of files."""
    return Files(tmp_path)


def test_good_certificate_is_accepted(files: Files) -> None:
    """With its key, its authority and its addresses."""
    assert files.errors() == []


def test_intermediate_certificates_are_followed(files: Files) -> None:
    """From the certificate's file to the root."""
    between = Certificate(files.folder, "between", issuer=files.authority)
    files.server = Certificate(files.folder, "server", issuer=between, addresses=STORE)
    (error,) = files.errors()
    assert "does not lead to an authority" in error
    assert "append the intermediate certificates" in error
    files.server.path.write_bytes(files.server.pem + between.pem)
    assert files.errors() == []


def test_certificate_may_be_its_own_authority(files: Files) -> None:
    """One that signed itself."""
    files.server = Certificate(files.folder, "server", addresses=STORE)
    assert files.errors(authority=str(files.server.path)) == []


def test_authority_of_a_server_elsewhere_stands_alone(files: Files) -> None:
    """Nothing else is known of that server here."""
    assert files.errors(certificate="", key="") == []
    (error,) = files.errors(certificate="", key="", authority=str(files.authority.key_path))
    assert error == (
        f"tracker_store_tls_authority is '{files.authority.key_path}': it must be a file with certificates in PEM form."
    )


@pytest.mark.parametrize("kind", ["certificate", "key", "authority"])
@pytest.mark.parametrize("path", ["/nowhere.pem", "server.crt"])
def test_missing_or_relative_file_is_named(files: Files, kind: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its setting and its value."""
    monkeypatch.chdir(files.folder)
    (error,) = files.errors(**{kind: path})
    assert (
        error == f"tracker_store_tls_{kind} is '{path}': it must be the absolute path of a file on the control machine."
    )


@pytest.mark.parametrize("kind", ["certificate", "key", "authority"])
def test_damaged_file_is_named(files: Files, kind: str) -> None:
    """Whatever is in it."""
    path = files.folder / "damaged.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\nnothing\n")
    (error,) = files.errors(**{kind: str(path)})
    assert error.startswith(f"tracker_store_tls_{kind} is '{path}': it must be a file with ")
    assert error.endswith(" in PEM form.")


def test_key_of_another_certificate(files: Files) -> None:
    """The server would not start."""
    (error,) = files.errors(key=str(files.authority.key_path))
    assert f"tracker_store_tls_key ('{files.authority.key_path}') is the key of another certificate" in error


def test_key_with_a_passphrase(files: Files) -> None:
    """Nobody is there to type it."""
    files.server.write_key(serialization.BestAvailableEncryption(b"secret"))
    (error,) = files.errors()
    assert "the key has a passphrase" in error


def test_authority_of_another_certificate(files: Files) -> None:
    """The bots could not verify the server."""
    other = Certificate(files.folder, "other")
    (error,) = files.errors(authority=str(other.path))
    assert f"does not lead to an authority in tracker_store_tls_authority ('{other.path}')" in error


@pytest.mark.parametrize(
    ("days", "named"), [((-90, -1), "it expired on "), ((1, 90), "it is valid from ")], ids=["expired", "too early"]
)
def test_time_of_the_certificate(files: Files, days: tuple[float, float], named: str) -> None:
    """And of the authority."""
    files.server = Certificate(files.folder, "server", issuer=files.authority, addresses=STORE, days=days)
    (error,) = files.errors()
    assert named in error
    assert error.startswith(f"tracker_store_tls_certificate is '{files.server.path}': ")

    files.authority = Certificate(files.folder, "authority", days=days)
    files.server = Certificate(files.folder, "server", issuer=files.authority, addresses=STORE)
    (error,) = files.errors()
    assert f"(CN=authority, which it rests on): {named}" in error


@pytest.mark.parametrize(
    ("names", "address"),
    [
        (["10.0.0.5"], "10.0.0.5"),
        (["fd00::5"], "fd00:0::5"),
        (["store.example"], "STORE.example"),
        (["*.example"], "store.example"),
    ],
)
def test_certificate_of_this_host(files: Files, names: list[str], address: str) -> None:
    """By its address or its name."""
    files.server = Certificate(files.folder, "server", issuer=files.authority, addresses=names)
    assert files.errors([address]) == []


@pytest.mark.parametrize(
    ("names", "address"),
    [
        (["10.0.0.6"], "10.0.0.5"),
        (["store.example"], "10.0.0.5"),
        (["10.0.0.5"], "store.example"),
        (["*.example"], "a.store.example"),
        (["*.example"], "example"),
        ([], "store.example"),
        (None, "server"),
    ],
)
def test_certificate_of_another_host(files: Files, names: list[str] | None, address: str) -> None:
    """It names what it is for, and what was wanted; a subject counts as little as for a client."""
    files.server = Certificate(files.folder, "server", issuer=files.authority, addresses=names)
    (error,) = files.errors([address])
    assert "it is a certificate of another host" in error
    assert (", ".join(names) if names else "without a subjectAltName") in error
    assert f"bots reach the server at {address}" in error


def kept(folder: Path, days: tuple[float, float] = (-1, 3650)) -> None:
    """Make the kit's own authority."""
    Certificate(folder, "authority", days=days).path.rename(folder / "authority.pem")


def test_authority_of_the_kit(tmp_path: Path) -> None:
    """One that is there and whole is good, and one that is not there is still to be made."""
    assert PLUGIN.tls_authority_errors(str(tmp_path), 30) == []
    kept(tmp_path)
    assert PLUGIN.tls_authority_errors(str(tmp_path), 30) == []


def test_half_an_authority_is_refused(tmp_path: Path) -> None:
    """It is never overwritten, so a person decides."""
    kept(tmp_path)
    Certificate(tmp_path, "other").key_path.rename(tmp_path / "authority.key")
    (error,) = PLUGIN.tls_authority_errors(str(tmp_path), 30)
    assert error.startswith(
        f"{tmp_path}: authority.pem is not the certificate of authority.key; restore the folder, or "
    )
    (tmp_path / "authority.key").unlink()
    (error,) = PLUGIN.tls_authority_errors(str(tmp_path), 30)
    assert "authority.pem or authority.key is missing or damaged" in error


def test_authority_that_ends_is_refused(tmp_path: Path) -> None:
    """Before its certificates fail."""
    kept(tmp_path, days=(-3620, 29))
    (error,) = PLUGIN.tls_authority_errors(str(tmp_path), 30)
    assert "the authority ends on " in error


@pytest.mark.parametrize(("days", "ends"), [((-90, -1), True), ((-1, 29), True), ((-1, 31), False)])
def test_certificate_is_renewed_in_time(tmp_path: Path, days: tuple[float, float], ends: bool) -> None:
    """And one that is not there is not renewed but made."""
    path = tmp_path / "server.crt"
    assert PLUGIN.ends_within(str(path), 30) is False
    Certificate(tmp_path, "server", days=days)
    assert PLUGIN.ends_within(str(path), 30) is ends


def test_digest_follows_the_content(tmp_path: Path) -> None:
    """A missing file has none."""
    path = tmp_path / "file"
    assert PLUGIN.file_digest(str(path)) == ""
    path.write_text("one")
    one = PLUGIN.file_digest(str(path))
    path.write_text("two")
    assert len({one, PLUGIN.file_digest(str(path)), ""}) == 3
