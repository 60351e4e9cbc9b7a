"""A key from a PKCS#12 file, loaded once and held in memory until the object dies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from signing.backends import Capabilities, Digest
from signing.backends.publickey import fit_to_sign
from signing.certificates import HASHES
from signing.errors import KeyUnusable, SigningFailed, translated

_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

CAPABILITIES: Final = Capabilities(
    prepared_field=True, certify=True, vector_appearance=True, seal_last=True, batch=True, look_up=False
)


def open_pkcs12(path: Path, passphrase: bytes | bytearray) -> Pkcs12Backend:
    """Open a PKCS#12 file: one key, its certificate, and the chain.

    Raises KeyUnusable: key_unreadable, passphrase_wrong, key_unsupported, certificate_unfit.
    """
    try:
        content = path.read_bytes()
    except OSError as missing:
        raise KeyUnusable("key_unreadable", type(missing).__name__) from missing
    return read_pkcs12(content, passphrase)


def read_pkcs12(content: bytes, passphrase: bytes | bytearray) -> Pkcs12Backend:
    """As `open_pkcs12`, from bytes. A bytearray is read where it lies, so that the caller can wipe it."""
    try:
        key, certificate, chain = pkcs12.load_key_and_certificates(content, passphrase)
    except ValueError as refused:  # the text is OpenSSL's; it does not quote the passphrase, but we don't rely on it
        code = "passphrase_wrong" if "password" in str(refused).lower() else "key_unreadable"
        raise KeyUnusable(code) from None
    except Exception as foreign:  # noqa: BLE001  # a damaged file raises anything; told by type only
        raise KeyUnusable("key_unreadable", type(foreign).__name__) from None
    if key is None or certificate is None:
        raise KeyUnusable("key_unreadable", "no key or no certificate in the file")
    if not isinstance(key, _Key):
        raise KeyUnusable("key_unsupported", type(key).__name__)
    certificate_der = certificate.public_bytes(Encoding.DER)
    digest = fit_to_sign(certificate_der)
    if certificate.public_key() != key.public_key():
        raise KeyUnusable("certificate_unfit", "certificate and key differ")
    return Pkcs12Backend(
        certificate_der=certificate_der,
        chain_der=tuple(link.public_bytes(Encoding.DER) for link in chain),
        digest=digest,
        _key=key,
    )


@dataclass(frozen=True, slots=True)
class Pkcs12Backend:
    """See `signing.backends.Backend`. Its repr never shows the key."""

    certificate_der: bytes = field(repr=False)
    chain_der: tuple[bytes, ...] = field(repr=False)
    digest: Digest
    _key: _Key = field(repr=False)
    certificate_sha256: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "certificate_sha256", hashlib.sha256(self.certificate_der).hexdigest())

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def sign_attributes(self, attributes: bytes) -> bytes:
        with translated(SigningFailed, "backend_failed"):
            algorithm = HASHES[self.digest]
            if isinstance(self._key, rsa.RSAPrivateKey):
                return self._key.sign(attributes, padding.PKCS1v15(), algorithm)
            return self._key.sign(attributes, ec.ECDSA(algorithm))

    def __reduce__(self) -> str:
        raise TypeError("a key is never pickled")
