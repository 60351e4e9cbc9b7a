"""The signing process's keys: PKCS#12 files, never opened outside this process.

A person's passphrase comes sealed from the desk (`open_with`, §7); only in development it is read from a file. The office's
seal has its own secret file, since nobody types it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from service.errors import TekenError
from signing import Pkcs12Backend, open_pkcs12


class KeyDiffers(TekenError):
    """The key's certificate is not the one that was enrolled and that the paper names: nothing is signed."""

    code = "key_differs"


class KeyMissing(TekenError):
    """This process holds no such key."""

    code = "key_missing"


@dataclass(slots=True)
class KeyRing:
    """Keys by owner: `<office>/<code>` is the file `<office>.<code>.p12`."""

    folder: Path
    passphrase: Path
    seal_passphrase: Path
    _open: dict[str, Pkcs12Backend] = field(default_factory=dict, repr=False)

    def key(self, owner: str, certificate_sha256: str) -> Pkcs12Backend:
        """Return the owner's key.

        Raises KeyMissing, KeyDiffers, SigningError (unreadable file or passphrase).
        """
        if owner not in self._open:
            secret = self.seal_passphrase if owner.endswith("/segel") else self.passphrase
            if not secret.is_file():
                raise KeyMissing(owner=owner)
            self._open[owner] = open_pkcs12(self._file(owner), secret.read_bytes().strip())
        return _same(self._open[owner], owner, certificate_sha256)

    def open_with(self, owner: str, certificate_sha256: str, passphrase: bytearray) -> Pkcs12Backend:
        """Open the owner's key with a typed passphrase: one attempt. It is the caller's for as long as he may use it, never kept here.

        Raises as `key` does; a wrong passphrase is KeyUnusable("passphrase_wrong").
        """
        return _same(open_pkcs12(self._file(owner), passphrase), owner, certificate_sha256)

    def _file(self, owner: str) -> Path:
        path = self.folder / f"{owner.replace('/', '.')}.p12"
        if not path.is_file():
            raise KeyMissing(owner=owner)
        return path


class NoKeys:
    """What every other process holds."""

    def key(self, owner: str, certificate_sha256: str) -> Pkcs12Backend:
        """Raise KeyMissing, always."""
        raise KeyMissing(owner=owner, certificate=certificate_sha256)

    def open_with(self, owner: str, certificate_sha256: str, passphrase: bytearray) -> Pkcs12Backend:  # noqa: ARG002 - as in KeyRing
        """Raise KeyMissing, always."""
        raise KeyMissing(owner=owner, certificate=certificate_sha256)


def _same(found: Pkcs12Backend, owner: str, certificate_sha256: str) -> Pkcs12Backend:
    if found.certificate_sha256 != certificate_sha256:
        raise KeyDiffers(owner=owner)
    return found
