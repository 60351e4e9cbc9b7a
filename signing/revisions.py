"""Reads the updates at the end of one of our own files, byte by byte, and accepts no byte that it can't account for.

Stricter than a PDF reader on purpose: an update is a row of objects, its cross-reference stream, `startxref` and
`%%EOF`, with nothing before, between or after. It owes nothing to the library that composed the file.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Final, NoReturn

from signing.errors import ProofFailed

_TAIL: Final = re.compile(rb"\nstartxref\n(\d{1,10})\n%%EOF\n\Z")
_LONGEST_TAIL: Final = 64
_END: Final = b"\n%%EOF\n"
_LAST_STARTXREF: Final = re.compile(rb"startxref\s+(\d{1,10})\s+%%EOF\s*\Z")
_HEAD: Final = re.compile(rb"(\d{1,10}) 0 obj\n")
_INTEGERS: Final = {key: re.compile(rb"/" + key.encode() + rb" (\d{1,10})\n") for key in ("Size", "Prev", "Length")}
_ARRAYS: Final = {key: re.compile(rb"/" + key.encode() + rb" \[ ([\d ]{1,2000}) \]\n") for key in ("W", "Index")}
_IN_FILE, _FREE = 1, 0
_COLUMNS, _WIDEST = 3, 8


@dataclass(frozen=True, slots=True)
class Update:
    """One update: its bytes are `start:end`; `objects` are the numbers that it writes, without its xref stream."""

    start: int
    end: int
    objects: frozenset[int]
    first_new: int
    """Numbers from here on did not exist before this update."""


def find_tail(pdf: bytes, end: int) -> re.Match[bytes] | None:
    """Find the line break, `startxref` and `%%EOF` that must end `pdf[:end]`; the group is where its last section begins."""
    return _TAIL.search(pdf, max(0, end - _LONGEST_TAIL), end)


def end_of_update(pdf: bytes, start: int) -> int:
    """Where the update that begins at `start` ends. Raises ProofFailed proof_revisions."""
    found = pdf.find(_END, start)
    return found + len(_END) if found >= 0 else _refuse("bytes behind the last update")


def last_startxref(pdf: bytes, end: int) -> int:
    """Where the last cross-reference section of `pdf[:end]` begins, whatever white space its writer left."""
    found = _LAST_STARTXREF.search(pdf, max(0, end - _LONGEST_TAIL), end)
    return int(found[1]) if found else _refuse("no startxref at the end")


def read_update(pdf: bytes, start: int, end: int, size_before: int) -> Update:
    """Account for every byte of `pdf[start:end]`, which must be exactly one update on top of `pdf[:start]`.

    `size_before` is the /Size of the revision below. Raises ProofFailed proof_revisions.
    """
    tail = find_tail(pdf, end)
    if not tail:
        _refuse("an update does not end with its own startxref and %%EOF")
    section = int(tail[1])
    if not start <= section < end:
        _refuse("startxref points outside its update")
    header, entries = cross_references(pdf, section, tail.start())
    if _integer(header, "Prev") != last_startxref(pdf, start):
        _refuse("the update does not build on the revision below it")
    check_tiles(pdf, start, section, entries)
    return Update(start, end, frozenset(entries), size_before)


def cross_references(pdf: bytes, start: int, end: int) -> tuple[bytes, dict[int, int]]:
    """Read the xref stream at `start:end`: its dictionary as bytes, and {object number: offset} without the stream itself.

    Raises ProofFailed proof_revisions.
    """
    head = _HEAD.match(pdf, start)
    if not head:
        _refuse("no object at startxref")
    header, separator, rest = pdf[head.end() : end].partition(b">>\nstream\n")
    length = _integer(header, "Length")
    if not separator or b"/Type /XRef\n" not in header or rest[length:] != b"\nendstream\nendobj\n":
        _refuse("not a cross-reference stream")
    entries = _entries(zlib.decompress(rest[:length]), _array(header, "W"), _array(header, "Index"))
    entries.pop(int(head[1]), None)
    return header, entries


def _entries(table: bytes, widths: list[int], index: list[int]) -> dict[int, int]:
    if len(widths) != _COLUMNS or len(index) % 2 or max(widths) > _WIDEST:
        _refuse("odd cross-reference stream")
    kind_width, offset_width, row = widths[0], widths[1], sum(widths)
    numbers = [first + at for first, count in zip(index[::2], index[1::2], strict=True) for at in range(count)]
    if len(table) != row * len(numbers) or len(set(numbers)) != len(numbers):
        _refuse("odd cross-reference stream")
    entries: dict[int, int] = {}
    for line, number in enumerate(numbers):
        kind = int.from_bytes(table[line * row : line * row + kind_width], "big")
        offset = int.from_bytes(table[line * row + kind_width : line * row + kind_width + offset_width], "big")
        if kind == _IN_FILE:
            entries[number] = offset
        elif kind != _FREE or number != 0:
            _refuse(f"object {number} is freed or hidden in an object stream")
    return entries


def check_tiles(pdf: bytes, start: int, section: int, entries: dict[int, int]) -> None:
    """Check that the objects lie end to end from `start` to the xref stream. Raises ProofFailed proof_revisions."""
    tiles = sorted((offset, number) for number, offset in entries.items())
    ends = [offset for offset, _ in tiles[1:]] + [section]
    if not tiles or tiles[0][0] != start:
        _refuse("bytes before the first object of an update")
    for (offset, number), end in zip(tiles, ends, strict=True):
        head = _HEAD.match(pdf, offset)
        if not head or int(head[1]) != number or not pdf.endswith(b"\nendobj\n", offset, end):
            _refuse(f"object {number} is not where the cross-reference says")
        if b"endobj" in pdf[offset : end - len(b"endobj\n")]:
            _refuse(f"bytes behind object {number}")


def _integer(header: bytes, key: str) -> int:
    found = _INTEGERS[key].findall(header)
    return int(found[0]) if len(found) == 1 else _refuse(f"/{key} is not there once")


def _array(header: bytes, key: str) -> list[int]:
    found = _ARRAYS[key].findall(header)
    return [int(item) for item in found[0].split()] if len(found) == 1 else _refuse(f"/{key} is not there once")


def _refuse(detail: str) -> NoReturn:
    raise ProofFailed("proof_revisions", detail)
