"""Reads single objects of a prepared document, as `prepare_fields` writes it, from its bytes: for proofs that ask for two or three.

What is read is compared as text with what a PDF library reads elsewhere. Where the file has another form, or the text differs,
nothing is said, and the library must read the prepared document too.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection
from copy import copy
from dataclasses import dataclass, field
from typing import Final

import pikepdf

from signing.revisions import find_tail

_CROSS_REFERENCES: Final = re.compile(
    rb"\d+ 0 obj\n<< /Type /XRef /Length (\d+) /Filter /FlateDecode /DecodeParms << /Columns (\d+) /Predictor 12 >> "
    rb"/W \[ 1 (\d) (\d) \](?: /Info \d+ 0 R)? /Root (\d+) 0 R /Size (\d+) /ID \[[^\]]*\] >>\nstream\n"
)
"""One section with all objects and no other below it."""
_OBJECTS: Final = re.compile(
    rb"(\d+) 0 obj\n<< /Type /ObjStm /Length (\d+) /Filter /FlateDecode /N (\d+) /First (\d+) >>\nstream\n"
)
_APPEARANCE: Final = re.compile(rb"<< /AP << /N \d+ 0 R >> ")
_UP: Final = b"\2"
_IN_FILE, _IN_STREAM = 1, 2


@dataclass(frozen=True, slots=True)
class _Stream:
    """An object stream, and its table: object number and place in turns."""

    content: bytes
    table: list[bytes]
    first: int

    def text_of(self, number: int, index: int) -> bytes | None:
        found = self.table[2 * index : 2 * index + 4]
        if not found or found[0] != b"%d" % number:
            return None
        end = self.first + int(found[3]) if len(found) > 2 else len(self.content)  # noqa: PLR2004  # is there a next one?
        return self.content[self.first + int(found[1]) : end].rstrip(b"\n")


@dataclass(frozen=True, slots=True)
class Base:
    """A prepared document: the number of its catalogue, and its /Size."""

    root: int
    size: int
    _pdf: bytes = field(repr=False)
    _table: bytes = field(repr=False)
    _widths: tuple[int, int]
    _streams: dict[int, _Stream] = field(default_factory=dict, repr=False)

    def is_unchanged(self, after: pikepdf.Object, may_change: Collection[str]) -> bool:
        """Tell whether the object with the number of `after` surely was the same here but for entries that may change.

        Of those it had none, or the appearance alone.
        """
        here = self.text_of(after.objgen[0])
        if here is None or after.objgen[1] != 0:
            return False
        if "/AP" in may_change:
            here = _APPEARANCE.sub(b"<< ", here, count=1) if _APPEARANCE.match(here) else b""
        rest = copy(after)
        for key in may_change:
            if key in rest:
                del rest[key]
        return here == rest.unparse()

    def text_of(self, number: int) -> bytes | None:
        """The object as it is written, if it lies in an object stream."""
        kind, stream, index = self._entry(number)
        if kind != _IN_STREAM:
            return None
        if stream not in self._streams:
            self._streams[stream] = self._open(stream)
        return self._streams[stream].text_of(number, index)

    def _open(self, number: int) -> _Stream:
        kind, offset, _ = self._entry(number)
        head = _OBJECTS.match(self._pdf, offset) if kind == _IN_FILE else None
        if not head or int(head[1]) != number:
            return _Stream(b"", [], 0)
        content = zlib.decompress(self._pdf[head.end() : head.end() + int(head[2])])
        first, words = int(head[4]), content[: int(head[4])].split()
        return _Stream(content, words if len(words) == 2 * int(head[3]) else [], first)

    def _entry(self, number: int) -> tuple[int, int, int]:
        """A row of the cross-reference stream: each byte is the sum of those above it (PNG predictor Up)."""
        row = 2 + sum(self._widths)
        if not 0 < number < self.size:
            return 0, 0, 0
        stop = (number + 1) * row
        values = bytes(sum(self._table[column:stop:row]) & 0xFF for column in range(1, row))
        middle = 1 + self._widths[0]
        return values[0], int.from_bytes(values[1:middle], "big"), int.from_bytes(values[middle:], "big")


def read_base(pdf: bytes) -> Base | None:
    """Read a prepared document's table of objects; nothing if the file has another form."""
    tail = find_tail(pdf, len(pdf))
    head = _CROSS_REFERENCES.match(pdf, int(tail[1])) if tail else None
    if not head:
        return None
    length, columns, offsets, indices, root, size = map(int, head.groups())
    try:
        table = zlib.decompress(pdf[head.end() : head.end() + length])
    except zlib.error:
        return None
    row = columns + 1
    if columns != 1 + offsets + indices or len(table) != row * size or table[::row] != _UP * size:
        return None
    return Base(root, size, pdf, table, (offsets, indices))
