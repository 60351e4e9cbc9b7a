"""Reads what the updates of one of our own files wrote, from its bytes: a tenth of the time that a PDF library takes.

Only updates of our own form are read; below the first other one, nothing. Whoever gets no answer asks a PDF library.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Final

from signing.errors import ProofFailed
from signing.revisions import check_tiles, cross_references, find_tail, last_startxref

_PREVIOUS: Final = re.compile(rb"/Prev (\d{1,10})\n")
_HEAD, _END = b"%d 0 obj\n", b"\nendobj\n"
_SIGNATURE: Final = re.compile(rb"<<\n/Contents <([0-9A-Fa-f]+)>\n/ByteRange \[\d+ \d+ (\d+) (\d+)\] *\n/Type /Sig\n")
_SIGNED: Final = b"/ByteRange"


@dataclass(frozen=True, slots=True)
class OwnUpdates:
    """The updates from `start` on. `header` is the newest cross-reference stream's dictionary, which lies at `section`.

    `objects` are the newest versions of what they wrote, each without `obj` and `endobj`.
    """

    start: int
    section: int
    header: bytes
    objects: dict[int, bytes]


def read_updates(pdf: bytes) -> OwnUpdates | None:
    """Read the updates at the end of `pdf`, as far down as they have our form; nothing if the last one has not."""
    newest, end = None, len(pdf)
    objects: dict[int, bytes] = {}
    while one := _update(pdf, end):
        newest, end = newest or one, one.start
        objects = one.objects | objects
    return OwnUpdates(end, newest.section, newest.header, objects) if newest else None


def signatures(pdf: bytes, updates: OwnUpdates) -> list[bytes] | None:
    """The /Contents of every signature of the file, in order; nothing if there may be others than ours.

    The bytes of a signature and its /ByteRange lie in the file as they are, since a digest leaves just them out.
    """
    written = [text for text in updates.objects.values() if _SIGNED in text]
    found = [one for text in written if (one := _SIGNATURE.match(text))]
    if len(found) != len(written) or pdf.find(_SIGNED, 0, updates.start) >= 0:
        return None
    found.sort(key=lambda one: int(one[2]) + int(one[3]))
    return [bytes.fromhex(one[1].decode()) for one in found]


def _update(pdf: bytes, end: int) -> OwnUpdates | None:
    tail = find_tail(pdf, end)
    if not tail:
        return None
    section = int(tail[1])
    try:
        header, entries = cross_references(pdf, section, tail.start())
        start = min(entries.values())
        check_tiles(pdf, start, section, entries)
        below = last_startxref(pdf, start)
    except (ProofFailed, ValueError, zlib.error):
        return None
    if _PREVIOUS.findall(header) != [b"%d" % below]:
        return None
    stops = dict(zip(offsets := sorted(entries.values()), [*offsets[1:], section], strict=True))
    objects = {
        number: pdf[offset + len(_HEAD % number) : stops[offset] - len(_END)] for number, offset in entries.items()
    }
    return OwnUpdates(start, section, header, objects)
