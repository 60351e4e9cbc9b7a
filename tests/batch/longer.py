"""An office with its own PKI, time-stamping authority, OCSP responder and CRLs at real addresses, which count what they are asked."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore
from sqlalchemy import select

from service.archive import sha256
from service.longterm import level_of
from service.sop import load_offices
from service.store.tables import documents
from service.trust import trust
from service.wiring import Teken
from signing import inspect
from tests.longterm.conftest import enrol
from tests.procedures.stories import edit, tree_of
from tests.signing.authorities import Authorities, Holder, points

OFFICE = "rokan-hilir"
PASSPHRASE = b"rahasia"


@dataclass
class Online(Authorities):
    """Leaves name an OCSP responder at `url`; the CAs' lists are where the operator says."""

    url: str = ""
    issued: dict[int, Holder] = field(default_factory=dict)
    asked: Counter = field(default_factory=Counter)

    def certify(self, *given, ca: bool = False, **more) -> Holder:
        extra = () if ca else points(responder=f"{self.url}/ocsp")
        holder = super().certify(*given, ca=ca, **{**more, "extra": extra})
        self.issued[holder.certificate.serial_number] = holder
        return holder

    def answer(self, path: str, body: bytes) -> bytes:
        self.asked[path] += 1
        now = datetime.now(UTC).replace(microsecond=0)
        if path == "/tsa":
            return asyncio.run(self.stamper.async_request_tsa_response(tsp.TimeStampReq.load(body))).dump()
        if path == "/ocsp":
            return self.ocsp(self.issued[ocsp.load_der_ocsp_request(body).serial_number], now)
        return self.crl({"/root.crl": self.root, "/issuing.crl": self.issuing}[path], now)

    @cached_property
    def stamper(self) -> DummyTimeStamper:
        tsa, store = self.tsa("TSA", kind="rsa2048"), SimpleCertificateStore()
        store.register_multiple(asn1.Certificate.load(one.public_bytes(Encoding.DER)) for one in tsa.chain)
        private = tsa.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return DummyTimeStamper(asn1.Certificate.load(tsa.der), asn1_keys.PrivateKeyInfo.load(private), store)


@dataclass(frozen=True)
class House:
    """What a process needs to know of the office: settings by name, without the database."""

    pki: Online
    settings: dict[str, object]


@contextmanager
def house(folder: Path, level: str, kind: str) -> Iterator[House]:
    """Make keys of one kind and an office that issues nothing below `level`, with everybody whom it asks."""
    pki: list[Online] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.command == "POST" and not body:
                return  # who asked died while asking
            found = pki[0].answer(self.path, body)
            with suppress(OSError):
                self.send_response(200)
                self.send_header("Content-Length", str(len(found)))
                self.end_headers()
                self.wfile.write(found)

        do_POST = do_GET  # noqa: N815 - the base class's name

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        pki.append(Online(kind=kind, url=url, begin=datetime.now(UTC)))
        templates = tree_of(folder, OFFICE)
        for name in ("issue_at_least", "target"):
            edit(templates / OFFICE / "office.toml", f'\n{name} = "B-B"', f'\n{name} = "{level}"')
        keys = folder / "keys"
        enrol(keys, pki[0], load_offices(templates).offices[OFFICE], {})
        asked = {"tsa_url": f"{url}/tsa", "crl_url": f"{url}/root.crl,{url}/issuing.crl"} if level != "B-B" else {}
        files = {"passphrase_file": folder / "none", "seal_passphrase_file": keys / "passphrase"}
        yield House(pki[0], {"home": folder / "home", "keys": keys, "templates": templates, **files, **asked})
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def faults(teken: Teken, released: dict[str, str], level: str) -> list[str]:
    """Return what is wrong with the released documents (permit: SHA-256), all of them read back and inspected by pyHanko.

    An inspection tells the level that the file claims; what its store proves was proven before issue.
    """
    trusted, found = trust(teken.settings), []
    with teken.db.read() as connection:
        recorded = {row.sha: level_of(json.loads(row.signatures)) for row in connection.execute(select(documents))}
    for permit, sha in released.items():
        pdf = teken.archive.get(sha)
        seen = inspect(pdf, trusted)
        levels = [one.level for one in seen.signatures]
        as_wanted = (levels, seen.has_dss, recorded.get(sha)) == ([level], level == "B-LT", level)
        if sha256(pdf) != sha or not as_wanted or not all(one.sound and one.trusted for one in seen.signatures):
            found.append(f"{permit}: {seen.outcome} {seen.cause} {levels}")
    return found
