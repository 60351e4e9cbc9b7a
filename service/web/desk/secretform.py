"""A form with a passphrase: read from the connection into one bytearray, taken apart there, and wiped.

Flask's own form would make texts of it, which nobody can overwrite. What the web server keeps in its buffers is not ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from flask import Request

from service.errors import BadRequest, LengthRequired, TooLarge, UnsupportedMedia
from service.handover import wipe

MOST_BYTES = 4096
SECRET = "passphrase"  # noqa: S105 - the field's name
_HEX = {ord(digit): value for value, digit in enumerate("0123456789abcdef")} | {
    ord(digit): value for value, digit in enumerate("ABCDEF", 10)
}
_PLUS, _PERCENT, _SPACE = b"+% "


@dataclass(slots=True)
class SecretForm:
    """The plain fields, and the passphrase, which is the caller's to wipe."""

    fields: dict[str, str]
    secret: bytearray = field(repr=False)

    def __reduce__(self) -> str:
        raise TypeError("a passphrase is never pickled")


def read(request: Request) -> SecretForm:
    """Read the posted form.

    Raises LengthRequired, TooLarge, UnsupportedMedia, BadRequest.
    """
    if request.mimetype != "application/x-www-form-urlencoded":
        raise UnsupportedMedia
    length = request.content_length
    if length is None:
        raise LengthRequired
    if length > MOST_BYTES:
        raise TooLarge
    body = bytearray(length)
    try:
        _fill(request, body)
        return _taken_apart(body)
    finally:
        wipe(body)


def _fill(request: Request, body: bytearray) -> None:
    view, place = memoryview(body), 0
    with view:
        while place < len(body):
            with view[place:] as rest:
                got = request.stream.readinto(rest)  # type: ignore[attr-defined]
            if not got:
                raise BadRequest
            place += got


def _taken_apart(body: bytearray) -> SecretForm:
    fields, secret, start = {}, bytearray(), 0
    while start < len(body):
        end = body.find(b"&", start)
        end = len(body) if end < 0 else end
        middle = body.find(b"=", start, end)
        middle = end if middle < 0 else middle
        name = bytes(body[start:middle]).decode("ascii", "replace")
        if name == SECRET:
            wipe(secret)
            secret = _decoded(body, min(middle + 1, end), end)
        else:
            fields[name] = unquote_to_bytes(bytes(body[middle + 1 : end]).replace(b"+", b" ")).decode(
                "utf-8", "replace"
            )
        start = end + 1
    return SecretForm(fields, secret)


def _decoded(body: bytearray, start: int, end: int) -> bytearray:
    """Undo the form's encoding (WHATWG URL, 5.1), byte by byte into memory of its final length."""
    length = end - start - 2 * body.count(b"%", start, end)
    if length < 0:
        raise BadRequest
    secret, place = bytearray(length), start
    for index in range(length):
        secret[index], place = _byte(body, place, end)
    if place != end:
        wipe(secret)
        raise BadRequest
    return secret


def _byte(body: bytearray, place: int, end: int) -> tuple[int, int]:
    """Return the byte that is written at `place`, and where the next begins."""
    if body[place] == _PERCENT:
        return _digit(body, place + 1, end) << 4 | _digit(body, place + 2, end), place + 3
    return (_SPACE if body[place] == _PLUS else body[place]), place + 1


def _digit(body: bytearray, place: int, end: int) -> int:
    value = _HEX.get(body[place]) if place < end else None
    if value is None:
        raise BadRequest
    return value
