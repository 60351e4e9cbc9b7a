"""Bytes, without a thought of what they mean."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Sequence
from typing import Final

_HOLE: Final = re.compile(rb"/Contents\s*<([0-9A-Fa-f]{200,})>")
_STREAM: Final = re.compile(rb"(\d 0 obj[^\0]{1,800}?>>)\s*stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
_SYNTAX: Final = re.compile(rb"/(ObjStm|XRef)")
_LONGEST = 64


def flip(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    out = bytearray(pdf)
    for _ in range(dice.choice((1, 1, 1, 1, 2, 4))):
        out[_place(pdf, dice)] ^= 1 << dice.randrange(8)
    return bytes(out)


def overwrite(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    start = _place(pdf, dice)
    length = min(dice.choice((1, 2, 4, dice.randrange(1, _LONGEST))), len(pdf) - start)
    fill = dice.choice((dice.randbytes(length), b"\0" * length, b" " * length, b"0" * length, b"\xff" * length))
    return pdf[:start] + fill + pdf[start + length :]


def overwrite_with_block(pdf: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    """A block of this or another file over a place of this."""
    source = dice.choice((pdf, dice.choice(others)))
    start, origin = _place(pdf, dice), dice.randrange(len(source))
    block = source[origin : origin + dice.randrange(1, 1024)][: len(pdf) - start]
    return pdf[:start] + block + pdf[start + len(block) :]


def hide_in_hole(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """Digits where no signature looks: in a signature's own hole."""
    holes = [found.span(1) for found in _HOLE.finditer(pdf)]
    if not holes:
        return pdf
    start, end = dice.choice(holes)
    start = dice.choice((start, max(start, end - 200)))
    place = dice.randrange(start, end)
    alphabet = dice.choice((b"0123456789", b"abcdefABCDEF", b"0123456789abcdefABCDEF>< /"))
    digits = bytes(dice.choice(alphabet) for _ in range(dice.randrange(1, 9)))
    return pdf[:place] + digits[: end - place] + pdf[min(end, place + len(digits)) :]


def insert(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    place = _place(pdf, dice)
    return pdf[:place] + dice.randbytes(dice.choice((1, 1, 2, 16))) + pdf[place:]


def delete(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    place = _place(pdf, dice)
    return pdf[:place] + pdf[place + dice.randrange(1, _LONGEST) :]


def cut(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """The end is missing."""
    return pdf[: _place(pdf, dice) + 1]


def trail(pdf: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    """Something stands behind the end."""
    other = dice.choice(others)
    tails = (
        dice.randbytes(8),
        b"\n",
        b" \r\n%",
        b"%%EOF\n",
        b"\nstartxref\n0\n%%EOF\n",
        b"PK\3\4",
        other[-400:],
        other,
    )
    return pdf + dice.choice(tails)


def lead(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """Something stands before the beginning."""
    return dice.choice((b"\n", b"<html>\n", b"PK\3\4", b"%PDF-1.4\n", dice.randbytes(9))) + pdf


def _place(pdf: bytes, dice: random.Random) -> int:
    """Anywhere, but mostly inside a stream, where the rest still reads, or in the last update, which says what the file is."""
    streams = _streams(pdf)
    if streams and dice.random() < 0.6:
        start, end = dice.choice(streams)
        return dice.randrange(start, end)
    lowest = dice.choice((0, len(pdf) - 6000, len(pdf) - 700))
    return dice.randrange(max(0, lowest), max(1, len(pdf)))


@functools.lru_cache(maxsize=64)
def _streams(pdf: bytes) -> list[tuple[int, int]]:
    """Where the bytes of streams lie that are neither objects nor cross-references."""
    return [found.span(2) for found in _STREAM.finditer(pdf) if not _SYNTAX.search(found[1]) and found[2]]


ALL = (
    *[flip] * 6,
    *[overwrite] * 4,
    *[overwrite_with_block] * 2,
    *[hide_in_hole] * 3,
    insert,
    delete,
    cut,
    *[trail] * 2,
    lead,
)
