"""The photo as posted: allowed, strictly encoded, of a size and a magic. Decoding it is the document's business."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any

from service.cases.model import CasePhoto
from service.cases.sheet import below

if TYPE_CHECKING:
    from service.cases.sheet import Sheet
    from service.sop.model import Photo

MOST_BYTES = 2_000_000
MOST_CHARACTERS = (MOST_BYTES + 2) // 3 * 4
MAGIC = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
PLACE, DATA = "/photo", "/photo/data"
KEYS = ("media_type", "data")


def read_photo(sheet: Sheet, body: dict[str, Any], rule: Photo | None) -> CasePhoto | None:
    """Return the body's photo, if its type takes one."""
    if "photo" not in body:
        if rule and rule.required:
            sheet.note(PLACE, "required")
        return None
    if rule is None:
        sheet.note(PLACE, "photo_forbidden")
        return None
    value = body["photo"]
    given = sheet.mapping(PLACE, value, KEYS)
    for key in KEYS:
        if isinstance(value, dict) and key not in given:
            sheet.note(below(PLACE, key), "required")
    if len(given) < len(KEYS):
        return None
    media_type = sheet.choice(f"{PLACE}/media_type", given["media_type"], tuple(MAGIC))
    data = _decoded(sheet, DATA, given["data"])
    if media_type is None or data is None:
        return None
    if not data.startswith(MAGIC[media_type]):
        sheet.note(DATA, "photo_magic", media_type=media_type)
        return None
    return CasePhoto(media_type, hashlib.sha256(data).hexdigest(), data)


def _decoded(sheet: Sheet, pointer: str, value: object) -> bytes | None:
    if not isinstance(value, str):
        sheet.note(pointer, "wrong_type", expected="string")
        return None
    if len(value) > MOST_CHARACTERS:
        sheet.note(pointer, "photo_too_large", limit=MOST_BYTES)
        return None
    try:
        data = base64.b64decode(value.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        data = b""
    if not data or base64.b64encode(data) != value.encode("ascii"):
        sheet.note(pointer, "base64")
        return None
    if len(data) > MOST_BYTES:
        sheet.note(pointer, "photo_too_large", limit=MOST_BYTES)
        return None
    return data
