"""Updates behind the last signature, right in their syntax: the forger's own ground, and every one of them reaches the validator."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tests.fuzz.mutators.edits import edit
from tests.fuzz.syntax import Dict, Layout, Update, dump, layout

_SHOWN: Final = (b"/Page", b"/Pages", b"/Catalog", b"/Font", b"/FontDescriptor", b"/XObject", b"/Annot", b"/Sig")
_FORM_KEYS: Final = {b"/FT", b"/Fields", b"/ByteRange"}


def redefine(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """An object of the document, changed."""
    return _written(pdf, {_pick(pdf, dice)}, dice)


def redefine_several(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    return _written(pdf, {_pick(pdf, dice) for _ in range(dice.randrange(2, 6))}, dice)


def redefine_oddly(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """As before, and the update itself has something wrong: its end, its /Prev, its root, its offsets."""
    changed = {_pick(pdf, dice) for _ in range(dice.randrange(1, 3))}
    return _written(pdf, changed, dice, odd=True)


def free(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """Objects are given up, and perhaps one of them is used for something else."""
    below = layout(pdf)
    gone: dict[int, bytes | None] = {_pick(pdf, dice): None for _ in range(dice.randrange(1, 4))}
    if dice.random() < 0.5:
        gone[dice.choice(list(gone))] = below.thing(_pick(pdf, dice)).body()
    return Update(gone, table=dice.choice((None, True, False))).write(pdf)


def like_archiving(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """A security store such as anybody may add, and with it something that nobody may."""
    below = layout(pdf)
    root = below.thing(below.root)
    store = Dict([[b"/Certs", []], [b"/VRI", Dict()]])
    root.value.put(b"/DSS", b"%d 0 R" % below.size)
    if dice.random() < 0.5:
        edit(root, dice, below)
    else:
        store = Dict([[b"/Type", b"/DSS"], *store])
    things: dict[int, bytes | None] = {below.size: dump(store), below.root: root.body()}
    victim = _pick(pdf, dice)
    if victim != below.root:
        things[victim] = edit(below.thing(victim), dice, below).body()
    return Update(things, packed=dice.random() < 0.3).write(pdf)


def hang_in(pdf: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    """A new object, and one of the old ones now points to it: content, an annotation, a field, a font, a page."""
    below = layout(pdf)
    alien = layout(dice.choice(others))
    new = edit(alien.thing(dice.choice(list(alien.objects))), dice, below)
    holder = _pick(pdf, dice)
    thing = below.thing(holder)
    target = b"%d 0 R" % below.size
    if isinstance(thing.value, Dict) and thing.value:
        arrays = [value for _, value in thing.value if isinstance(value, list) and not isinstance(value, Dict)]
        if arrays and dice.random() < 0.5:
            dice.choice(arrays).append(target)
        else:
            dice.choice(thing.value)[1] = target
    elif isinstance(thing.value, list):
        thing.value.append(target)
    return Update({below.size: new.body(), holder: thing.body()}, packed=dice.random() < 0.3).write(pdf)


def another_root(pdf: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    """The trailer names another catalogue, with all or some of what the real one has."""
    below = layout(pdf)
    root = edit(below.thing(below.root), dice, below)
    alien = layout(dice.choice(others))
    body = dice.choice((root.body(), alien.thing(alien.root).body()))
    return Update({below.size: body}, root=b"%d 0 R" % below.size).write(pdf)


def nothing_new(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """Objects written again as they are, in an odd way."""
    below = layout(pdf)
    number = _pick(pdf, dice)
    odd = _oddity(Update({number: below.thing(number).body()}), below, dice)
    return odd.write(pdf)


def behind_the_field(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """A form field or widget, its value, drawing or place."""
    below = layout(pdf)
    fields = [number for number, (text, _) in below.objects.items() if any(key in text for key in _FORM_KEYS)]
    if not fields:
        return pdf
    things: dict[int, bytes | None] = {}
    for number in dice.sample(fields, min(len(fields), dice.randrange(1, 3))):
        things[number] = edit(below.thing(number), dice, below).body()
    return Update(things, packed=dice.random() < 0.3).write(pdf)


def twice(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """Two updates: the second may take the first back."""
    below = layout(pdf)
    number = _pick(pdf, dice)
    changed = _written(pdf, {number}, dice)
    above = replace(
        below, startxref=int(changed[changed.rfind(b"startxref\n") + 10 :].split(b"\n")[0]), size=below.size + 2
    )
    other = _pick(pdf, dice)
    genuine = below.thing(number).body()
    last = dice.choice(({number: genuine}, {other: edit(below.thing(other), dice, below).body()}))
    return Update(dict(last)).write(changed, above)


def _written(pdf: bytes, numbers: set[int], dice: random.Random, *, odd: bool = False) -> bytes:
    below = layout(pdf)
    things = {number: edit(below.thing(number), dice, below).body() for number in numbers}
    update = Update(dict(things), packed=dice.random() < 0.25)
    return (_oddity(update, below, dice) if odd else update).write(pdf)


def _oddity(update: Update, below: Layout, dice: random.Random) -> Update:
    number = dice.choice(list(update.things))
    kind = dice.randrange(12)
    if kind == 0:
        update.before = dice.choice((b"% komentar\n", b"\0" * 9, b"999 0 obj\n<<>>\nendobj\n", b"xref\n", b"%%EOF\n"))
    elif kind == 1:
        update.after = dice.choice(
            (b"", b"%%EOF", b"%%EO\n", b"%%EOF\r\n\r\n", b"%%EOF\n%%EOF\n", b"\n" * 30 + b"%%EOF\n")
        )
    elif kind == 2:
        update.prev = dice.choice((0, 1, below.startxref - 1, below.startxref + 1, 2**31, 2**63, _self(update)))
    elif kind == 3:
        update.table = not below.table
    elif kind == 4:
        update.size = dice.choice((0, 1, below.size - 1, below.size, 2**31, 10**9))
    elif kind == 5:
        update.generation = dice.choice((1, 65535, 65536))
    elif kind == 6:
        update.astray = {number: dice.choice((0, below.startxref, 2**31 - 1, dice.randrange(max(1, below.startxref))))}
    elif kind == 7:
        update.between = dice.choice((b"\0", b"% sela\n", b"1 0 obj\n<<>>\nendobj\n"))
    elif kind == 8:
        update.root = dice.choice((b"null", b"1 0 R", b"%d 1 R" % below.root, b"%d 0 R" % below.size))
    elif kind == 9:
        update.extra = ((b"/XRefStm", b"%d" % dice.choice((0, below.startxref, 2**31))),)
    elif kind == 10:
        update.extra = ((b"/Encrypt", b"<</Filter /Standard /V 1 /R 2 /O () /U () /P -4>>"),)
    else:
        update.extra = ((b"/Prev", b"%d" % below.startxref), (b"/Size", b"1"), (b"/Root", b"%d 0 R" % number))
    return update


def _self(update: Update) -> int:
    """Where the update's own section may begin: a ring."""
    return sum(len(body or b"") + 20 for body in update.things.values())


def _pick(pdf: bytes, dice: random.Random) -> int:
    """An object; mostly one that a reader sees."""
    return dice.choice(dice.choice(_classes(pdf)))


@functools.lru_cache(maxsize=64)
def _classes(pdf: bytes) -> list[list[int]]:
    below = layout(pdf)
    shown = [number for number, (text, _) in below.objects.items() if any(key in text for key in _SHOWN)]
    streams = [number for number, (_, data) in below.objects.items() if data is not None]
    return [one for one in ([below.root], shown, streams, list(below.objects)) if one]


ALL = (
    *[redefine] * 4,
    *[redefine_several] * 2,
    *[redefine_oddly] * 2,
    free,
    *[like_archiving] * 2,
    *[hang_in] * 2,
    another_root,
    nothing_new,
    *[behind_the_field] * 2,
    twice,
)
