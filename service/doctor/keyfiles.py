"""Files with secrets: that they are there, that nobody else reads them, and that a key's certificate is the enrolled one.

A key is opened only where the operator asks for it: a seal's with its own secret file, an official's with his passphrase.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from service import qr, qr_keys
from service.doctor.certificates import enrolled_sha256
from service.doctor.findings import Note, fault, unknown, well
from service.errors import TekenError
from service.keys import KeyRing, file_name, is_seal
from service.qr_keys import QrKeyMissing
from service.store import qr as store
from service.store.qr_tables import KeyState
from signing import SigningError

if TYPE_CHECKING:
    from service.doctor.view import View

_OTHERS: Final = 0o077


def look_at_files(view: View) -> Iterator[Note]:
    """Nobody but the owner reads what is secret."""
    given = view.settings
    if not view.signs_here:
        secrets = [given.home / "checkpoint.key"]
    else:
        own = [given.identity, given.home / "checkpoint.key", given.passphrase, given.seal_passphrase]
        secrets = [*own, *sorted(given.keys.glob("*.p12")), *sorted(given.keys.glob("*.qr.pem"))]
    there = [path for path in dict.fromkeys(secrets) if path.is_file()]
    exposed = [path for path in there if path.stat().st_mode & _OTHERS]
    for path in exposed:
        yield fault("file_exposed", str(path), mode=f"{path.stat().st_mode & 0o777:04o}")
    if not exposed:
        yield well("files_fine", count=str(len(there)))


def look_at_keys(view: View) -> Iterator[Note]:
    """Each key file of whoever signs or seals with one."""
    if not view.signs_here:
        yield well("keys_elsewhere")
        return
    ring = KeyRing(view.settings.keys, view.settings.passphrase, view.settings.seal_passphrase)
    for owner in view.owners_by("pkcs12"):
        yield _key(view, ring, owner)


def _key(view: View, ring: KeyRing, owner: str) -> Note:
    file = _beside(view, owner, "p12")
    if not file.is_file():
        return fault("key_missing", owner, file=str(file))
    sha256 = enrolled_sha256(view, owner)
    if not sha256:
        return unknown("key_without_certificate", owner)
    beside, secret = _beside(view, owner, "cert.pem"), view.settings.seal_passphrase
    if beside.is_file() and pem_sha256(beside) != sha256:
        return fault("key_differs", owner, file=str(beside))
    if is_seal(owner) and not secret.is_file():
        return fault("secret_missing", owner, file=str(secret))
    if is_asked_for(view, owner):
        return _opened(view, ring, owner, sha256)
    return well("key_there", owner) if beside.is_file() else well("key_alone", owner)


def look_at_qr_keys(view: View) -> Iterator[Note]:
    """The key of each office whose QR proves its own data: without it a paper waits before its last signature."""
    if not view.signs_here:
        return
    ring = KeyRing(view.settings.keys, view.settings.passphrase, view.settings.seal_passphrase)
    for code, office in sorted(view.offices.offices.items()):
        if office.qr_offline:
            yield _qr_key(view, ring, code)


def _qr_key(view: View, ring: KeyRing, office: str) -> Note:
    path = qr_keys.file(view.settings.keys, office)
    if not path.is_file():
        return fault("qr_key_missing", office, file=str(path))
    if not view.asked.open_keys:
        return well("qr_key_there", office)
    try:
        kid = qr.kid_of(ring.qr(office).public_key()).hex()
    except QrKeyMissing:
        return fault("qr_key_closed", office, file=str(path))
    with view.read() as connection:
        known = store.find(connection, office, kid)
    if known is not None and known.state != KeyState.ACTIVE:
        return fault("qr_key_ended", office)
    return well("qr_key_opens", office)


def is_asked_for(view: View, owner: str) -> bool:
    """Tell whether the operator wants this key opened."""
    return owner == view.asked.official or (view.asked.open_keys and is_seal(owner))


def _opened(view: View, ring: KeyRing, owner: str, sha256: str) -> Note:
    try:
        if owner == view.asked.official:
            ring.open_with(owner, sha256, view.asked.passphrase)
        else:
            ring.key(owner, sha256)
    except (TekenError, SigningError) as refused:
        return fault(refused.code, owner, file=str(_beside(view, owner, "p12")))
    return well("key_opens", owner)


def pin_file(pins: Path | None, owner: str) -> Path:
    """Where the PIN of a seal in a token or at a service is, which nobody types."""
    return (pins or Path("pins")) / f"{file_name(owner)}.pin"


def _beside(view: View, owner: str, suffix: str) -> Path:
    return view.settings.keys / f"{file_name(owner)}.{suffix}"


def pem_sha256(pem: Path) -> str:
    """Return the fingerprint of a certificate's file; empty if it holds none."""
    try:
        return x509.load_pem_x509_certificate(pem.read_bytes()).fingerprint(hashes.SHA256()).hex()
    except ValueError:
        return ""
