"""PDF objects as trees that may be wrong: duplicate keys, values of any type. Written back as they stand, also as updates."""

from __future__ import annotations

import functools
import io
import re
import zlib
from dataclasses import dataclass, field
from typing import Final

import pikepdf

_TOKEN: Final = re.compile(
    rb"\d+ \d+ R(?![A-Za-z])|/[^\s()<>\[\]{}/%]*|<<|>>|<[0-9A-Fa-f\s]*>|[\[\]]|\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)|[^\s()<>\[\]{}/%]+",
    re.DOTALL,
)
_LAST: Final = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*\Z")
_BLANK: Final = b"null"

Tree = bytes | list  # an atom; an array; or, as Dict, a dictionary


class Dict(list):
    """Pairs of key and value, in order; nothing keeps a key from standing there twice."""

    def get(self, key: bytes) -> Tree:
        return next((value for name, value in self if name == key), _BLANK)

    def put(self, key: bytes, value: Tree) -> None:
        self[:] = [pair for pair in self if pair[0] != key] + [[key, value]]


@dataclass
class Thing:
    """One object: its value and, if it is a stream, the bytes behind."""

    value: Tree
    data: bytes | None = None

    def body(self) -> bytes:
        text = dump(self.value)
        return text if self.data is None else text + b"\nstream\n" + self.data + b"\nendstream"


@dataclass(frozen=True)
class Layout:
    """What an update has to know of the file below it."""

    size: int
    root: int
    startxref: int
    trailer: tuple[tuple[bytes, bytes], ...]
    table: bool
    objects: dict[int, tuple[bytes, bytes | None]] = field(repr=False)

    def thing(self, number: int) -> Thing:
        """A fresh copy of one object."""
        text, data = self.objects[number]
        return Thing(parse(text), data)


@functools.lru_cache(maxsize=64)
def layout(pdf: bytes) -> Layout:
    """Read a sound file with qpdf, which neither the inspector nor the composer uses."""
    with pikepdf.open(io.BytesIO(pdf), attempt_recovery=False) as document:
        objects = {}
        for one in document.objects:
            if isinstance(one, pikepdf.Stream) and one.get("/Type") not in {"/XRef", "/ObjStm"}:
                objects[one.objgen[0]] = (one.stream_dict.unparse(resolved=True), one.read_raw_bytes())
            elif not isinstance(one, pikepdf.Stream):
                objects[one.objgen[0]] = (one.unparse(resolved=True), None)
        trailer = tuple(
            (key.encode(), document.trailer[key].unparse()) for key in ("/Info", "/ID") if key in document.trailer
        )
        found = _LAST.search(pdf)
        start = int(found[1]) if found else 0
        size = max(int(document.trailer.Size), max(objects) + 1)
        return Layout(size, document.Root.objgen[0], start, trailer, pdf[start : start + 4] == b"xref", objects)


def parse(text: bytes) -> Tree:
    """Read one object. What can't be read is left out: the input is a sound writer's."""
    tokens = [found[0] for found in _TOKEN.finditer(text)]
    tokens.reverse()
    return _value(tokens)


def _value(tokens: list[bytes]) -> Tree:
    token = tokens.pop() if tokens else _BLANK
    if token == b"<<":
        pairs = Dict()
        while tokens and tokens[-1] != b">>":
            key = tokens.pop()
            pairs.append([key, _value(tokens)])
        if tokens:
            tokens.pop()
        return pairs
    if token == b"[":
        items = []
        while tokens and tokens[-1] != b"]":
            items.append(_value(tokens))
        if tokens:
            tokens.pop()
        return items
    return token


def dump(tree: Tree) -> bytes:
    if isinstance(tree, bytes):
        return tree
    if isinstance(tree, Dict):
        return b"<<" + b" ".join(key + b" " + dump(value) for key, value in tree) + b">>"
    return b"[" + b" ".join(dump(one) for one in tree) + b"]"


@dataclass
class Update:
    """An update to be written behind a file. What is left as it is here is right."""

    things: dict[int, bytes | None]
    """Bodies by number; None frees an object."""
    packed: bool = False
    """Whether objects that are no streams go into an object stream."""
    table: bool | None = None
    prev: int | None = None
    root: bytes = b""
    size: int | None = None
    generation: int = 0
    before: bytes = b""
    between: bytes = b""
    after: bytes = b"%%EOF\n"
    extra: tuple[tuple[bytes, bytes], ...] = ()
    astray: dict[int, int] = field(default_factory=dict)
    """Offsets that the cross-references give instead of the true ones."""

    def write(self, pdf: bytes, below: Layout | None = None) -> bytes:
        """Append the update to `pdf`; `below` says what lies there if qpdf should not be asked."""
        below = below or layout(pdf)
        out = bytearray(pdf if pdf.endswith((b"\n", b"\r")) else pdf + b"\n") + self.before
        top = max([below.size, *(number + 1 for number in self.things)])
        rows: dict[int, tuple[int, int, int]] = {
            number: (0, 0, 1) for number, body in self.things.items() if body is None
        }
        plain = {number: body for number, body in self.things.items() if body is not None}
        table = below.table if self.table is None else self.table
        if self.packed and not table:
            inside = {number: body for number, body in plain.items() if b"stream" not in body}
            if inside:
                plain = {number: body for number, body in plain.items() if number not in inside} | {
                    top: _packed(inside)
                }
                rows |= {number: (2, top, at) for at, number in enumerate(inside)}
                top += 1
        for number, body in plain.items():
            rows[number] = (1, self.astray.get(number, len(out)), self.generation)
            out += b"%d %d obj\n" % (number, self.generation) + body + b"\nendobj\n" + self.between
        start = len(out)
        entries = [
            (b"/Size", b"%d" % (top + 1 if self.size is None else self.size)),
            (b"/Prev", b"%d" % (below.startxref if self.prev is None else self.prev)),
            (b"/Root", self.root or b"%d 0 R" % below.root),
            *below.trailer,
            *self.extra,
        ]
        out += _table(rows, entries) if table else _section(top, start, rows, entries)
        out += b"startxref\n%d\n" % start + self.after
        return bytes(out)


def _packed(inside: dict[int, bytes]) -> bytes:
    heads, bodies = b"", b""
    for number, body in inside.items():
        heads += b"%d %d " % (number, len(bodies))
        bodies += body + b" "
    data = zlib.compress(heads + bodies)
    head = b"<</Type /ObjStm /N %d /First %d /Filter /FlateDecode /Length %d>>" % (len(inside), len(heads), len(data))
    return head + b"\nstream\n" + data + b"\nendstream"


def _table(rows: dict[int, tuple[int, int, int]], entries: list[tuple[bytes, bytes]]) -> bytes:
    text = b"xref\n"
    for number, (kind, offset, generation) in sorted(rows.items()):
        text += b"%d 1\n%010d %05d %s \n" % (number, offset, generation, b"n" if kind else b"f")
    return text + b"trailer\n<<" + b" ".join(b"%s %s" % pair for pair in entries) + b">>\n"


def _section(
    number: int, start: int, rows: dict[int, tuple[int, int, int]], entries: list[tuple[bytes, bytes]]
) -> bytes:
    """A cross-reference stream, its lines as our composer breaks them."""
    rows = {**rows, number: (1, start, 0)}
    index = b" ".join(b"%d 1" % one for one in sorted(rows))
    data = zlib.compress(
        b"".join(
            bytes((kind,)) + (a & 0xFFFFFFFF).to_bytes(4, "big") + (b & 0xFFFF).to_bytes(2, "big")
            for _, (kind, a, b) in sorted(rows.items())
        )
    )
    fixed = [
        (b"/Type", b"/XRef"),
        (b"/W", b"[ 1 4 2 ]"),
        (b"/Index", b"[ " + index + b" ]"),
        (b"/Filter", b"/FlateDecode"),
    ]
    pairs = [*fixed, *entries, (b"/Length", b"%d" % len(data))]
    text = b"%d 0 obj\n<<\n" % number + b"".join(b"%s %s\n" % pair for pair in pairs) + b">>\nstream\n"
    return text + data + b"\nendstream\nendobj\n"
