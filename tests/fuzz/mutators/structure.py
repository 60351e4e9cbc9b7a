"""Revisions, cross-references and byte ranges: what says which bytes count."""

from __future__ import annotations

import functools
import random
import re
import zlib
from collections.abc import Sequence
from typing import Final

from tests.fuzz.mutators.tokens import BOUNDARIES

_END: Final = re.compile(rb"%%EOF\r?\n?")
_RANGE: Final = re.compile(rb"/ByteRange\s*\[([\d\s]+)\]([ ]*)")
_STARTXREF: Final = re.compile(rb"startxref\s+(\d+)")
_PREV: Final = re.compile(rb"/Prev (\d+)")
_ENTRY: Final = re.compile(rb"(\d{10}) (\d{5}) ([nf])")
_SECTION: Final = re.compile(rb"/Type\s*/XRef(.*?)stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_WIDTHS: Final = re.compile(rb"/W\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s*\]")


def revision_lost(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    parts = _revisions(pdf)
    del parts[dice.randrange(len(parts))]
    return b"".join(parts)


def revision_again(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """A revision twice, at the end or behind itself."""
    parts = _revisions(pdf)
    at = dice.randrange(len(parts))
    parts.insert(dice.choice((at, len(parts))), parts[at])
    return b"".join(parts)


def revisions_exchanged(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    parts = _revisions(pdf)
    dice.shuffle(parts)
    return b"".join(parts)


def revisions_of_two(pdf: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    """The beginning of one file and the end of another; of a twin the offsets even fit."""
    mine, yours = _revisions(pdf), _revisions(_like(pdf, dice, others))
    at = dice.randrange(1, len(mine) + 1)
    return b"".join(mine[:at] + yours[dice.choice((at, at, dice.randrange(len(yours)))) :])


def window_of_another(pdf: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    """The same bytes of a file that looks alike, over a stretch of this."""
    other = _like(pdf, dice, others)
    start = dice.randrange(len(pdf))
    end = start + dice.choice((50, 500, 5000))
    return pdf[:start] + other[start:end].ljust(min(end, len(pdf)) - start) + pdf[end:]


def range_changed(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """One number of a byte range, a little or far off."""
    ranges = list(_RANGE.finditer(pdf))
    if not ranges:
        return pdf
    found = dice.choice(ranges)
    numbers = [int(word) for word in found[1].split()]
    at = dice.randrange(len(numbers))
    numbers[at] = dice.choice((numbers[at] + dice.choice((-2, -1, 1, 2, 100)), 0, len(pdf), 2**31, 2**63))
    return _ranged(pdf, found, b" ".join(b"%d" % number for number in numbers))


def range_of_another_shape(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    ranges = list(_RANGE.finditer(pdf))
    if not ranges:
        return pdf
    found = dice.choice(ranges)
    a, b, c, d = ([int(word) for word in found[1].split()] + [0, 0, 0, 0])[:4]
    shapes = (
        b"",
        b"%d %d" % (a, b),
        b"0 %d" % len(pdf),
        b"%d %d %d %d" % (c, d, a, b),
        b"%d %d %d %d" % (a, b, a, b),
        b"0 0 0 0",
    )
    return _ranged(pdf, found, dice.choice((*shapes, b"%d %d %d %d 0 1" % (a, b, c, d), dice.choice(BOUNDARIES))))


def range_moved(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """Signature wrapping: what was signed moves behind, something else stands in its place."""
    ranges = list(_RANGE.finditer(pdf))
    if not ranges:
        return pdf
    found = dice.choice(ranges)
    words = [int(word) for word in found[1].split()]
    if len(words) != 4:
        return pdf
    gap, resume, rest = words[1:]
    tail = pdf[resume : resume + rest]
    evil = bytearray(tail)
    for _ in range(dice.choice((1, 5))):
        evil[dice.randrange(len(evil))] = dice.choice(b"0123456789 /A")
    forged = _ranged(pdf[:resume] + bytes(evil), found, b"0 %d %d %d" % (gap, len(pdf), rest))
    return forged + pdf[resume + rest :] + tail


def startxref_elsewhere(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """The end, or a second end, names another place: an older section, one byte off, nowhere."""
    found = list(_STARTXREF.finditer(pdf))
    if not found:
        return pdf
    last = int(found[-1][1])
    places = (last - 1, last + 1, 0, len(pdf), 2**31, int(dice.choice(found)[1]), dice.randrange(len(pdf)))
    place = dice.choice(places)
    if dice.random() < 0.5:
        return pdf + b"startxref\n%d\n%%%%EOF\n" % place
    return pdf[: found[-1].start(1)] + b"%d" % max(0, place) + pdf[found[-1].end(1) :]


def prev_elsewhere(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    found = list(_PREV.finditer(pdf))
    if not found:
        return pdf
    one = dice.choice(found)
    section = int(_STARTXREF.findall(pdf)[-1])
    place = b"%d" % dice.choice((int(dice.choice(found)[1]), section, 0, dice.randrange(len(pdf))))
    return pdf[: one.start(1)] + place.rjust(len(one[1]), b"0") + pdf[one.end(1) :]


def entry_changed(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """An entry of a cross-reference table: offset, generation, or whether the object exists."""
    entries = list(_ENTRY.finditer(pdf))
    if not entries:
        return section_changed(pdf, dice, ())
    one = dice.choice(dice.choice((entries, entries[-6:])))
    other = dice.choice(entries)
    offset = dice.choice((int(other[1]), int(one[1]) + 1, int(one[1]) - 1, 0, dice.randrange(len(pdf))))
    line = b"%010d %05d %s" % (max(0, offset), dice.choice((int(one[2]), 0, 1)), dice.choice((one[3], one[3], b"f")))
    return pdf[: one.start()] + line + pdf[one.end() :]


def section_changed(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """An entry of a cross-reference stream, packed again into its room."""
    sections = [one for one in _SECTION.finditer(pdf) if _WIDTHS.search(one[1])]
    if not sections:
        return pdf
    one = dice.choice(sections)
    widths = [int(word) for word in _WIDTHS.search(one[1]).groups()]
    plain = bytearray(_unpacked(one[2]))
    row = sum(widths) + (b"/Predictor" in one[1])
    if not plain or row > len(plain):
        return pdf
    start = dice.randrange(len(plain) // row) * row
    for _ in range(dice.choice((1, 1, 2))):
        plain[start + dice.randrange(row)] = dice.choice((0, 1, 2, 255, dice.randrange(256)))
    data = zlib.compress(bytes(plain), 9)
    return pdf[: one.start(2)] + data.ljust(len(one[2]), b"\0") + pdf[one.end(2) :]


def linearised_claim(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """A header that claims another version, or that the first page comes first."""
    claim = dice.choice((b"%PDF-2.0", b"%PDF-1.0", b"%PDF-9.9", b"%!PS-Ado", b"%FDF-1.2"))
    return claim + pdf[len(claim) :]


def _revisions(pdf: bytes) -> list[bytes]:
    ends = [0, *(found.end() for found in _END.finditer(pdf))]
    parts = [pdf[start:end] for start, end in zip(ends, [*ends[1:], len(pdf)], strict=True)]
    return [part for part in parts if part]


def _like(pdf: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    """Mostly the file that begins like this one for the longest stretch."""
    rest = [other for other in others if other != pdf] or [pdf]
    return dice.choice((_twin(pdf, tuple(rest)), _twin(pdf, tuple(rest)), dice.choice(rest)))


@functools.lru_cache(maxsize=64)
def _twin(pdf: bytes, others: tuple[bytes, ...]) -> bytes:
    def alike(other: bytes) -> int:
        return next(
            (at for at in range(0, min(len(pdf), len(other)), 64) if pdf[at : at + 64] != other[at : at + 64]),
            len(other),
        )

    return max(others, key=alike)


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data)
    except zlib.error:
        return b""


def _ranged(pdf: bytes, found: re.Match[bytes], numbers: bytes) -> bytes:
    text = b"/ByteRange [" + numbers + b"]"
    return pdf[: found.start()] + text.ljust(len(found[0])) + pdf[found.end() :]


ALL = (
    revision_lost,
    revision_again,
    revisions_exchanged,
    revisions_of_two,
    revisions_of_two,
    window_of_another,
    range_changed,
    range_of_another_shape,
    range_moved,
    startxref_elsewhere,
    prev_elsewhere,
    entry_changed,
    entry_changed,
    section_changed,
    linearised_claim,
)
