"""Objects changed where they lie: plain ones, those in object streams, and whole files written anew by another program."""

from __future__ import annotations

import functools
import io
import random
import re
import zlib
from collections.abc import Sequence
from typing import Final

import pikepdf

from tests.fuzz.mutators.edits import edit
from tests.fuzz.syntax import Thing, dump, layout, parse

_OBJECT: Final = re.compile(rb"(?<![0-9])(\d+) 0 obj\s*(.*?)(\s*)endobj", re.DOTALL)
_STREAM: Final = re.compile(rb"(.*?>>)\s*stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)


def in_place(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """A plain object, in the same room if it fits; everything behind it stays where it is."""
    places = [one for one in _objects(pdf) if b"/ByteRange" not in one[2]]
    if not places:
        return pdf
    place = dice.choice(dice.choice((places, places[-6:])))
    return _refill(pdf, place, edit(_read(place), dice, layout(pdf)), dice)


def in_signature(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """A signature's own dictionary: all but its two great values."""
    places = [one for one in _objects(pdf) if b"/ByteRange" in one[2]]
    if not places:
        return pdf
    place = dice.choice(places)
    start = place.start(2)
    hole = re.search(rb"/Contents\s*<[0-9A-Fa-f]*>", place[2])
    if not hole:
        return pdf
    before, after = place[2][: hole.start()], place[2][hole.end() :]
    part = dice.choice((before, after))
    names = list(re.finditer(rb"/[A-Za-z.0-9]+", part))
    if not names:
        return pdf
    at = dice.choice(names)
    other = dice.choice(_AROUND)[: len(at[0])].ljust(len(at[0]))
    changed = part[: at.start()] + other + part[at.end() :]
    offset = start if part is before else start + hole.end()
    return pdf[:offset] + changed + pdf[offset + len(part) :]


_AROUND: Final = (
    b"/Sig",
    b"/DocTimeStamp",
    b"/Filter",
    b"/X",
    b"/Adobe.PPKLite",
    b"/ETSI.RFC3161",
    b"/Type",
    b"/M",
    b"/Cert",
    b"/SubFilter",
    b"",
)


def in_object_stream(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """An object inside a compressed stream, packed again into the same room."""
    places = [one for one in _objects(pdf) if b"/ObjStm" in one[2]]
    found = _STREAM.match(dice.choice(places)[2]) if places else None
    if not found:
        return pdf
    place = next(one for one in places if one[2].startswith(found[0]))
    head = parse(found[1])
    first, count = int(head.get(b"/First")), int(head.get(b"/N"))
    plain = zlib.decompressobj().decompress(found[2])
    pairs = [int(word) for word in plain[:first].split()]
    at = dice.randrange(count)
    starts = [*pairs[1::2], len(plain) - first]
    changed = edit(Thing(parse(plain[first + starts[at] : first + starts[at + 1]])), dice, layout(pdf)).value
    body = plain[: first + starts[at]] + dump(changed)[: max(1, starts[at + 1] - starts[at])].ljust(
        starts[at + 1] - starts[at]
    )
    data = zlib.compress(body + plain[first + starts[at + 1] :], 9)
    room = len(found[2])
    packed = data.ljust(room, b"\0") if len(data) <= room else data
    return pdf[: place.start(2) + found.start(2)] + packed + pdf[place.start(2) + found.end(2) :]


def exchange_objects(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """Two objects swap numbers."""
    places = _objects(pdf)
    pairs = [(a, b) for a in places for b in places[-12:] if a.start() < b.start() and len(a[1]) == len(b[1])]
    if not pairs:
        return pdf
    one, other = dice.choice(pairs)
    out = bytearray(pdf)
    out[one.start(1) : one.end(1)], out[other.start(1) : other.end(1)] = other[1], one[1]
    return bytes(out)


def double_object(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """Another object of the same number over an object that is not needed: the wrong one for whoever searches."""
    places = _objects(pdf)
    one = dice.choice(places)
    fitting = [other for other in places if len(other[0]) >= len(one[0]) and other.start() != one.start()]
    if not fitting:
        return pdf
    room = dice.choice(fitting)
    return pdf[: room.start()] + one[0].ljust(len(room[0])) + pdf[room.end() :]


def saved_anew(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """Written by qpdf: every byte moves, the signatures stay as they are."""
    return _rewritten(pdf, dice.choice(("disable", "preserve", "generate")), dice.random() < 0.5, dice.random() < 0.3)


@functools.lru_cache(maxsize=64)
def _rewritten(pdf: bytes, mode: str, normalised: bool, linear: bool) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.save(
            out,
            object_stream_mode=getattr(pikepdf.ObjectStreamMode, mode),
            normalize_content=normalised and not linear,
            linearize=linear,
            deterministic_id=True,
        )
    return out.getvalue()


def saved_anew_and_edited(pdf: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    return in_place(_rewritten(pdf, "disable", normalised=False, linear=False), dice, others)


@functools.lru_cache(maxsize=96)
def _objects(pdf: bytes) -> list[re.Match[bytes]]:
    return list(_OBJECT.finditer(pdf))


def _read(place: re.Match[bytes]) -> Thing:
    stream = _STREAM.match(place[2])
    return Thing(parse(stream[1]), stream[2]) if stream else Thing(parse(place[2]))


def _refill(pdf: bytes, place: re.Match[bytes], thing: Thing, dice: random.Random) -> bytes:
    body, room = thing.body(), place.end(3) - place.start(2)
    if len(body) < room:
        return pdf[: place.start(2)] + body.ljust(room - 1) + b"\n" + pdf[place.end(3) :]
    if dice.random() < 0.7:
        return pdf
    return pdf[: place.start(2)] + body + b"\n" + pdf[place.end(3) :]


ALL = (
    *[in_place] * 6,
    *[in_signature] * 4,
    *[in_object_stream] * 3,
    exchange_objects,
    *[double_object] * 2,
    *[saved_anew] * 2,
    *[saved_anew_and_edited] * 2,
)
