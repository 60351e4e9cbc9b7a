"""Keys that are no files, for the product to sign with: a SoftHSM2 token, and a CSC service with the head's key only."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from cryptography.hazmat.primitives.serialization import Encoding

from signing import Backend, CscSecret, CscService, open_csc, open_pkcs11
from tests.conformance.pki import DevelopmentPki
from tests.signing import cscserver, softhsm
from tests.signing.world import Pki

Held = Mapping[str, Backend]
OWNERS = {"kepala": "kadis", "segel": "segel"}
"""The small PKI's names, and an office's."""


@dataclass(frozen=True)
class Keys:
    """An office's keys, some of which are held elsewhere."""

    files: object
    held: Held

    def key(self, owner: str, certificate_sha256: str) -> Backend:
        found = self.held.get(owner)
        if found is None:
            return self.files.key(owner, certificate_sha256)
        assert found.certificate_sha256 == certificate_sha256
        return found

    def __getattr__(self, name: str) -> object:
        return getattr(self.files, name)


@contextlib.contextmanager
def in_a_token(pki: DevelopmentPki, office: str, folder: Path) -> Iterator[Held]:
    """Head and seal in one SoftHSM2 token."""
    token = softhsm.make_token(_made(folder / "token"), {"rsa2048": _small(pki, office, folder / "small")})
    chain = (pki.issuing.certificate.public_bytes(Encoding.DER),)
    with mock.patch.dict(os.environ, SOFTHSM2_CONF=token.environment["SOFTHSM2_CONF"]):
        yield {
            f"{office}/{owner}": open_pkcs11(
                softhsm.MODULE,
                softhsm.LABEL,
                f"rsa2048-{name}",
                bytearray(softhsm.PIN),
                certificate_der=token.certificate(f"rsa2048-{name}"),
                chain_der=chain,
            )
            for name, owner in OWNERS.items()
        }


@contextlib.contextmanager
def at_a_service(pki: DevelopmentPki, office: str, folder: Path) -> Iterator[Held]:
    """The head's key at a CSC service (a small one, on loopback); the seal's is a file."""
    with cscserver.csc_server(_small(pki, office, folder / "csc")) as server:
        service = CscService(server.url, cscserver.CREDENTIAL, cscserver.TOKEN)
        yield {f"{office}/kadis": open_csc(service, CscSecret(cscserver.PIN))}


BACKENDS = {"pkcs11": in_a_token, "csc": at_a_service}


def _small(pki: DevelopmentPki, office: str, folder: Path) -> Pki:
    _made(folder)
    for name, owner in OWNERS.items():
        shutil.copy(pki.folder / f"{office}.{owner}.p12", folder / f"{name}.p12")
    for name in ("passphrase", "root.pem", "issuing.pem"):
        shutil.copy(pki.folder / name, folder / name)
    return Pki(folder)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
