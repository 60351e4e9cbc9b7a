"""No manipulation of anybody's signed file is taken for good, whoever's program wrote it."""

from __future__ import annotations

import pytest

from tests.foreign.attacks import ATTACKS
from tests.foreign.conftest import maker, verdict
from tests.foreign.modes import MODES

MAKERS = (
    "dss.pdf",
    "endesive.pdf",
    "itext-append.pdf",
    "itext-p1.pdf",
    "libpdf.pdf",
    "openpdf-visible.pdf",
    "pdfbox.pdf",
    "pdfbox-p3.pdf",
    "pdfbox-twice-visible.pdf",
    "signpdf.pdf",
    "tcpdf.pdf",
)
"""One of each maker, and one of each permission."""


@pytest.mark.parametrize("name", ATTACKS)
def test_never_good(name):
    answers = {}
    for file in MAKERS:
        forged = ATTACKS[name](maker(file))
        if forged is not None:
            assert forged != maker(file)
            answers[file] = verdict(forged)
    assert answers, "no file gave this attack a hold"
    assert set(answers.values()) <= {"altered", "undetermined"}, answers


def test_what_is_shown_otherwise_is_altered():
    """Where somebody changed what the page says, there is no doubt about it."""
    for name in ("text_added", "content_replaced", "page_added", "font_exchanged", "changed_then_signed_by_another"):
        assert verdict(ATTACKS[name](MODES["cades"]())) == "altered", name
