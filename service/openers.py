"""Opens each owner's key where his office says it is: a file, a token, or a service. Head and seal, typed secret or file, one way.

What opening needs (module, address, account) is the signing host's own (`service.host`), and never in an office's data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from service.host import Bsre, Csc, SigningHost, Token
from service.keys import AskCode, Courier, KeyMissing, KeyRing, Opened, file_name, is_seal, same
from service.sop.model import Office, OfficeCode
from signing import (
    Backend,
    BsreBackend,
    CscSecret,
    CscService,
    Institution,
    KeyUnusable,
    Signer,
    open_csc,
    open_pkcs11,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


@dataclass(slots=True)
class OfficeKeys:
    """The keys of all offices that this host signs for, wherever they are."""

    ring: KeyRing
    host: SigningHost
    offices: Mapping[OfficeCode, Office]
    _open: dict[str, Opened] = field(default_factory=dict, repr=False)

    def key(self, owner: str, certificate_sha256: str) -> Opened:
        """Return a key that nobody types for: an office's seal; in development also a person's key file.

        Raises KeyMissing, KeyDiffers, SigningError.
        """
        kind = self._kind(owner)
        if kind == "pkcs12":
            return self.ring.key(owner, certificate_sha256)
        if not is_seal(owner):  # an order outside every batch: a person's token or service is not even asked
            raise KeyMissing(owner=owner)
        if owner not in self._open:
            self._open[owner] = self._opened(kind, owner, certificate_sha256, None)
        return same(self._open[owner], owner, certificate_sha256)

    def open_with(self, owner: str, certificate_sha256: str, passphrase: bytearray) -> Opened:
        """Open an official's key with what he typed: at most one attempt. The caller gives it up; `passphrase` is his to wipe.

        Raises as `key`; what is wrong at once is KeyUnusable: passphrase_wrong, pin_wrong. With a service only the first
        signature proves what was typed (`service.keys.proven_by_use`).
        """
        kind = self._kind(owner)
        if kind == "pkcs12":
            return self.ring.open_with(owner, certificate_sha256, passphrase)
        return self._opened(kind, owner, certificate_sha256, passphrase)

    def qr(self, office: str) -> EllipticCurvePrivateKey:
        """Return the office's QR key: always a file here, whoever signs its documents. Raises QrKeyMissing."""
        return self.ring.qr(office)

    def asker(self, official: str) -> AskCode | None:
        """Return what has the official's service send him a one-time code; None where his office types passphrases, or this host can't.

        It looks up the account first.
        """
        service = self.host.bsre
        if service is None or official not in service.accounts or not self._types_codes(official):
            return None

        def ask(documents: int) -> None:
            try:
                client = _client(service, _account(service, official))
            except OSError:
                raise KeyMissing(owner=official) from None
            client.check_account()
            client.request_totp(min(documents, service.chunk) if service.totp_covers == "request" else documents)

        return ask

    def _types_codes(self, official: str) -> bool:
        office = self.offices.get(OfficeCode(official.partition("/")[0]))
        return office is not None and office.signing.authorise == "totp" and self._kind(official) == "bsre"

    def _kind(self, owner: str) -> str:
        office = self.offices.get(OfficeCode(owner.partition("/")[0]))
        if office is None:
            raise KeyMissing(owner=owner)
        return office.signing.seal_backend if is_seal(owner) else office.signing.backend

    def _opened(self, kind: str, owner: str, certificate_sha256: str, typed: bytearray | None) -> Opened:
        try:
            if kind == "pkcs11" and self.host.pkcs11 is not None:
                return in_token(self.host.pkcs11, owner, certificate_sha256, typed)
            if kind == "csc" and self.host.csc is not None:
                return at_csc(self.host.csc, owner, certificate_sha256, typed)
            if kind == "bsre" and self.host.bsre is not None:
                codes = typed is not None and self._types_codes(owner)
                return at_bsre(self.host.bsre, owner, certificate_sha256, typed, codes=codes)
        except OSError:
            raise KeyMissing(owner=owner) from None
        raise KeyMissing(owner=owner)


def in_token(token: Token, owner: str, certificate_sha256: str, typed: bytearray | None) -> Backend:
    """Log in to the token. `<office>/<code>` is the key labelled `<office>.<code>`; its certificate and chain lie in a file.

    Raises KeyMissing, KeyDiffers, SigningError; a wrong PIN reaches the token once: KeyUnusable("pin_wrong").
    """
    label = file_name(owner)
    file = token.certificates / f"{label}.cert.pem"
    pin = typed if typed is not None else _pin(token.pins, owner)
    if pin is None or not file.is_file():
        raise KeyMissing(owner=owner)
    first, *chain = (one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(file.read_bytes()))
    name = token.seal_token or token.token if is_seal(owner) else token.token
    found = open_pkcs11(token.module, name, label, pin, certificate_der=first, chain_der=tuple(chain))
    return same(found, owner, certificate_sha256)


def at_csc(service: Csc, owner: str, certificate_sha256: str, typed: bytearray | None) -> Backend:
    """Ask the service for the owner's credential; the PIN reaches it with the first signature.

    Raises KeyMissing, KeyDiffers, SigningError.
    """
    if owner not in service.credentials:
        raise KeyMissing(owner=owner)
    pin = typed if typed is not None else _pin(service.pins, owner)
    remote = CscService(service.url, service.credentials[owner], service.token, service.seconds)
    found = open_csc(remote, CscSecret(_text(pin) if pin is not None else None))
    return same(found, owner, certificate_sha256)


def at_bsre(
    service: Bsre, owner: str, certificate_sha256: str, typed: bytearray | None, *, codes: bool = False
) -> Courier:
    """Return BSrE's client for a person with what he typed (`codes`: a one-time code), or for an office's seal. Nothing is asked yet.

    The service does not say which certificate it will sign with: each returned document is judged against the enrolled one.
    Raises KeyMissing, KeyUnusable.
    """
    who = _account(service, owner)
    if isinstance(who, Signer) and typed is None:
        raise KeyMissing(owner=owner)
    if typed is not None:
        _text(typed, "totp_wrong" if codes else "passphrase_wrong")
    held = bytearray(typed) if typed is not None else None
    return Courier(_client(service, who), certificate_sha256, held, service.totp_covers if codes else None)


def _client(service: Bsre, who: Signer | Institution) -> BsreBackend:
    return BsreBackend(service.wire(), who, service.origin, service.chunk)


def _account(service: Bsre, owner: str) -> Signer | Institution:
    found = service.seals.get(owner.partition("/")[0]) if is_seal(owner) else service.accounts.get(owner)
    if found is None:
        raise KeyMissing(owner=owner)
    if is_seal(owner):
        return Institution(found)
    return Signer(email=found) if "@" in found else Signer(nik=found)


def _pin(folder: Path | None, owner: str) -> bytearray | None:
    """The secret of a key that nobody types for."""
    file = folder / f"{file_name(owner)}.pin" if folder else None
    return bytearray(file.read_bytes().strip()) if file and file.is_file() else None


def _text(typed: bytearray, otherwise: str = "passphrase_wrong") -> str:
    try:
        return typed.decode()
    except UnicodeDecodeError:
        raise KeyUnusable(otherwise, "not UTF-8") from None
