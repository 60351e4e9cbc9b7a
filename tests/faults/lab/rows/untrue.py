"""What a signing service may answer instead of the truth. The simulator behind it is honest: the answer, or the request, is changed on the way."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from tests.signing.simulated import Service, without_field

World = Mapping[str, Any]  # of one request, as WSGI gives it
Spoilt = Callable[[list[bytes]], list[bytes]]
SIGNING, PIECES, DRIPPED_SECONDS = "/sign/pdf", 40, 12


@dataclass
class Untrue:
    """Stands before the simulator; `name` is the answer that signing gets, "" the true one."""

    service: Callable[..., Iterable[bytes]]
    name: str = ""

    @classmethod
    def before(cls, service: Service) -> Untrue:
        """Put one before a running simulator."""
        service.app.wsgi_app = one = cls(service.app.wsgi_app)
        return one

    def __call__(self, world: World, start: Any) -> Iterable[bytes]:
        if not self.name or not world["PATH_INFO"].endswith(SIGNING):
            return self.service(world, start)
        asked = json.loads(world["wsgi.input"].read(int(world["CONTENT_LENGTH"])))
        if self.name in ASKED:
            asked = ASKED[self.name](asked)
        body = json.dumps(asked).encode()
        inner = {**world, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        true = Response.from_app(self.service, inner, buffered=True)
        if self.name in FILES:
            given = FILES[self.name](true.json["file"], asked["file"])
            true.set_data(json.dumps({**true.json, "file": given}))
        elif self.name in ANSWERS:
            true = ANSWERS[self.name](true)
        return true(world, start)


def _each(spoil: Callable[[bytes], bytes]) -> Callable[[list[str], list[str]], list[str]]:
    return lambda signed, _sent: [base64.b64encode(spoil(base64.b64decode(one))).decode() for one in signed]


def _flipped(pdf: bytes) -> bytes:
    """One letter of the page's content, which the signature covers."""
    at = pdf.index(b"stream") + 60
    return pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]


def _hollow(pdf: bytes) -> bytes:
    """The signature's value is wrong by one bit, its dictionary whole."""
    start = pdf.rindex(b"/Contents <") + len(b"/Contents <") + 1200
    digit = b"0" if pdf[start : start + 1] != b"0" else b"1"
    return pdf[:start] + digit + pdf[start + 1 :]


FILES: dict[str, Callable[[list[str], list[str]], list[str]]] = {
    "no file": lambda _signed, _sent: [],
    "what it was sent": lambda _signed, sent: sent,
    "a file that is no PDF": _each(lambda _pdf: b"bukan PDF"),
    "a file that is no base64": lambda signed, _sent: ["%%" + one for one in signed],
    "a signed file that lost its end": _each(lambda pdf: pdf[:-2000]),
    "a signed file with a page changed": _each(_flipped),
    "a signed file with a value that does not hold": _each(_hollow),
    "a signed file with more behind it": _each(lambda pdf: pdf + b"\n1 0 obj\n<<>>\nendobj\n"),
    "one file twice": lambda signed, _sent: signed * 2,
}
ASKED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "somebody else's document": lambda asked: (
        asked | {"file": [base64.b64encode(without_field("Wira Contoh")).decode() for _ in asked["file"]]}
    ),
    "another one's signature": lambda asked: asked | {"nik": "0000000000000002", "passphrase": "frasa-contoh-dua"},
}


def _cut(true: Response) -> Response:
    half = true.get_data()[: len(true.get_data()) // 2]
    return Response([half], headers={"Content-Length": str(len(true.get_data()))}, mimetype="application/json")


def _dripped(true: Response) -> Response:
    """All of it, each piece well in time, the whole much too late."""
    whole = true.get_data()
    size = len(whole) // PIECES + 1

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(whole), size):
            time.sleep(DRIPPED_SECONDS / PIECES)
            yield whole[at : at + size]

    return Response(pieces(), headers={"Content-Length": str(len(whole))}, mimetype="application/json")


ANSWERS: dict[str, Callable[[Response], Response]] = {
    "nothing at all": lambda _true: Response(b""),
    "a page in place of an answer": lambda _true: Response("<h1>Sedang dipelihara</h1>", mimetype="text/html"),
    "a gateway's page after signing": lambda _true: Response("<h1>502</h1>", 502, mimetype="text/html"),
    "a redirect after signing": lambda _true: Response(status=302, headers={"Location": "/masuk"}),
    "404 after signing": lambda _true: Response("{}", 404, mimetype="application/json"),
    "401 after signing": lambda _true: Response('{"error": "Unauthorized"}', 401, mimetype="application/json"),
    "half an answer": _cut,
    "an answer in small bites": _dripped,
    "JSON of another shape": lambda _true: Response("[[[]]]", mimetype="application/json"),
}
LIES = {*FILES, *ASKED, *ANSWERS}
BELIEVED = {"one file twice"}
"""A signature is in it all the same."""
