"""Files that are sent to hurt: each eats time, memory or patience of whoever looks at it. Made here, from nothing or from a permit."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable

MEGABYTE = 1_000_000


def pdf(*objects: bytes, root: int = 1) -> bytes:
    """A file of these objects, numbered from 1, with a true cross-reference table."""
    body, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return body + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, root, len(body))
    )


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


def xref_bomb(_genuine: bytes) -> bytes:
    """A cross-reference stream that unpacks to half a gigabyte."""
    packed = zlib.compress(bytes(512 << 20), 9)
    entries = b"/Type/XRef/W[1 8 2]/Size 50000000/Root 2 0 R/Filter/FlateDecode"
    return b"%PDF-1.7\n1 0 obj\n" + stream(packed, entries) + b"\nendobj\nstartxref\n9\n%%EOF\n"


def page_bomb(_genuine: bytes) -> bytes:
    """A page's content, packed three times, of a gigabyte."""
    packed = zlib.compress(zlib.compress(zlib.compress(b"q " * (32 << 20), 9), 9), 9)
    filters = b"/Filter[/FlateDecode/FlateDecode/FlateDecode]"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R>>"
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, stream(packed, filters))


def circles(_genuine: bytes) -> bytes:
    """Pages and fields that are their own parents."""
    fields = b"<</T(a)/FT/Sig/Kids[3 0 R]>>"
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[3 0 R]>>>>", b"<</Type/Pages/Kids[2 0 R]/Count 1>>", fields
    )


def deep(_genuine: bytes) -> bytes:
    """Arrays in arrays in arrays."""
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0/X" + b"[" * 500_000 + b"]" * 500_000 + b">>"
    )


def crowd(_genuine: bytes) -> bytes:
    """A form with two hundred thousand signature fields."""
    fields = b"".join(b"<</T(%d)/FT/Sig>>" % number for number in range(200_000))
    return pdf(b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[" + fields + b"]>>>>", b"<</Type/Pages/Kids[]/Count 0>>")


def many_updates(genuine: bytes) -> bytes:
    """A permit with thousands of updates behind it."""
    return genuine + b"1 0 obj\n<<>>\nendobj\nstartxref\n0\n%%EOF\n" * 20_000


def junk(genuine: bytes) -> bytes:
    """A permit in which a hundred bytes are other ones, never the same twice."""
    changed = bytearray(genuine)
    for _ in range(100):
        changed[random.randrange(9, len(changed))] = random.randrange(256)
    return bytes(changed)


def large(genuine: bytes) -> bytes:
    """Almost all that may be sent."""
    return genuine + random.randbytes(19 * MEGABYTE)


def changed(genuine: bytes) -> bytes:
    """A permit that is whole, and has to be inspected to its end."""
    return genuine + b"%" + str(random.random()).encode()


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    made.__name__: made for made in (xref_bomb, page_bomb, circles, deep, crowd, many_updates, junk, large, changed)
}
