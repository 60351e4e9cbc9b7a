"""The signatures themselves: the CMS in a hole as a tree of DER elements, pruned, grafted and bent."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

_HOLE: Final = re.compile(rb"/Contents\s*<([0-9A-Fa-f]{200,})>")
_CONSTRUCTED, _LONG = 0x20, 0x80
_OCTETS, _OBJECT_ID = 4, 6
_OTHER_IDS: Final = tuple(
    bytes.fromhex(text)
    for text in (
        "2b0e03021a",  # SHA-1
        "608648016503040201",  # SHA-256
        "608648016503040202",  # SHA-384
        "2a864886f70d0205",  # MD5
        "2a864886f70d010101",  # RSA
        "2a864886f70d01010b",  # RSA with SHA-256
        "2a8648ce3d040302",  # ECDSA with SHA-256
        "2a864886f70d010701",  # data
        "2a864886f70d010702",  # signed data
        "2a864886f70d010904",  # message digest
        "2a864886f70d010903",  # content type
        "2a864886f70d01091002 2f".replace(" ", ""),  # signing certificate v2
        "2a864886f70d010910020e",  # time-stamp token
    )
)


@dataclass
class Node:
    """One element; `kids` is None where its content is only bytes."""

    tag: int
    content: bytes
    kids: list[Node] | None

    def dump(self) -> bytes:
        content = self.content if self.kids is None else b"".join(kid.dump() for kid in self.kids)
        return bytes((self.tag,)) + _length(len(content)) + content


def read(der: bytes) -> tuple[Node, bytes] | None:
    """The first element of `der` and what stands behind it, or None."""
    if len(der) < 2:
        return None
    length, at = der[1], 2
    if length >= _LONG:
        at += length - _LONG
        length = int.from_bytes(der[2:at], "big")
    if at + length > len(der) or (der[1] >= _LONG and at == 2):
        return None
    content = der[at : at + length]
    return Node(der[0], content, _kids(content) if der[0] & _CONSTRUCTED else None), der[at + length :]


def _kids(content: bytes) -> list[Node] | None:
    found = []
    while content:
        one = read(content)
        if one is None:
            return None
        found.append(one[0])
        content = one[1]
    return found


def _length(length: int) -> bytes:
    if length < _LONG:
        return bytes((length,))
    size = (length.bit_length() + 7) // 8
    return bytes((_LONG | size,)) + length.to_bytes(size, "big")


def _all(node: Node) -> list[Node]:
    return [node, *(one for kid in node.kids or () for one in _all(kid))]


def _enveloped(
    change: Callable[[Node, random.Random, list[Node]], None],
) -> Callable[[bytes, random.Random, Sequence[bytes]], bytes]:
    """Make a mutator of files out of one of trees; the graft comes from any signature of any file."""

    def mutator(pdf: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
        holes = _holes(pdf)
        if not holes:
            return pdf
        start, end, der = dice.choice(holes)
        found = read(der)
        if found is None:
            return pdf
        donors = _holes(dice.choice((pdf, dice.choice(others))))
        donor = read(dice.choice(donors)[2]) if donors else None
        for _ in range(dice.choice((1, 1, 1, 2))):
            change(found[0], dice, _all(donor[0]) if donor else [])
        return _filled(pdf, start, end, found[0].dump())

    mutator.__name__ = change.__name__.strip("_")
    mutator.__doc__ = change.__doc__
    return mutator


def _flip(tree: Node, dice: random.Random, _: list[Node]) -> None:
    """A bit of a value."""
    leaves = [one for one in _all(tree) if one.kids is None and one.content]
    leaf = dice.choice(leaves)
    at = dice.randrange(len(leaf.content))
    leaf.content = leaf.content[:at] + bytes((leaf.content[at] ^ 1 << dice.randrange(8),)) + leaf.content[at + 1 :]


def _retag(tree: Node, dice: random.Random, _: list[Node]) -> None:
    dice.choice(_all(tree)).tag = dice.choice(
        (0x02, 0x04, 0x05, 0x06, 0x0C, 0x17, 0x18, 0x24, 0x30, 0x31, 0xA0, 0xA1, 0x80, 0x1F)
    )


def _prune(tree: Node, dice: random.Random, _: list[Node]) -> None:
    """An element is missing."""
    parent = _parent(tree, dice)
    if parent and parent.kids:
        del parent.kids[dice.randrange(len(parent.kids))]


def _twin(tree: Node, dice: random.Random, _: list[Node]) -> None:
    """An element stands there twice."""
    parent = _parent(tree, dice)
    if parent and parent.kids:
        parent.kids.insert(dice.randrange(len(parent.kids) + 1), dice.choice(parent.kids))


def _shuffle(tree: Node, dice: random.Random, _: list[Node]) -> None:
    parent = _parent(tree, dice)
    if parent and parent.kids:
        dice.shuffle(parent.kids)


def _graft(tree: Node, dice: random.Random, donors: list[Node]) -> None:
    """An element of another signature, of the same tag: its certificate, attributes, digest, value, token."""
    mine = [one for one in _all(tree) if any(one.tag == other.tag for other in donors)]
    if not mine:
        return
    place = dice.choice(mine)
    graft = dice.choice([other for other in donors if other.tag == place.tag])
    place.content, place.kids = graft.content, deepcopy(graft.kids)  # the next graft may go into this one


def _other_algorithm(tree: Node, dice: random.Random, _: list[Node]) -> None:
    names = [one for one in _all(tree) if one.tag == _OBJECT_ID]
    if names:
        dice.choice(names).content = dice.choice(_OTHER_IDS)


def _empty(tree: Node, dice: random.Random, _: list[Node]) -> None:
    one = dice.choice(_all(tree))
    one.content, one.kids = b"", None


def _number(tree: Node, dice: random.Random, _: list[Node]) -> None:
    """Integers at their boundaries: versions, serial numbers, the two halves of a signature."""
    numbers = [one for one in _all(tree) if one.tag == 2]
    if numbers:
        dice.choice(numbers).content = dice.choice(
            (b"\0", b"\xff", b"\x7f" * 33, b"\0" * 33, b"\x01" + b"\0" * 2000, b"")
        )


def _deep(tree: Node, dice: random.Random, _: list[Node]) -> None:
    one = dice.choice(_all(tree))
    content = b""
    for _ in range(dice.choice((10, 200))):
        content = b"\x30" + _length(len(content)) + content
    one.content, one.kids = content, None


def _parent(tree: Node, dice: random.Random) -> Node | None:
    parents = [one for one in _all(tree) if one.kids]
    return dice.choice(parents) if parents else None


def wrong_length(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """A length byte of the encoding itself, so that elements end elsewhere."""
    holes = _holes(pdf)
    if not holes:
        return pdf
    start, end, der = dice.choice(holes)
    out = bytearray(der)
    at = dice.choice([place for place in range(1, min(len(out), 400)) if out[place - 1] in {0x30, 0x31, 0xA0, 4, 2, 6}])
    out[at] = dice.choice((0, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x88, 0xFF, (out[at] + 1) & 0xFF))
    return _filled(pdf, start, end, bytes(out))


def another_signature(pdf: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    """A whole signature of this or another file in this one's hole."""
    holes, donors = _holes(pdf), _holes(dice.choice((pdf, *others)))
    if not holes or not donors:
        return pdf
    start, end, _ = dice.choice(holes)
    return _filled(pdf, start, end, dice.choice(donors)[2])


def indefinite(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """The same signature in BER: an outer length that is found out at the end."""
    holes = _holes(pdf)
    found = read(holes[-1][2]) if holes else None
    if found is None:
        return pdf
    start, end, _der = holes[-1]
    content = b"".join(kid.dump() for kid in found[0].kids or ())
    return _filled(pdf, start, end, b"\x30\x80" + content + b"\0\0" * dice.randrange(2))


def _holes(pdf: bytes) -> list[tuple[int, int, bytes]]:
    """Start and end of the digits of every signature, and what they encode."""
    return [(*one.span(1), bytes.fromhex(one[1].decode()[: len(one[1]) // 2 * 2])) for one in _HOLE.finditer(pdf)]


def _filled(pdf: bytes, start: int, end: int, der: bytes) -> bytes:
    text = der.hex().encode()
    text = text.upper() if pdf[start:end].isupper() else text
    if len(text) > end - start:
        return pdf
    return pdf[:start] + text.ljust(end - start, b"0") + pdf[end:]


ALL = (
    *map(
        _enveloped,
        (_flip, _flip, _retag, _prune, _twin, _shuffle, _graft, _graft, _other_algorithm, _empty, _number, _deep),
    ),
    wrong_length,
    another_signature,
    indefinite,
)
