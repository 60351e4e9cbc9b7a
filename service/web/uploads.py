"""Takes one PDF out of a request: at most so large, and kept nowhere but in this request's memory.

The web server has gathered the body before a thread sees the request (`service.gathering`): nothing here waits for a client.
"""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from service.errors import BadRequest, LengthRequired, TooLarge, UnsupportedMedia
from service.verification import MOST_BYTES

FIELDS = ("berkas", "file")
_AROUND_A_FILE = 10_000


def pdf() -> bytes:
    """Return the body of a request: `application/pdf`, or `multipart/form-data` with one file.

    Raises LengthRequired, TooLarge, UnsupportedMedia, BadRequest.
    """
    kind = request.mimetype
    if kind not in {"application/pdf", "multipart/form-data"}:
        raise UnsupportedMedia("file_media")
    most = MOST_BYTES + (_AROUND_A_FILE if kind == "multipart/form-data" else 0)
    if request.content_length is None:
        raise LengthRequired
    if request.content_length > most:
        raise TooLarge("file_too_large")
    request.max_content_length = most
    try:
        found = _in_form() if kind == "multipart/form-data" else _whole_body(request.content_length)
    except RequestEntityTooLarge:
        raise TooLarge("file_too_large") from None
    except (ClientDisconnected, OSError):
        raise BadRequest("file_incomplete") from None
    if not found:
        raise BadRequest("file_missing")
    if len(found) > MOST_BYTES:
        raise TooLarge("file_too_large")
    return found


def _whole_body(length: int) -> bytes:
    found = request.get_data(cache=False)
    if len(found) != length:
        raise BadRequest("file_incomplete")
    return found


def _in_form() -> bytes:
    found = next((request.files[name] for name in FIELDS if name in request.files), None)
    return found.read(MOST_BYTES + 1) if found is not None else b""
