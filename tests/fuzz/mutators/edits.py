"""One change to one object: what a forger, a careless program or chance may do to a tree."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from typing import Final

from tests.fuzz.mutators.tokens import BOUNDARIES, NAMES
from tests.fuzz.syntax import Dict, Layout, Thing, Tree, parse

_RED: Final = b"1 0 0 rg 20 20 200 100 re f"
ADDITIONS: Final = tuple(
    (key, parse(value))
    for key, value in (
        (b"/OpenAction", b"<</S /JavaScript /JS (this.getField\\('x'\\).value = 1)>>"),
        (b"/AA", b"<</WC <</S /JavaScript /JS (1)>>>>"),
        (b"/NeedAppearances", b"true"),
        (b"/XFA", b"[(template) <00>]"),
        (b"/OCProperties", b"<</OCGs [1 0 R] /D <</OFF [1 0 R]>>>>"),
        (b"/Rotate", b"180"),
        (b"/MediaBox", b"[0 0 90 90]"),
        (b"/CropBox", b"[0 0 10 10]"),
        (b"/UserUnit", b"9"),
        (b"/Rect", b"[0 0 900 900]"),
        (b"/F", b"2"),
        (b"/Ff", b"0"),
        (b"/V", b"(Berlaku sampai 2099)"),
        (b"/DV", b"(1)"),
        (b"/FT", b"/Tx"),
        (b"/T", b"(lain)"),
        (b"/TU", b"(lain)"),
        (b"/DA", b"(/F1 0 Tf)"),
        (b"/Kids", b"[]"),
        (b"/Count", b"2"),
        (b"/Perms", b"<</UR3 1 0 R>>"),
        (b"/Version", b"/2.0"),
        (b"/Extensions", b"<</ADBE <</BaseVersion /1.7 /ExtensionLevel 8>>>>"),
        (b"/Names", b"<</JavaScript <</Names [(a) <</S /JavaScript /JS (1)>>]>>>>"),
        (b"/Legal", b"<<>>"),
        (b"/Collection", b"<</View /D>>"),
        (b"/SigFlags", b"0"),
        (b"/CO", b"[]"),
        (b"/DR", b"<<>>"),
        (b"/Lang", b"(xx)"),
        (b"/Lock", b"<</Type /SigFieldLock /Action /Include /Fields []>>"),
        (b"/SV", b"<<>>"),
        (b"/Reference", b"[]"),
        (b"/ByteRange", b"[0 1 2 3]"),
        (b"/AS", b"/Off"),
        (b"/ToUnicode", b"null"),
        (b"/Widths", b"[900 900 900]"),
        (b"/Encoding", b"<</Type /Encoding /Differences [32 /A /B /C /D /E]>>"),
        (b"/BaseFont", b"/Symbol"),
        (b"/Filter", b"/ASCIIHexDecode"),
        (b"/Filter", b"[/FlateDecode /FlateDecode /FlateDecode]"),
        (b"/DecodeParms", b"<</Predictor 15 /Columns 4>>"),
        (b"/Length", b"99999999"),
        (b"/Matrix", b"[9 0 0 9 0 0]"),
        (b"/BBox", b"[0 0 1 1]"),
    )
)
"""Entries that change what is shown, what happens, or how a reader finds its way."""


def edit(thing: Thing, dice: random.Random, below: Layout) -> Thing:
    """Change one thing about an object, in place, and return it."""
    if thing.data is not None and dice.random() < 0.5:
        return _restream(thing, dice)
    places = list(_containers(thing.value))
    if places:
        dice.choice(_EDITS)(dice.choice((places[0], dice.choice(places))), dice, below)
    else:
        thing.value = _strange(thing.value, dice, below)
    return thing


def _containers(tree: Tree) -> list[list]:
    if isinstance(tree, bytes):
        return []
    kids = [value for _, value in tree] if isinstance(tree, Dict) else tree
    return [tree, *(one for kid in kids for one in _containers(kid))]


def _lose(place: list, dice: random.Random, _: Layout) -> None:
    if place:
        del place[dice.randrange(len(place))]


def _double(place: list, dice: random.Random, below: Layout) -> None:
    """The same key or item again, with another value: which one counts?"""
    if place:
        one = dice.choice(place)
        again = [one[0], _strange(one[1], dice, below)] if isinstance(place, Dict) else one
        place.insert(dice.randrange(len(place) + 1), again)


def _replace(place: list, dice: random.Random, below: Layout) -> None:
    if place:
        at = dice.randrange(len(place))
        if isinstance(place, Dict):
            place[at] = [place[at][0], _strange(place[at][1], dice, below)]
        else:
            place[at] = _strange(place[at], dice, below)


def _exchange(place: list, dice: random.Random, _: Layout) -> None:
    if len(place) > 1:
        one, other = dice.sample(range(len(place)), 2)
        if isinstance(place, Dict):
            place[one][1], place[other][1] = place[other][1], place[one][1]
        else:
            place[one], place[other] = place[other], place[one]


def _rename(place: list, dice: random.Random, _: Layout) -> None:
    if place and isinstance(place, Dict):
        place[dice.randrange(len(place))][0] = dice.choice(NAMES)


def _add(place: list, dice: random.Random, below: Layout) -> None:
    key, value = dice.choice(ADDITIONS)
    if not isinstance(place, Dict):
        place.append(_strange(b"0", dice, below))
    elif dice.random() < 0.8:
        place.put(key, value)
    else:
        place.insert(0, [key, value])


_EDITS: Final[tuple[Callable[[list, random.Random, Layout], None], ...]] = (
    _lose,
    _double,
    _replace,
    _replace,
    _exchange,
    _rename,
    _add,
    _add,
)


def _strange(value: Tree, dice: random.Random, below: Layout) -> Tree:
    """Another value: of another type, at a boundary, pointing elsewhere, or a little off."""
    number = dice.choice(list(below.objects))
    choices: list[Tree] = [
        dice.choice(BOUNDARIES),
        dice.choice(NAMES),
        b"%d 0 R" % number,
        b"%d 0 R" % (below.size + dice.choice((0, 1, 10**6))),
        dice.choice((b"null", b"true", b"()", b"<>", b"(2099)")),
        [value],
        [value, value],
        Dict([[b"/Type", value]]),
        parse(below.objects[number][0]),
    ]
    if value.isdigit() if isinstance(value, bytes) else False:
        choices += [b"%d" % (int(value) + dice.choice((-1, 1)))] * 4
    return dice.choice(choices)


def _restream(thing: Thing, dice: random.Random) -> Thing:
    data, head = thing.data or b"", thing.value
    return dice.choice(_STREAM_EDITS)(head, data, dice) if isinstance(head, Dict) else thing


def _repainted(head: Dict, _: bytes, dice: random.Random) -> Thing:
    return _stream(head, dice.choice((_RED, b"")), packed=False)


def _painted_over(head: Dict, data: bytes, _: random.Random) -> Thing:
    return _stream(head, _plain(head, data) + b"\n" + _RED, packed=True)


def _bit_flipped(head: Dict, data: bytes, dice: random.Random) -> Thing:
    plain = bytearray(_plain(head, data) or b" ")
    plain[dice.randrange(len(plain))] ^= 1 << dice.randrange(8)
    return _stream(head, bytes(plain), packed=True)


def _shortened(head: Dict, data: bytes, dice: random.Random) -> Thing:
    return Thing(head, data[: dice.randrange(len(data) + 1)])


def _blown_up(head: Dict, _: bytes, dice: random.Random) -> Thing:
    return _stream(head, b"\0" * dice.choice((10, 10**6, 2 * 10**7)), packed=True)


def _packed_often(head: Dict, data: bytes, dice: random.Random) -> Thing:
    layers = dice.choice((2, 5, 40))
    for _ in range(layers):
        data = zlib.compress(data)
    head.put(b"/Filter", [b"/FlateDecode"] * layers)
    head.put(b"/Length", b"%d" % len(data))
    return Thing(head, data)


_STREAM_EDITS: Final = (_repainted, _painted_over, _bit_flipped, _shortened, _blown_up, _packed_often)


def _plain(head: Dict, data: bytes) -> bytes:
    try:
        return zlib.decompress(data) if head.get(b"/Filter") == b"/FlateDecode" else data
    except zlib.error:
        return data


def _stream(head: Dict, data: bytes, *, packed: bool) -> Thing:
    kept = Dict([pair for pair in head if pair[0] not in {b"/Filter", b"/DecodeParms", b"/Length"}])
    if packed:
        data = zlib.compress(data, 1)
        kept.append([b"/Filter", b"/FlateDecode"])
    kept.append([b"/Length", b"%d" % len(data)])
    return Thing(kept, data)
