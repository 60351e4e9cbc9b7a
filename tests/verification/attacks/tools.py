"""A forger's tools: plain Python values as PDF objects, updates through pyHanko, and updates written by hand, byte by byte."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

from tests.signing.attacks import field
from tests.signing.world import writer, written

RANGE = re.compile(rb"/ByteRange \[\d+ \d+ \d+ \d+\] *")
CONTENTS = re.compile(rb"/Contents <[0-9A-Fa-f]+>")
FOREVER = "Berlaku sampai 2099"
RED = b"q 1 0 0 rg 40 300 500 60 re f Q"
WHITE = b"q 1 1 1 rg 0 0 600 850 re f Q"


def pdf(value: Any) -> Any:
    """A Python value as a PDF object: `"/X"` is a name, other text a string, bytes are a byte string."""
    match value:
        case generic.PdfObject():
            return value
        case Mapping():
            return generic.DictionaryObject({pdf_name(key): pdf(inner) for key, inner in value.items()})
        case list():
            return generic.ArrayObject(map(pdf, value))
        case str():
            return pdf_name(value) if value.startswith("/") else generic.TextStringObject(value)
        case _:
            kinds = {bool: generic.BooleanObject, int: generic.NumberObject, float: generic.FloatObject}
            return kinds.get(type(value), generic.ByteStringObject)(value)


def stream(update: Any, data: bytes, **entries: Any) -> Any:
    """Add a stream and return its reference; keywords are its entries, without the slash."""
    given = {pdf_name(f"/{key}"): pdf(value) for key, value in entries.items()}
    return update.add_object(generic.StreamObject(given, stream_data=data))


def drawing(update: Any, data: bytes = RED, box: tuple[int, ...] = (0, 0, 600, 850), **entries: Any) -> Any:
    """Add a form XObject."""
    return stream(update, data, **{"Type": "/XObject", "Subtype": "/Form", "BBox": list(box), **entries})


def changed(base: bytes, change: Callable[[Any], None]) -> bytes:
    """One clean update on top: the mildest a forger can be."""
    update = writer(base)
    change(update)
    return written(update)


def field_changed(base: bytes, name: str, **entries: Any) -> bytes:
    """The same, to one form field; keywords are its entries, without the slash."""

    def change(update: Any) -> None:
        reference = field(update, name)
        put(reference.get_object(), **entries)
        update.mark_update(reference)

    return changed(base, change)


def page_of(update: Any) -> Any:
    """The first page, marked as changed."""
    reference = update.root["/Pages"]["/Kids"].raw_get(0)
    update.mark_update(reference)
    return reference.get_object()


def put(holder: Any, **entries: Any) -> None:
    """Set entries of a dictionary; keywords are without the slash."""
    for key, value in entries.items():
        holder[pdf_name(f"/{key}")] = pdf(value)


def marked(update: Any, holder: Any, key: str) -> Any:
    """What lies under a key, marked as changed wherever it is written."""
    value = holder.raw_get(key)
    if isinstance(value, generic.IndirectObject):
        update.mark_update(value)
        return value.get_object()
    return value


def catalog(update: Any) -> Any:
    """The document's root, marked as changed."""
    update.update_root()
    return update.root


def annotate(update: Any, **entries: Any) -> Any:
    """Add an annotation to the first page and return its reference."""
    page = page_of(update)
    note = update.add_object(pdf({"/Type": "/Annot", "/F": 4, "/P": update.root["/Pages"]["/Kids"].raw_get(0)}))
    put(note.get_object(), **entries)
    notes = page["/Annots"]
    notes.append(note)
    update.update_container(notes)
    return note


def with_field(base: bytes, name: str, box: tuple[int, int, int, int] = (10, 10, 60, 60)) -> bytes:
    """With an empty signature field that is seen."""
    return changed(base, lambda update: append_signature_field(update, SigFieldSpec(name, box=box)))


def enlist(update: Any, field: Any) -> None:
    """Make an annotation one of the form's fields."""
    fields = update.root["/AcroForm"]["/Fields"]
    fields.append(field)
    update.update_container(fields)
    update.update_container(update.root["/AcroForm"])


# ---- by hand


def numbers(base: bytes) -> tuple[int, int]:
    """Object numbers of the first page and its content."""
    update = writer(base)
    page = update.root["/Pages"]["/Kids"].raw_get(0)
    return int(page.idnum), int(page.get_object().raw_get("/Contents").idnum)


def root_and_size(base: bytes) -> tuple[int, int]:
    """The catalog's object number, and the first number that is free."""
    update = writer(base)
    return int(update.root_ref.idnum), int(update.prev.trailer["/Size"])


def page_content(base: bytes) -> bytes:
    """What the first page draws, plain."""
    return bytes(writer(base).root["/Pages"]["/Kids"][0]["/Contents"].data)


def as_stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object's text."""
    return b"<< /Length %d %s >>\nstream\n" % (len(data), entries) + data + b"\nendstream"


def overpainted(base: bytes) -> bytes:
    """The first page's content with a red bar over the middle, as an object's text."""
    return as_stream(b"q\n" + page_content(base) + b"\nQ\n" + RED)


def last_section(base: bytes) -> int:
    """Where the newest cross-reference section begins."""
    return int(re.findall(rb"startxref\s+(\d+)", base)[-1])


def objects_at(base: bytes, objects: Mapping[int, bytes], generation: int = 0) -> tuple[bytes, dict[int, int]]:
    """Objects appended to `base`, and where each begins."""
    places = {}
    for number, text in objects.items():
        places[number] = len(base)
        base += b"%d %d obj\n" % (number, generation) + text + b"\nendobj\n"
    return base, places


def table(places: Mapping[int, int], generation: int = 0) -> bytes:
    """A classic cross-reference table with one subsection an object."""
    rows = (b"%d 1\n%010d %05d n \n" % (number, at, generation) for number, at in sorted(places.items()))
    return b"xref\n" + b"".join(rows)


def trailer(base: bytes, previous: int | None = None, extra: bytes = b"", size: int | None = None) -> bytes:
    """A trailer that names our catalog; `previous` 0 leaves /Prev out, None builds on the newest section."""
    root, free = root_and_size(base)
    previous = last_section(base) if previous is None else previous
    chained = b"/Prev %d " % previous if previous else b""
    return b"trailer\n<< /Size %d /Root %d 0 R %s%s>>\n" % (size or free + 9, root, chained, extra)


def by_hand(base: bytes, objects: Mapping[int, bytes], extra: bytes = b"", previous: int | None = None) -> bytes:
    """A classic update: objects, table, trailer, end."""
    out, places = objects_at(base, objects)
    return ended(out + table(places) + trailer(base, previous, extra), len(out))


def ended(body: bytes, section: int) -> bytes:
    """With `startxref` and `%%EOF`."""
    return body + b"startxref\n%d\n%%%%EOF\n" % section


def xref_stream(number: int, entries: Mapping[int, tuple[int, int, int]], header: bytes) -> bytes:
    """A cross-reference stream as a whole object; an entry is (type, offset or container, generation or index)."""
    rows = b"".join(
        kind.to_bytes(1, "big") + second.to_bytes(4, "big") + third.to_bytes(2, "big")
        for _, (kind, second, third) in sorted(entries.items())
    )
    index = b" ".join(b"%d 1" % one for one in sorted(entries))
    packed = zlib.compress(rows)
    head = b"<< /Type /XRef /W [1 4 2] /Index [%s] %s /Filter /FlateDecode /Length %d >>" % (index, header, len(packed))
    return b"%d 0 obj\n" % number + head + b"\nstream\n" + packed + b"\nendstream\nendobj\n"


def object_stream(inner: Mapping[int, bytes], entries: bytes = b"") -> bytes:
    """An object stream's text with these objects in it."""
    head, body = b"", b""
    for number, text in inner.items():
        head += b"%d %d " % (number, len(body))
        body += text + b" "
    return as_stream(head + body, b"/Type /ObjStm /N %d /First %d %s" % (len(inner), len(head), entries))


def last_range(base: bytes) -> tuple[re.Match[bytes], int, int, int]:
    """The last /ByteRange, and of it: length of the first part, start and length of the second."""
    match = list(RANGE.finditer(base))[-1]
    gap, resume, rest = (int(number) for number in re.findall(rb"\d+", match[0])[1:])
    return match, gap, resume, rest


def cms_of(base: bytes, which: int = -1) -> bytes:
    """The CMS of one signature, with its padding."""
    return bytes.fromhex(list(CONTENTS.finditer(base))[which][0][11:-1].decode())


def with_cms(base: bytes, der: bytes, which: int = -1) -> bytes:
    """Put another CMS into a signature's hole, padded to its length. Raises ValueError if it is too long."""
    match = list(CONTENTS.finditer(base))[which]
    room = len(match[0]) - 12
    text = der.hex().encode()
    if len(text) > room:
        raise ValueError("too long for the hole")
    return base[: match.start()] + b"/Contents <" + text.ljust(room, b"0") + b">" + base[match.end() :]
