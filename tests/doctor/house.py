"""An office's house that is well, with a real TSA, CRLs and a living signing process; a test breaks one thing in it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from asn1crypto import keys, tsp
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from service import people, signers
from service.clock import SetClock
from service.doctor import Asked, Finding, State, examine
from service.settings import Settings
from service.wiring import open_teken
from tests.procedures.stories import edit, tree_of
from tests.signing.authorities import Authorities, Holder, points
from tests.support.office import NOW

OFFICE, HEAD, SEAL = "malang", "malang/kadis", "malang/segel"
SEALLESS, ITS_HEAD = "rokan-hilir", "rokan-hilir/kadis"
SECRET = b"rahasia-contoh"
DAY = timedelta(days=1)


@dataclass
class Site:
    """A web server: each path answers with what its function makes of the request's body; a path without one, 404."""

    url: str
    pages: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)


@contextmanager
def site() -> Iterator[Site]:
    place = Site("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            page = place.pages.get(self.path)
            with contextlib.suppress(OSError):
                self.send_response(200 if page else 404)
                self.end_headers()
                self.wfile.write(page(body) if page else b"")

        do_POST = do_GET  # noqa: N815  # the base class's name

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    place.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield place
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class House:
    settings: Settings
    clock: SetClock
    pki: Authorities
    site: Site
    stamps_at: timedelta = timedelta()
    """By how much the time-stamping authority's clock differs."""

    @property
    def keys(self) -> Path:
        return self.settings.keys

    def open(self, **more):
        """Start as a signing process does, which migrates, enrols and announces itself."""
        teken = open_teken(self.settings, clock=self.clock, signing=True, **more)
        with teken.db.write() as connection:
            signers.announce(connection, teken.custody.announcement(self.clock.now()))
        return teken

    def change(self, work: Callable[[object], None]) -> None:
        with contextlib.closing(open_teken(self.settings, clock=self.clock)) as teken, teken.db.write() as connection:
            work(connection)

    def set(self, **changes) -> None:
        self.settings = self.settings.model_copy(update=changes)

    def certify(self, name: str, **more) -> Holder:
        return self.pki.signer(name, **{"extra": points(crl=f"{self.site.url}/penerbit.crl"), **more})

    def enrol(self, owner: str, holder: Holder) -> None:
        """As if the office had done so later than all others."""
        pem = holder.certificate.public_bytes(Encoding.PEM)
        self.change(lambda connection: people.enrol(connection, owner, pem, self.clock.now() + DAY))

    def give(self, owner: str, holder: Holder) -> None:
        """Key file and certificate beside it."""
        beside = self.keys / owner.replace("/", ".")
        secret = BestAvailableEncryption(SECRET)
        content = pkcs12.serialize_key_and_certificates(b"x", holder.key, holder.certificate, holder.chain, secret)
        write(Path(f"{beside}.p12"), content)
        write(Path(f"{beside}.cert.pem"), holder.certificate.public_bytes(Encoding.PEM))

    def only_enrolled(self, owner: str, holder: Holder) -> None:
        """The one certificate that the owner has, with its key."""
        from service.store.tables import certificates

        self.change(lambda connection: connection.execute(certificates.delete().where(certificates.c.owner == owner)))
        self.give(owner, holder)
        self.enrol(owner, holder)

    def examine(self, asked: Asked | None = None) -> list[Finding]:
        return list(examine(self.settings, asked, self.clock))

    def tsa(self, holder: Holder) -> Callable[[bytes], bytes]:
        """An honest authority with this certificate."""
        private = keys.PrivateKeyInfo.load(holder.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        store = SimpleCertificateStore()
        store.register_multiple(asn1.Certificate.load(one.public_bytes(Encoding.DER)) for one in holder.chain)
        certificate = asn1.Certificate.load(holder.der)

        def answer(body: bytes) -> bytes:
            at = self.clock.now() + self.stamps_at
            stamper = DummyTimeStamper(certificate, private, store, fixed_dt=at)
            return asyncio.run(stamper.async_request_tsa_response(tsp.TimeStampReq.load(body))).dump()

        return answer


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def build(
    folder: Path, place: Site, *, now: datetime = NOW, office: str = OFFICE, backend: str = "", database: str = ""
) -> House:
    """The office issues with the CA's answer (B-LT), so that everything is asked."""
    clock, pki = SetClock(now), Authorities(begin=now - 30 * DAY)
    templates = tree_of(folder, office)
    data = templates / office / "office.toml"
    edit(data, 'issue_at_least = "B-B"', 'issue_at_least = "B-LT"')
    edit(data, 'target = "B-B"', 'target = "B-LT"')
    if backend:
        data.write_text(data.read_text() + f'\n[signing]\nbackend = "{backend}"\n')
    given = {"home": folder / "home", "keys": folder / "keys", "templates": templates, "database_url": database}
    house = House(
        Settings(
            **given,
            data_keys=folder / "elsewhere" / "data.keys",
            trusted_proxies=1,
            tsa_url=f"{place.url}/tsa",
            crl_url=f"{place.url}/induk.crl",
        ),
        clock,
        pki,
        place,
    )
    place.pages["/tsa"] = house.tsa(pki.tsa("TSA"))
    place.pages["/induk.crl"] = lambda _: pki.crl(pki.root, clock.now())
    place.pages["/penerbit.crl"] = lambda _: pki.crl(pki.issuing, clock.now())
    house.keys.mkdir()
    write(house.keys / "passphrase", SECRET + b"\n")
    write(house.keys / "root.pem", pki.root.certificate.public_bytes(Encoding.PEM))
    write(house.keys / "issuing.pem", pki.issuing.certificate.public_bytes(Encoding.PEM))
    for owner in (HEAD, SEAL) if office == OFFICE else (ITS_HEAD,):
        house.give(owner, house.certify(owner.partition("/")[2]))
    house.open().close()
    return house


def states(found: list[Finding], *wanted: State) -> list[tuple[str, str, str]]:
    return [(one.check, one.subject, one.code) for one in found if one.state in wanted]


def faults(found: list[Finding]) -> list[tuple[str, str, str]]:
    return states(found, State.FAULT)
