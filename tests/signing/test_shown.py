"""The quick look at a page never says yes where a PDF reader says no; on our own pages it does say yes."""

from __future__ import annotations

import io
import re

import pikepdf
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signing.drawing import page_text, plain
from signing.shown import is_shown
from tests.signing.world import FLOWS, HOLDER, NUMBER, issue, prepared

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789()\\/.,-"


def opened(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf))


@pytest.mark.parametrize("name", list(FLOWS))
@pytest.mark.parametrize("text", [NUMBER, HOLDER])
def test_our_pages_are_read_the_quick_way(pki, name, text):
    """Otherwise nothing is wrong but the speed."""
    assert is_shown(opened(issue(name, pki).final), text) == (
        plain(text) in page_text(issue(name, pki).preview, fields=False)[0]
    )


@given(holder=st.text(LETTERS, min_size=3, max_size=40), at=st.integers(0, 400), length=st.integers(1, 30))
@example(holder="0A-", at=0, length=1)
@settings(max_examples=40, deadline=None)
def test_yes_is_what_a_reader_sees_too(holder, at, length):
    pdf = prepared(FLOWS["head_only"].fields, holder=holder)
    seen, _ = page_text(pdf, fields=False)
    document = opened(pdf)
    for text in (holder, holder[::-1], seen[at : at + length], seen[at : at + length] + "~"):
        if is_shown(document, text):
            assert plain(text) in seen
    assert not is_shown(document, "")


def changed(change) -> pikepdf.Pdf:
    document = opened(prepared(FLOWS["head_only"].fields))
    page = document.pages[0].obj
    before = page.Contents.read_bytes()
    after = change(before, page)
    assert after != before or change.__name__.startswith("page_")
    page.Contents = document.make_stream(after)
    return document


def invisible(content, _page):
    return content.replace(b"BT 0 Tr", b"BT 3 Tr")


def in_an_inline_image(content, _page):
    return b"BI /W 1 /H 1 /BPC 1 /IM true ID\n" + content + b"\nEI"


def page_with_layers(content, page):
    page.Resources.Properties = pikepdf.Dictionary()
    return content


def page_that_is_cropped(content, page):
    page.CropBox = [0, 0, 10, 10]
    return content


def page_that_is_small(content, page):
    page.MediaBox = [0, 0, 20, 20]
    return content


def page_with_other_letters(content, page):
    for font in page.Resources.Font.values():
        table = font.ToUnicode.read_bytes()
        font.ToUnicode.write(re.sub(rb"<0035>\n", b"<0036>\n", table))
    return content


@pytest.mark.parametrize(
    "change",
    [
        invisible,
        in_an_inline_image,
        page_with_layers,
        page_that_is_cropped,
        page_that_is_small,
        page_with_other_letters,
    ],
)
def test_what_is_not_surely_there_is_not_seen(change):
    assert is_shown(opened(prepared(FLOWS["head_only"].fields)), NUMBER)
    document = changed(change)
    assert not is_shown(document, NUMBER)


MATRICES = {
    "beside the page": b"1 0 0 1 900 0",
    "beyond the right edge": b"1 0 0 1 400 0",
    "below the page": b"1 0 0 1 0 -900",
    "tiny": b".1 0 0 .1 50 50",
    "oddly placed": b"1 0 0 1 [] 0 0",
    "upside down": b"-1 0 0 -1 595 842",
}


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
def test_what_is_moved_out_of_sight_is_not_seen(matrix):
    assert not is_shown(changed(lambda content, _: b"q %s cm %s Q" % (matrix, content)), NUMBER)
    assert is_shown(changed(lambda content, _: b"q 1 0 0 1 0 0 cm %s Q" % content), NUMBER)
