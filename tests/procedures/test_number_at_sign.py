"""The variant `number_at_sign` (ADR 0032): the number comes with the head's order, under his signature; the SOP's row records it."""

from __future__ import annotations

import pytest

from service.audit import audit
from tests.procedures.stories import (
    client_of,
    done,
    edit,
    filled,
    issued,
    open_tree,
    seen_codes,
    told,
    told_data,
    tree_of,
)
from tests.support.office import payload, row

MALANG = ("malang", "sik-perekam-medis")
KUDUS = ("kudus", "sip-perekam-medis")
LATER = ("nomor_register", "tanggal_terbit", "berlaku_sampai")


def variant(folder, office, *, sealed=True):
    """The project's own office with the choice made; Kudus also without the seal that was there for the number's sake."""
    root = tree_of(folder, office)
    edit(root / office / "office.toml", "[roles.pemohon]", "[signing]\nnumber_at_sign = true\n\n[roles.pemohon]")
    if not sealed:
        kind = root / office / dict([MALANG, KUDUS])[office]
        edit(kind / "sop.toml", 'acts = ["number", "seal"]\n', "")
        edit(kind / "permit.typ", "beside(photo(), seal()), signature(head-frame())", "photo(), signature(head-qr())")
    return root


CASES = [(MALANG, True), (KUDUS, True), (KUDUS, False)]


@pytest.fixture(params=CASES, ids=["malang", "kudus", "kudus-unsealed"])
def case(request):
    return request.param


@pytest.fixture
def opened(tmp_path, keys, case):
    (office, kind), sealed = case
    teken = open_tree(tmp_path / "home", variant(tmp_path, office, sealed=sealed), keys)
    yield teken, client_of(teken, office), (office, kind)
    teken.close()


def test_the_whole_story(opened, case):
    teken, client, kind = opened
    permit = row(teken, issued(teken, client, payload(*kind)))
    verbs = [verb for _, verb, _, _ in done(teken, permit.id)]
    assert verbs[verbs.index("sign") :][:4] == (["sign", "number", "seal", "issue"] if case[1] else ["sign", "number", "issue", "notify"])
    events = [name for name, _ in told(teken, permit.id)]
    assert events.index("permit.numbered") < events.index("permit.sign_ordered") < events.index("permit.signed") < events.index("permit.recorded")
    assert events.count("permit.numbered") == events.count("permit.recorded") == 1
    (recorded,) = told_data(teken, permit.id, "permit.recorded")
    assert (recorded["number"], recorded["no"]) == (permit.number, 1)
    pdf = teken.archive.get(permit.released_sha)
    assert pdf.startswith(teken.archive.get(permit.ordered_sha))
    values = filled(pdf)
    assert tuple(values) == LATER
    assert values["nomor_register"] == permit.number
    assert filled(teken.archive.get(permit.head_sha)) == values
    assert filled(teken.archive.get(permit.ordered_sha)) == {}
    assert seen_codes(pdf) == [permit.verify_url]
    assert (permit.sealed_sha is not None) == case[1]
    assert audit(teken).violations == ()
