"""Who takes notices in tests: a real HTTP server and real mail servers on loopback, with modes of trouble."""

from __future__ import annotations

import asyncio
import email
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Got:
    """One message that arrived: its id, to whom, its text, and all that came."""

    id: str
    to: str
    text: str
    raw: object
    headers: dict[str, str]


@dataclass
class Receiver:
    """What arrived, and what it answers. `mode`: taken | refused | busy | silent | odd."""

    url: str = ""
    port: int = 0
    mode: str = "taken"
    got: list[Got] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)  # ends every silence


def make_certificate(folder: Path, *, host: str = "127.0.0.1") -> tuple[Path, Path]:
    """Make a certificate of this machine that signs itself; return it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    draft = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    draft = draft.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    draft = draft.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
    draft = draft.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = draft.sign(key, hashes.SHA256())
    paths = folder / f"{host}.pem", folder / f"{host}.key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def tls_of(pair: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*pair)
    return context


@contextmanager
def gateway(pair: tuple[Path, Path] | None = None) -> Iterator[Receiver]:
    """A gateway at `/send`; JSON or form, `to` and `text` at the top."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.mode == "silent":
                receiver.released.wait(30)
                return
            status = {"refused": 422, "busy": 503, "moved": 307}.get(receiver.mode, 200)
            if receiver.mode == "taken":
                form = self.headers["Content-Type"] != "application/json"
                told = dict(parse_qsl(body.decode())) if form else json.loads(body)
                got = Got(self.headers["Idempotency-Key"], told["to"], told["text"], told, dict(self.headers))
                receiver.got.append(got)
            with suppress(OSError):
                self.send_response(status)
                self.send_header("Location", f"{receiver.url}/elsewhere")
                self.end_headers()
                self.wfile.write(json.dumps({"status": receiver.mode != "odd"}).encode())

        do_PUT = do_POST  # noqa: N815  # the base class's name

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if pair is not None:
        server.socket = tls_of(pair).wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # a client that does not trust us hangs up
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    receiver.port = server.server_port
    receiver.url = f"{'https' if pair else 'http'}://127.0.0.1:{receiver.port}/send"
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Mail:
    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.receiver.mode == "refused":
            return "550 no such mailbox"
        if self.receiver.mode == "busy":
            return "450 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.receiver.mode == "silent":
            await asyncio.sleep(30)
        if self.receiver.mode == "odd":
            return "452 no room"
        letter = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(letter, EmailMessage)
        name = letter["Message-ID"].strip("<>").partition("@")[0]
        self.receiver.got.append(
            Got(name, envelope.rcpt_tos[0], letter.get_content().strip(), letter, dict(letter.items()))
        )
        return "250 taken"


class _Door(Controller):
    """A server at a port that the system chooses."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(pair: tuple[Path, Path] | None = None, *, tls: str = "starttls", login: str = "") -> Iterator[Receiver]:
    """A mail server: `starttls` (which it insists on), `tls` from the first byte, or `none`. `login`: user:password."""
    receiver = Receiver()
    options: dict = {"timeout": 30}
    if tls == "starttls":
        options |= {"tls_context": tls_of(pair), "require_starttls": True}
    elif tls == "tls":
        options |= {"ssl_context": tls_of(pair), "auth_require_tls": False}
    if login:

        def known(server, session, envelope, mechanism, data) -> AuthResult:
            right = f"{data.login.decode()}:{data.password.decode()}" == login
            return AuthResult(success=right, handled=right)

        options |= {"authenticator": known, "auth_required": tls == "starttls"}
    controller = _Door(_Mail(receiver), hostname="127.0.0.1", port=0, ready_timeout=60, **options)
    controller.start()
    receiver.port = controller.port
    try:
        yield receiver
    finally:
        controller.stop()
