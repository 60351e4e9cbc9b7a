"""The signing process's keys: PKCS#12 files, opened once with the development passphrase, never outside this process.

In this form the passphrase is read from a file; with real certificates it comes sealed from the desk (§7).
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
    _open: dict[str, Pkcs12Backend] = field(default_factory=dict, repr=False)

    def key(self, owner: str, certificate_sha256: str) -> Pkcs12Backend:
        """Return the owner's key.

        Raises KeyMissing, KeyDiffers, SigningError (unreadable file or passphrase).
        """
        if owner not in self._open:
            path = self.folder / f"{owner.replace('/', '.')}.p12"
            if not path.is_file() or not self.passphrase.is_file():
                raise KeyMissing(owner=owner)
            self._open[owner] = open_pkcs12(path, self.passphrase.read_bytes().strip())
        found = self._open[owner]
        if found.certificate_sha256 != certificate_sha256:
            raise KeyDiffers(owner=owner)
        return found


class NoKeys:
    """What every other process holds."""

    def key(self, owner: str, certificate_sha256: str) -> Pkcs12Backend:
        """Raise KeyMissing, always."""
        raise KeyMissing(owner=owner, certificate=certificate_sha256)
