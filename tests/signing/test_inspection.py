"""What an inspection finds in our own documents: nothing to doubt, and every byte that nothing covers as we write it."""

from __future__ import annotations

import re
import time

import pytest

from signing import inspect
from signing.cmsparts import take_apart
from tests.signing.world import FLOWS, issue

GENEROUS = 5


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


def test_certificates_in_another_order_are_not_ours_any_more(number_after, pki):
    pdf = number_after.final
    hole = re.compile(rb"/Contents <([0-9A-F]+)>")
    found = list(hole.finditer(pdf))[-1]
    held = take_apart(bytes.fromhex(found[1].decode()), padded=True).certificates_der
    there, turned = (b"".join(one).hex().upper().encode() for one in (held, held[::-1]))
    assert there != turned
    assert there in found[1]
    last = inspect(pdf[: found.start()] + found[0].replace(there, turned) + pdf[found.end() :], pki.trust).signatures[
        -1
    ]
    assert last.intact
    assert last.valid
    assert not last.canonical


def test_a_signer_named_in_other_letters_is_not_ours_any_more(number_after, pki):
    """Names are equal whatever their case (RFC 5280, 7.1), and nothing covers this one."""
    pdf = number_after.final
    hole = list(re.finditer(rb"/Contents <([0-9A-F]+)>", pdf))[-1]
    value = bytes.fromhex(hole[1].decode())
    parts = take_apart(value, padded=True)
    at = parts.signer[1].start + re.search(rb"[A-Za-z]{5}", parts.bytes_of(parts.signer[1])).start()
    other = value[:at] + value[at : at + 5].swapcase() + value[at + 5 :]
    last = inspect(pdf.replace(hole[1], other.hex().upper().encode()), pki.trust).signatures[-1]
    assert last.intact
    assert last.valid
    assert not last.canonical


@pytest.mark.parametrize(
    "counted", [b"/Index [0 1 2 999999999999999999995]", b"/Index\n[0 99999999]", b"/Size 999999999999"]
)
def test_objects_that_a_file_has_no_room_for_are_not_waited_for(counted, pki):
    """A tolerant reader would count them one by one until it is stopped."""
    dictionary = b"<</Type /XRef /W [1 2 1] /Root 2 0 R " + counted + (b"" if b"/Size" in counted else b" /Size 9")
    stream = dictionary + b" /Length 4>>\nstream\n\1\0\0\0\nendstream\nendobj\n"
    began = time.process_time()
    found = inspect(b"%PDF-1.7\n1 0 obj\n" + stream + b"startxref\n9\n%%EOF\n", pki.trust)
    assert (found.outcome, found.cause) == ("undetermined", "too_many_objects")
    assert time.process_time() - began < GENEROUS
