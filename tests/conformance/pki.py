"""What the development PKI lacks and a validator asks for: revocation lists, OCSP, time-stamping authorities, and where they answer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from cryptography.x509 import ocsp

from tests.signing.authorities import Authorities, Holder, Stamper, points
from tests.signing.test_timestamp import honest, serving

DAY = timedelta(days=1)


@dataclass
class DevelopmentPki(Authorities):
    """The PKI in a folder that `make_dev_pki` wrote; it can go on certifying, and say what is revoked."""

    folder: Path = Path()

    def __post_init__(self) -> None:
        self.root, self.issuing = self._authority("root"), self._authority("issuing")

    def _authority(self, name: str) -> Holder:
        certificate = x509.load_pem_x509_certificate((self.folder / f"{name}.pem").read_bytes())
        return Holder(certificate, load_pem_private_key((self.folder / f"{name}.key.pem").read_bytes(), None))

    @property
    def secret(self) -> bytes:
        return (self.folder / "passphrase").read_bytes().strip()

    def own_tsa(self) -> Holder:
        """The time-stamping authority that the PKI has had from the beginning."""
        held = pkcs12.load_key_and_certificates((self.folder / "tsa.p12").read_bytes(), self.secret)
        return Holder(held[1], held[0], tuple(held[2]))

    def lists(self, at: datetime, *, days: float = 7) -> dict[str, bytes]:
        """The list of each CA, by name."""
        return {name: self.crl(getattr(self, name), at, days) for name in ("root", "issuing")}


def revocation_lists(keys: Path, out: Path, *, revoked: x509.Certificate | None = None) -> list[Path]:
    """Write a current CRL of the root and of the issuing CA of the PKI in `keys`."""
    pki, now = DevelopmentPki(folder=keys), datetime.now(UTC)
    if revoked is not None:
        pki.revoked[revoked.serial_number] = now - timedelta(hours=1)
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, der in pki.lists(now).items():
        paths.append(out / f"{name}.crl")
        paths[-1].write_bytes(der)
    return paths


@dataclass
class Authority:
    """A time-stamping authority at an address, which may change its certificate while it answers."""

    tsa: Holder

    def __call__(self, request: bytes) -> bytes:
        return honest(Stamper(self.tsa).authority())(request)


@contextlib.contextmanager
def time_stamping(authority: Authority) -> Iterator[str]:
    """The address at which the authority answers meanwhile (RFC 3161 over HTTP, loopback)."""
    with serving(authority) as url:
        yield url


@dataclass
class Responding(Authorities):
    """A PKI whose certificates name an OCSP responder at `url`; each CA answers for what it issued."""

    url: str = ""
    issued: dict[int, Holder] = field(default_factory=dict)

    def certify(self, *given, ca: bool = False, **more) -> Holder:
        extra = () if ca else points(responder=self.url)
        holder = super().certify(*given, ca=ca, **{**more, "extra": extra})
        self.issued[holder.certificate.serial_number] = holder
        return holder

    def answer(self, request: bytes) -> bytes:
        serial = ocsp.load_der_ocsp_request(request).serial_number
        return self.ocsp(self.issued[serial], datetime.now(UTC).replace(microsecond=0), days=60)


@contextlib.contextmanager
def publishing(
    files: Mapping[str, bytes], responder: Callable[[bytes], bytes] | None = None
) -> Iterator[tuple[str, ...]]:
    """The addresses at which these revocation lists lie meanwhile; an OCSP responder answers at any other."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(files[self.path.removeprefix("/")])

        def do_POST(self) -> None:
            self._say(responder(self.rfile.read(int(self.headers["Content-Length"]))))

        def _say(self, found: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            self.wfile.write(found)

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield tuple(f"http://127.0.0.1:{server.server_port}/{name}" for name in files)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
