"""The BSrE simulator on loopback, and what the tests send to it."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask import request

from service.simulate.bsre import listening, simulator
from signing import (
    BsreBackend,
    Look,
    Order,
    Passphrase,
    QrCode,
    Signer,
    Trust,
    Wire,
    accept_returned,
    prepare_fields,
)
from tests.signing.world import FLOWS, HEAD, URL, font, prepared, typeset

NIK, SECRET = "0000907391846205", Passphrase("frasa-contoh-satu")
SEAL = "segel-contoh"
LOOK = Look(1, (300.0, 100.0, 390.0, 190.0), QrCode(URL))


def without_field(holder: str = "Siti Aminah") -> bytes:
    """A document for a service that makes its own field."""
    return prepare_fields(typeset((), holder), (), font=font())


def with_field() -> bytes:
    return prepared(FLOWS["head_only"].fields)


def order(pdf: bytes | None = None, look: Look | None = LOOK) -> Order:
    return Order(pdf or without_field(), HEAD, look, "Penerbitan izin", "Kota Contoh")


@dataclass
class Service:
    """A running simulator; `waits` collects what the client slept."""

    url: str
    folder: Path
    app: object
    waits: list[float]
    asked: list[str] = field(default_factory=list)

    @property
    def quirks(self) -> dict[str, float]:
        """The switches that are on; they may be changed while it runs."""
        return self.app.extensions["play"].on

    def requests(self, path: str) -> int:
        """How many requests reached an endpoint, whatever it answered."""
        return self.asked.count(f"/api/v2/{path}")

    def client(self, who=None, **given) -> BsreBackend:
        wire = Wire(self.url, "contoh", "sandi-contoh", sleep=self.waits.append, seconds=given.pop("seconds", 20.0))
        return BsreBackend(wire, who or Signer(nik=NIK), **given)

    def certificate(self, number: str = NIK) -> bytes:
        return x509.load_pem_x509_certificate((self.folder / f"{number}.cert.pem").read_bytes()).public_bytes(
            Encoding.DER
        )

    @property
    def trust(self) -> Trust:
        root = x509.load_pem_x509_certificate((self.folder / "root.pem").read_bytes())
        return Trust((root.public_bytes(Encoding.DER),))

    def accept(self, sent: Order, returned: bytes, policy: str = "own_field", number: str = NIK, **given):
        sha = hashlib.sha256(self.certificate(number)).hexdigest()
        given = {"look": sent.look, **given}
        return accept_returned(
            sent.pdf, returned, policy=policy, field=sent.field, certificate_sha256=sha, trust=self.trust, **given
        )


@contextmanager
def playing(folder: Path, *switches: str):
    app, asked = simulator(folder, switches), []
    app.before_request(lambda: asked.append(request.path))
    server = listening(app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Service(f"http://127.0.0.1:{server.server_port}", folder, app, [], asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
