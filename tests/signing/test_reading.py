"""The quick reader reads what pyHanko's own reads, and leaves to it what is odd."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader

from signing.reading import QuickReader
from tests.signing.world import FLOWS, issue, prepared


def objects(reader: PdfFileReader) -> dict:
    found = {}
    for number in range(1, int(reader.trailer["/Size"])):
        try:
            one = generic.Reference(number, 0, reader).get_object()
        except PdfReadError as absent:
            one = generic.NameObject(f"/{type(absent).__name__}")
        found[number] = (type(one), str(one), one.encoded_data if isinstance(one, generic.StreamObject) else None)
    return found


def assert_same(pdf: bytes):
    assert objects(QuickReader(io.BytesIO(pdf))) == objects(PdfFileReader(io.BytesIO(pdf)))


@pytest.mark.parametrize("name", list(FLOWS))
def test_every_object_of_every_state(pki, name):
    run = issue(name, pki)
    for pdf in (run.preview, run.head, run.final):
        assert_same(pdf)


@given(holder=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ()\\\\.,'", min_size=1, max_size=60))
@settings(max_examples=15, deadline=None)
def test_whoever_holds_the_permit(holder):
    assert_same(prepared(FLOWS["number_after"].fields, holder=holder))


@pytest.mark.parametrize(
    ("head", "first"),
    [(b"1 0 5 4 ", 8), (b"3 0 4 5 ", 8), (b"4 0 3 5 ", 8), (b"3 0 x 5 ", 8), (b"3 0 4 5 ", 7), (b"3 0 ", 4)],
)
def test_odd_tables_are_the_other_readers_business(head, first):
    pdf = crafted(head, first)
    assert outcome(QuickReader(io.BytesIO(pdf))) == outcome(PdfFileReader(io.BytesIO(pdf)))


def crafted(head: bytes, first: int) -> bytes:
    """A catalogue, one object stream of two objects with this table, and the cross-reference stream."""
    body = head + b"<</A 1>> <</B 2>>"
    pdf, places = b"%PDF-1.7\n", []
    for number, content in (
        (1, b"<</Type/Catalog>>"),
        (2, b"<</Type/ObjStm/N 2/First %d/Length %d>>\nstream\n%s\nendstream" % (first, len(body), body)),
    ):
        places.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    rows = [(0, 0, 255), (1, places[0], 0), (1, places[1], 0), (2, 2, 0), (2, 2, 1), (1, len(pdf), 0)]
    table = b"".join(bytes((kind,)) + place.to_bytes(2, "big") + bytes((rest,)) for kind, place, rest in rows)
    xref = b"<</Type/XRef/Size 6/W[1 2 1]/Root 1 0 R/Length %d>>\nstream\n%s\nendstream" % (len(table), table)
    return pdf + b"5 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (xref, len(pdf))


def outcome(reader: PdfFileReader) -> list[str]:
    found = []
    for wanted, index in ((3, 0), (4, 1), (3, 5), (9, 0)):
        try:
            found.append(str(reader._get_object_from_stream(wanted, 2, index)))
        except (PdfReadError, ValueError, AssertionError, IndexError) as refused:
            found.append(type(refused).__name__)
    return found
