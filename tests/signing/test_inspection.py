"""What an inspection finds in our own documents: nothing to doubt, and every byte that nothing covers as we write it."""

from __future__ import annotations

import pytest

from signing import inspect
from tests.signing.world import FLOWS, issue


@pytest.mark.parametrize("kind", ["p256", "rsa2048"])
@pytest.mark.parametrize("flow", FLOWS)
def test_our_own_documents_leave_no_doubt(flow, kind, pkis):
    found = inspect(issue(flow, pkis[kind]).final, pkis[kind].trust)
    assert (found.outcome, found.strict, found.changes, found.doubts) == ("inspected", True, (), ())
    assert [(one.canonical, one.flaws) for one in found.signatures] == [(True, ())] * len(found.signatures)


@pytest.mark.parametrize("change", [(b"A", b"a"), (b"020101", b"0201FF"), (b"65030402010500", b"65030402010400")])
def test_digits_that_nothing_covers_are_not_ours_any_more(change, number_after, pki):
    """In the hole of the seal: other digits for the same value, another version, another list of digests."""
    pdf = number_after.final
    at = pdf.index(change[0], pdf.rindex(b"/Contents <"))
    last = inspect(pdf[:at] + change[1] + pdf[at + len(change[0]) :], pki.trust).signatures[-1:]
    assert inspect(pdf, pki.trust).signatures[-1].canonical
    assert not last or last[0].flaws or not last[0].canonical
