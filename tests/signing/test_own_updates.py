"""The store that is written by itself is the one that pyHanko writes; what is odd about a file is left to others."""

from __future__ import annotations

import io

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import Evidence, SigningFailed, extend_lt, extend_lta, inspect, longterm, prove_extension, sign
from signing.extensionproof import ExpectedExtension
from signing.holdings import held_by, holdings
from signing.ownupdates import read_updates, signatures
from signing.storeupdate import store_update
from tests.signing.authorities import BEGIN
from tests.signing.test_longterm import BOTH, long, pki, stamper
from tests.signing.world import FLOWS, prepared


def quickly(pdf: bytes, evidence: Evidence) -> bytes | None:
    updates = read_updates(pdf)
    return store_update(pdf, updates, evidence) if updates else None


def written(pdf: bytes) -> dict:
    """Catalogue, trailer and store by content, whatever the numbers of the objects."""
    with pikepdf.open(io.BytesIO(pdf), attempt_recovery=False) as document:
        assert not document.get_warnings()
        store = {key: [one.read_bytes() for one in document.Root.DSS[key]] for key in document.Root.DSS.keys()}
        plain = {key: document.Root[key].unparse() for key in document.Root.keys() if key != "/DSS"}
        trailer = {key: document.trailer[key].unparse() for key in ("/Root", "/Info")}
        return {"store": store, "catalog": plain, "trailer": trailer, "id": bytes(document.trailer.ID[0])}


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_every_flow_gets_the_store_that_pyhanko_writes(kind, name):
    run = long(kind, name)
    ours, theirs = quickly(run.signed, run.evidence), longterm._with_evidence(run.signed, run.evidence)
    assert ours is not None
    assert written(ours) == written(theirs)
    expected = ExpectedExtension((), "B-LT", run.evidence, run.anchors)
    assert prove_extension(ours, run.signed, expected).level == "B-LT"
    found = inspect(ours, run.trust)
    assert all(one.sound and one.trusted for one in found.signatures)
    assert found.signatures[-1].modification == "lta"


@given(holder=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ()\\\\.,'", min_size=1, max_size=60))
@settings(max_examples=15, deadline=None)
def test_whoever_holds_the_permit(holder):
    world, flow = pki("p256"), FLOWS["number_after"]
    pdf = sign(
        prepared(flow.fields, holder=holder),
        world.signer("Kepala").backend,
        flow.head_spec,
        timestamper=stamper(world),
        at=BEGIN,
    ).pdf
    evidence = long("p256", "number_after").evidence
    assert written(quickly(pdf, evidence)) == written(longterm._with_evidence(pdf, evidence))


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_the_bytes_say_what_a_pdf_library_reads(kind, name):
    pdf = long(kind, name).signed
    found = signatures(pdf, read_updates(pdf))
    ours, theirs = held_by([(False, one) for one in found]), holdings(pdf)
    assert (ours.uses, ours.signature_stamps, ours.evidence) == (
        theirs.uses,
        theirs.signature_stamps,
        theirs.evidence,
    )


def test_what_is_odd_is_left_to_others():
    run = long("p256", "head_seal")
    assert read_updates(run.preview) is None, "no update of ours"
    assert quickly(run.lt, run.evidence) is None, "a store is there already"
    assert signatures(run.lta, read_updates(run.lta)) is None, "a document time-stamp is no signature"
    assert quickly(run.signed + b"\n", run.evidence) is None
    assert read_updates(b"") is None
    below = run.signed[: len(run.signed) // 2]
    assert read_updates(below) is None


def test_a_signature_below_what_was_read_is_not_overlooked():
    """Only the last update has our form: the head's signature below it makes a PDF library read all."""
    run = long("p256", "head_seal")
    updates = read_updates(run.signed)
    assert len(signatures(run.signed, updates)) == 2
    begin = run.signed.index(b"\n%%EOF\n", len(run.preview)) + len(b"\n%%EOF\n")
    spoilt = run.signed[:begin].replace(b"/Type /XRef\n", b"/Type  /XRef") + run.signed[begin:]
    assert spoilt != run.signed
    assert len(read_updates(spoilt).objects) < len(updates.objects)
    assert signatures(spoilt, read_updates(spoilt)) is None


def test_an_unstamped_signature_is_refused_the_quick_way_too():
    world, flow = pki("p256"), FLOWS["head_seal"]
    head = sign(prepared(flow.fields), world.signer("Kepala").backend, flow.head_spec, at=BEGIN).pdf
    both = sign(head, world.signer("Segel").backend, flow.seal_spec, timestamper=stamper(world), at=BEGIN).pdf
    assert len(signatures(both, read_updates(both))) == 2
    with pytest.raises(SigningFailed) as refused:
        extend_lt(both, long("p256", "head_seal").evidence)
    assert refused.value.code == "timestamp_missing"


def test_lists_of_one_authority_only_are_not_enough():
    run = long("p256", "head_seal")
    assert len(run.evidence.crls_der) == 2
    with pytest.raises(SigningFailed) as refused:
        extend_lt(run.signed, Evidence(run.evidence.certificates_der, run.evidence.crls_der[:1]))
    assert refused.value.code == "evidence_missing"


def test_archiving_goes_on_from_it():
    run = long("p256", "number_after")
    lta = extend_lta(quickly(run.signed, run.evidence), stamper(run.world), Evidence())
    assert lta.level == "B-LTA"
    assert holdings(lta.pdf).level == "B-LTA"
