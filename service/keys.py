"""The signing process's keys, never opened outside this process: files here, tokens and services in `service.openers`.

A person's passphrase comes sealed from the desk (`open_with`, §7); only in development it is read from a file. The office's
seal has its own secret file, since nobody types it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from service.errors import TekenError
from service.qr_keys import QrKeyMissing, QrKeys
from signing import (
    Backend,
    BsreBackend,
    CscBackend,
    Institution,
    KeyUnusable,
    Passphrase,
    Pkcs11Backend,
    Pkcs12Backend,
    Secret,
    SigningFailed,
    Totp,
    open_pkcs12,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

SEAL = "segel"
CodeFor = Literal["request", "batch"]
"""What a one-time code of a person's is good for: one request, or all of a batch until the service says otherwise."""
AskCode = Callable[[int], None]
"""Has a service send a person a code for so many documents. Raises KeyMissing, SigningError."""
_Key = TypeVar("_Key", bound="Opened")


class KeyDiffers(TekenError):
    """The key's certificate is not the one that was enrolled and that the paper names: nothing is signed."""

    code = "key_differs"


class KeyMissing(TekenError):
    """This process holds no such key."""

    code = "key_missing"


@dataclass(frozen=True, slots=True)
class Courier:
    """A service that signs whole documents, for one person or one seal. Holds what was typed until `forget`.

    `code`: what was typed is a one-time code, good for so much; None: a passphrase.
    """

    client: BsreBackend
    certificate_sha256: str
    _typed: bytearray | None = field(default=None, repr=False)
    code: CodeFor | None = None

    @property
    def once(self) -> bool:
        """What was typed is good for one request."""
        return self.code == "request"

    @property
    def spent(self) -> bool:
        """Nothing that was typed is held any more."""
        return not self._typed

    def secret(self) -> Secret:
        """What one request needs: what was typed, or for a seal a fresh one-time code.

        Raises KeyUnusable: pin_needed, totp_wrong; SigningFailed.
        """
        if isinstance(self.client.who, Institution):
            code, _ = self.client.activate_seal()
            fresh = self.client.request_totp(1, code)
            if not fresh:
                raise SigningFailed("service_unclear", "no code")
            return Totp(fresh)
        if not self._typed:
            raise KeyUnusable("pin_needed", "what was typed is no longer held")
        typed = self._typed.decode()
        return Totp(typed.replace(" ", "")) if self.code else Passphrase(typed)

    def sent(self) -> None:
        """A request went out: a code that is good for one is not held any longer."""
        if self.once:
            self.forget()

    def forget(self) -> None:
        """Overwrite what was typed."""
        if self._typed is not None:
            self._typed[:] = bytes(len(self._typed))
            self._typed.clear()

    def __reduce__(self) -> str:
        raise TypeError("a key is never pickled")


Opened = Backend | Courier
"""What a key may be once it is open: one that signs here, or a service to which documents go."""


def proven_by_use(key: Opened) -> bool:
    """Tell whether opening it proved nothing: only a first signature shows that the secret is right."""
    return isinstance(key, Courier | CscBackend)


def give_up(key: Opened) -> None:
    """Forget an opened key's secret; the last one of a token logs out."""
    if isinstance(key, Pkcs11Backend):
        key.release()
    elif isinstance(key, Courier | CscBackend):
        key.forget()


def same(found: _Key, owner: str, certificate_sha256: str) -> _Key:
    """Return the key if its certificate is the enrolled one.

    Raises KeyDiffers; the key is given up.
    """
    if found.certificate_sha256 != certificate_sha256:
        give_up(found)
        raise KeyDiffers(owner=owner)
    return found


@dataclass(slots=True)
class KeyRing:
    """Keys by owner: `<office>/<code>` is the file `<office>.<code>.p12`."""

    folder: Path
    passphrase: Path
    seal_passphrase: Path
    _open: dict[str, Pkcs12Backend] = field(default_factory=dict, repr=False)
    _qr: dict[str, QrKeys] = field(default_factory=dict, repr=False)

    def key(self, owner: str, certificate_sha256: str) -> Pkcs12Backend:
        """Return the owner's key.

        Raises KeyMissing, KeyDiffers, SigningError (unreadable file or passphrase).
        """
        if owner not in self._open:
            secret = self.seal_passphrase if is_seal(owner) else self.passphrase
            if not secret.is_file():
                raise KeyMissing(owner=owner)
            self._open[owner] = open_pkcs12(self._file(owner), secret.read_bytes().strip())
        return same(self._open[owner], owner, certificate_sha256)

    def open_with(self, owner: str, certificate_sha256: str, passphrase: bytearray) -> Pkcs12Backend:
        """Open the owner's key with a typed passphrase: one attempt. It is the caller's for as long as he may use it, never kept here.

        Raises as `key` does; a wrong passphrase is KeyUnusable("passphrase_wrong").
        """
        return same(open_pkcs12(self._file(owner), passphrase), owner, certificate_sha256)

    def qr(self, office: str) -> EllipticCurvePrivateKey:
        """Return the office's QR key, as its file is now. Raises QrKeyMissing."""
        reader = self._qr.setdefault(office, QrKeys(self.folder, self.seal_passphrase))
        return reader.key(office)

    def _file(self, owner: str) -> Path:
        path = self.folder / f"{file_name(owner)}.p12"
        if not path.is_file():
            raise KeyMissing(owner=owner)
        return path


class NoKeys:
    """What every other process holds."""

    def key(self, owner: str, certificate_sha256: str) -> Opened:
        """Raise KeyMissing, always."""
        raise KeyMissing(owner=owner, certificate=certificate_sha256)

    def open_with(self, owner: str, certificate_sha256: str, passphrase: bytearray) -> Opened:  # noqa: ARG002 - as in KeyRing
        """Raise KeyMissing, always."""
        raise KeyMissing(owner=owner, certificate=certificate_sha256)

    def qr(self, office: str) -> EllipticCurvePrivateKey:
        """Raise QrKeyMissing, always."""
        raise QrKeyMissing(office=office)

    def asker(self, official: str) -> AskCode | None:  # noqa: ARG002 - as in OfficeKeys
        """Return None: no code is asked for here."""
        return None


def is_seal(owner: str) -> bool:
    """Tell an office's seal from a person."""
    return owner.endswith(f"/{SEAL}")


def file_name(owner: str) -> str:
    """Return how an owner's files and the keys in tokens are named: `<office>.<code>`."""
    return owner.replace("/", ".")
