"""A real receiver on loopback, over http or TLS, that behaves as badly as it is told, and remembers what reached it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

WAIT_SECONDS = 30


@dataclass(frozen=True)
class Got:
    """One request as it came in."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict:
        return json.loads(self.body)


@dataclass
class Receiver:
    """`answer`: bytes to send back, or what to do with the open connection; `got`: requests in the order in which they came."""

    port: int = 0
    answer: bytes | Callable[[socket.socket], None] = b""
    got: list[Got] = field(default_factory=list)
    connections: int = 0
    came: threading.Condition = field(default_factory=threading.Condition)
    closing: threading.Event = field(default_factory=threading.Event)
    secure: bool = False

    @property
    def url(self) -> str:
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{self.port}/masuk"

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.got]

    def wait(self, count: int) -> None:
        """Return as soon as so many requests have come."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.got) >= count, WAIT_SECONDS), self.ids

    def serve(self, line: socket.socket) -> None:
        while (one := _request(line)) is not None:
            answer = self.answer  # once: from here on the test may have gone on and ordered the next one
            with self.came:
                self.got.append(one)
                self.came.notify_all()
            if callable(answer):
                answer(line)
                return
            line.sendall(answer)
            head = answer.lower()
            if b"connection: close" in head or b"content-length" not in head:
                return


def said(status: int, *headers: str, body: bytes = b"") -> bytes:
    """An answer with a length, after which the connection stays open."""
    lines = [f"HTTP/1.1 {status} Uji", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


OK = said(200)


def hang(line: socket.socket) -> None:
    """Say nothing until the sender hangs up."""
    with suppress(OSError):
        line.recv(1)


def drip(line: socket.socket) -> None:
    """Answer so slowly that no single read ever times out."""
    with suppress(OSError):
        line.sendall(b"HTTP/1.1 200 OK\r\nX-Tetes: ")
        while True:
            line.sendall(b"x")
            time.sleep(0.02)


def flood(line: socket.socket) -> None:
    """Never stop answering."""
    with suppress(OSError):
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        while True:
            line.sendall(b"x" * 65536)


@contextmanager
def receiving(answer: bytes | Callable = OK, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver until the end of the block."""
    receiver = Receiver(answer=answer, secure=context is not None)
    listener = socket.create_server(("127.0.0.1", 0))
    receiver.port = listener.getsockname()[1]
    lines: list[socket.socket] = []

    def one(line: socket.socket) -> None:
        try:
            with suppress(OSError, ValueError):
                line = context.wrap_socket(line, server_side=True) if context else line
                lines.append(line)
                receiver.serve(line)
        finally:  # whatever went wrong here, the sender is not left waiting
            with suppress(OSError):
                line.close()

    def accept() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            receiver.connections += 1
            lines.append(line)
            threading.Thread(target=one, args=(line,), daemon=True).start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield receiver
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(WAIT_SECONDS)  # from here on no line is added
        for line in lines:
            with suppress(OSError):  # a close alone says nothing to the sender while a thread of ours still reads
                socket.socket.shutdown(line, socket.SHUT_RDWR)
            with suppress(OSError):
                line.close()


def _request(line: socket.socket) -> Got | None:
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = line.recv(65536)
        if not piece:
            return None
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in rest)}
    while len(body) < int(headers["content-length"]):
        body += line.recv(65536)
    return Got(first, headers, body)


def certified(folder: Path, *names: str) -> ssl.SSLContext:
    """A server's TLS for these names and addresses, by an authority whose certificate is left in `folder/ca.pem`."""
    now, ca_key, key = (
        dt.datetime.now(dt.UTC),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Otoritas uji")])

    def begun(subject: x509.Name, public) -> x509.CertificateBuilder:
        day = dt.timedelta(days=1)
        built = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
        return built.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)

    root = begun(issuer, ca_key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    usage = dict.fromkeys(
        "content_commitment key_encipherment data_encipherment key_agreement encipher_only decipher_only".split(), False
    )
    usage |= {"digital_signature": True, "key_cert_sign": True, "crl_sign": True}
    skid = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    root = root.add_extension(x509.KeyUsage(**usage), True).add_extension(skid, False)
    others = [_named(name) for name in names]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    leaf = begun(subject, key.public_key()).add_extension(x509.SubjectAlternativeName(others), False)
    leaf = leaf.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(root.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(private + leaf.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
