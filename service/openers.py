"""Keys that are not files: tokens and remote services, opened as `service/keys.KeyRing` opens files; not wired to any step yet.

What they need to know (module, address, credentials) is the signing host's own, and never in an office's data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from service.keys import KeyDiffers, KeyMissing
from signing import Backend, BsreBackend, CscSecret, CscService, Institution, Signer, Wire, open_csc, open_pkcs11


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """Keys in one PKCS#11 token. `<office>/<code>` is the key labelled `<office>.<code>`.

    Its certificate and chain are in `certificates/<office>.<code>.cert.pem`. `pin` is the file of a token that nobody types
    for: the office's seal.
    """

    module: Path
    token: str
    certificates: Path
    pin: Path

    def key(self, owner: str, certificate_sha256: str) -> Backend:
        """Return the owner's key. Raises KeyMissing, KeyDiffers, SigningError."""
        if not self.pin.is_file():
            raise KeyMissing(owner=owner)
        return self.open_with(owner, certificate_sha256, bytearray(self.pin.read_bytes().strip()))

    def open_with(self, owner: str, certificate_sha256: str, passphrase: bytearray) -> Backend:
        """Open the owner's key with a typed PIN, which reaches the token once. `close` it when the batch ends.

        Raises as `key` does; a wrong PIN is KeyUnusable("pin_wrong").
        """
        label = owner.replace("/", ".")
        file = self.certificates / f"{label}.cert.pem"
        if not file.is_file():
            raise KeyMissing(owner=owner)
        first, *chain = (one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(file.read_bytes()))
        found = open_pkcs11(self.module, self.token, label, passphrase, certificate_der=first, chain_der=tuple(chain))
        return _same(found, owner, certificate_sha256)


@dataclass(frozen=True, slots=True)
class RemoteKeys:
    """Keys at a CSC service. `credentials` says which credential is whose; `token` is this application's own."""

    url: str
    credentials: Mapping[str, str]
    token: str = field(default="", repr=False)

    def open_with(
        self, owner: str, certificate_sha256: str, passphrase: bytearray | None, code: str | None = None
    ) -> Backend:
        """Open the owner's credential with PIN, one-time code or both. Raises KeyMissing, KeyDiffers, SigningError."""
        if owner not in self.credentials:
            raise KeyMissing(owner=owner)
        secret = CscSecret(passphrase.decode() if passphrase is not None else None, code)
        found = open_csc(CscService(self.url, self.credentials[owner], self.token), secret)
        return _same(found, owner, certificate_sha256)


def open_bsre(wire: Wire, *, nik: str = "", subscription: str = "") -> BsreBackend:
    """Return BSrE's client for a person, or for the office's seal. The NIK comes with the batch and is kept nowhere."""
    return BsreBackend(wire, Institution(subscription) if subscription else Signer(nik=nik))


def _same(found: Backend, owner: str, certificate_sha256: str) -> Backend:
    """The key is that of the enrolled certificate, or nothing is signed with it."""
    if found.certificate_sha256 != certificate_sha256:
        raise KeyDiffers(owner=owner)
    return found
