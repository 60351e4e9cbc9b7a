"""A key in a PKCS#11 token (smart card, USB token, HSM). The key never leaves it; the PIN is used once."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_ecdsa_signature

from signing.backends import Capabilities, Digest
from signing.backends.publickey import fit_to_sign, proven
from signing.backends.token import OpenToken, open_token
from signing.errors import KeyUnusable

CAPABILITIES: Final = Capabilities(
    prepared_field=True, certify=True, vector_appearance=True, seal_last=True, batch=True, look_up=False
)
_RSA: Final = {"sha256": Mechanism.SHA256_RSA_PKCS, "sha384": Mechanism.SHA384_RSA_PKCS}


def open_pkcs11(
    module: Path,
    token_label: str,
    key_label: str,
    pin: bytes | bytearray,
    *,
    certificate_der: bytes | None = None,
    chain_der: tuple[bytes, ...] = (),
) -> Pkcs11Backend:
    """Log in to a token and find a key and its certificate (by the key's label or id, unless given).

    One session per token and process, shared by its keys. A wrong PIN reaches the token once; a copy of a right one is
    held until `forget`, to log in again when the token was taken out and put back. Raises KeyUnusable:
    module_missing, token_missing, token_key_missing, pin_wrong, pin_locked, key_unsupported, certificate_unfit;
    SigningFailed backend_failed.
    """
    token = open_token(module, token_label, pin)
    token.lend()
    try:
        certificate = certificate_der or token.use(lambda session, _: _certificate(session, key_label))
        backend = Pkcs11Backend(certificate, chain_der, fit_to_sign(certificate), key_label, token)
        backend.check()
    except BaseException:
        token.release()
        raise
    return backend


@dataclass(frozen=True, slots=True)
class Pkcs11Backend:
    """See `signing.backends.Backend`. `release` it when it is done with: the token's last key logs out.

    `forget` drops the PIN, `close` logs out for every key of the token.
    """

    certificate_der: bytes = field(repr=False)
    chain_der: tuple[bytes, ...] = field(repr=False)
    digest: Digest
    key_label: str
    _token: OpenToken = field(repr=False)
    certificate_sha256: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "certificate_sha256", hashlib.sha256(self.certificate_der).hexdigest())

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def sign_attributes(self, attributes: bytes) -> bytes:
        """Sign in the token; every signature is verified before it is given out."""

        def work(session: pkcs11.Session, pin: str | None) -> bytes:
            key = _private_key(session, self.key_label, self._key_type())
            again = _wanted(pin) if _wants_pin(key) else None
            if self._key_type() is KeyType.RSA:
                return bytes(key.sign(attributes, mechanism=_RSA[self.digest], pin=again))
            digest = hashlib.new(self.digest, attributes).digest()
            return encode_ecdsa_signature(key.sign(digest, mechanism=Mechanism.ECDSA, pin=again))

        return proven(self._token.use(work), attributes, self.certificate_der, self.digest)

    def check(self) -> None:
        """The token holds the private key; where it shows the modulus, it is the certificate's.

        Raises KeyUnusable token_key_missing, certificate_unfit.
        """
        self._token.use(lambda session, _: self._check(session))

    def forget(self) -> None:
        """Drop the PIN: the session goes on, and once it has ended the PIN is needed again."""
        self._token.forget()

    def release(self) -> None:
        """This key is done with, once; the last one of the token logs out and drops the PIN."""
        self._token.release()

    def close(self) -> None:
        """Log out of the token, for all its keys in this process."""
        self._token.close()

    def _check(self, session: pkcs11.Session) -> None:
        key = _private_key(session, self.key_label, self._key_type())
        public = self._public_key()
        if isinstance(public, rsa.RSAPublicKey):
            with suppress(pkcs11.AttributeTypeInvalid, pkcs11.AttributeSensitive):
                if int.from_bytes(key[Attribute.MODULUS], "big") != public.public_numbers().n:
                    raise KeyUnusable("certificate_unfit", "certificate and key differ")

    def _public_key(self) -> object:
        return x509.load_der_x509_certificate(self.certificate_der).public_key()

    def _key_type(self) -> KeyType:
        return KeyType.RSA if isinstance(self._public_key(), rsa.RSAPublicKey) else KeyType.EC

    def __reduce__(self) -> str:
        raise TypeError("a key is never pickled")


def _private_key(session: pkcs11.Session, label: str, kind: KeyType) -> Any:
    """The one private key of that label and kind; its class is made by the binding from what the key can do."""
    wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: label, Attribute.KEY_TYPE: kind}
    found = list(session.get_objects(wanted))
    if len(found) != 1:
        raise KeyUnusable("token_key_missing", f"{len(found)} private {kind.name} keys {label}")
    return found[0]


def _certificate(session: pkcs11.Session, label: str) -> bytes:
    """The DER of the certificate that has the key's label, otherwise the one that has its id."""
    keys = list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: label}))
    marks = [{Attribute.LABEL: label}, *({Attribute.ID: key[Attribute.ID]} for key in keys if key[Attribute.ID])]
    for mark in marks:
        found = list(session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE, **mark}))
        if len(found) == 1:
            return bytes(found[0][Attribute.VALUE])
    raise KeyUnusable("token_key_missing", f"no one certificate {label}")


def _wants_pin(key: Any) -> bool:
    """CKA_ALWAYS_AUTHENTICATE: the PIN is asked before each signature, as qualified cards do."""
    try:
        return bool(key[Attribute.ALWAYS_AUTHENTICATE])
    except pkcs11.PKCS11Error:
        return False


def _wanted(pin: str | None) -> str:
    if pin is None:
        raise KeyUnusable("pin_needed", "this key wants the PIN for every signature")
    return pin
