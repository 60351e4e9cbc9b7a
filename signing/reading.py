"""Reads our own prepared documents for pyHanko's writer: an object stream's table is read once and not for every object."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader


class QuickReader(PdfFileReader):
    """pyHanko's reader; whatever is odd about an object stream is left to it."""

    def __init__(self, stream: BytesIO) -> None:
        self._opened: dict[int, tuple[BytesIO, list[int]]] = {}
        super().__init__(stream)

    def _get_object_from_stream(self, idnum: int, stmnum: int, idx: int) -> Any:
        if stmnum not in self._opened:
            self._opened[stmnum] = self._open(stmnum)
        content, table = self._opened[stmnum]
        if not 0 <= 2 * idx < len(table) or table[2 * idx] != idnum:
            return super()._get_object_from_stream(idnum, stmnum, idx)
        content.seek(table[2 * idx + 1])
        try:
            found = generic.read_object(content, generic.Reference(idnum, 0, self))
        except PdfReadError:
            return super()._get_object_from_stream(idnum, stmnum, idx)
        if isinstance(found, (generic.StreamObject, generic.IndirectObject)):
            return super()._get_object_from_stream(idnum, stmnum, idx)
        return found

    def _open(self, number: int) -> tuple[BytesIO, list[int]]:
        """The stream's content, and its table: object number and place in it, in turns; an empty one if it is odd."""
        stream: Any = generic.Reference(number, 0, self).get_object()
        first = stream["/First"]
        content = stream.read_data(DecodePurpose.OBJECT_STREAM)
        head = content[:first].split()
        if not all(word.isdigit() for word in head) or len(head) != 2 * stream["/N"]:
            return BytesIO(), []
        return BytesIO(content), [int(word) + (first if at % 2 else 0) for at, word in enumerate(head)]
