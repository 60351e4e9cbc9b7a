"""The photo as posted: allowed, strictly encoded, of a size and a magic. Decoding it is the document's business."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

from service.cases.model import CasePhoto
from service.cases.sheet import below

if TYPE_CHECKING:
    from service.cases.sheet import Sheet
    from service.sop.model import Photo

MOST_BYTES = 2_000_000
MOST_CHARACTERS = (MOST_BYTES + 2) // 3 * 4
MAGIC = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
KEYS = ("media_type", "data")


def read_photo(sheet: Sheet, pointer: str, value: object, rule: Photo | None) -> CasePhoto | None:
    """Return the photo of a type that takes one. `value` is None when the key was not sent."""
    if rule is None or value is None:
        if value is not None:
            sheet.note(pointer, "photo_forbidden")
        elif rule and rule.required:
            sheet.note(pointer, "required")
        return None
    given = sheet.mapping(pointer, value, KEYS)
    for key in KEYS:
        if isinstance(value, dict) and key not in given:
            sheet.note(below(pointer, key), "required")
    if len(given) < len(KEYS):
        return None
    media_type = sheet.choice(below(pointer, "media_type"), given["media_type"], tuple(MAGIC))
    data = _decoded(sheet, below(pointer, "data"), given["data"])
    if media_type is None or data is None:
        return None
    if not data.startswith(MAGIC[media_type]):
        sheet.note(below(pointer, "data"), "photo_magic", media_type=media_type)
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
