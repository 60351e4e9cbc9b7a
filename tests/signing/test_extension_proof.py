"""The proof of a later version accepts exactly what was meant: every mutant, smuggled object and stranger's stamp is caught."""

from __future__ import annotations

import dataclasses
import io
import random

import pikepdf
import pytest
from asn1crypto import x509 as asn1
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
from pyhanko.sign.validation.dss import DocumentSecurityStore

from signing import Evidence, ExpectedExtension, ProofFailed, extend_lt, extend_lta, prove_extension, sign
from signing.filling import PlainUpdate
from tests.signing.attacks import field
from tests.signing.authorities import BEGIN, Authorities, Stamper
from tests.signing.test_longterm import long, stamper
from tests.signing.world import FLOWS, written


@pytest.fixture(scope="module")
def run():
    return long("p256", "number_after")


@pytest.fixture(scope="module")
def store(run) -> ExpectedExtension:
    return ExpectedExtension((), "B-LT", run.evidence, run.anchors)


@pytest.fixture(scope="module")
def stamp(run) -> ExpectedExtension:
    return ExpectedExtension(("arsip_1",), "B-LTA", Evidence(), run.anchors)


def refused(pdf, released, expected) -> str:
    with pytest.raises(ProofFailed) as caught:
        prove_extension(pdf, released, expected)
    assert caught.value.advice
    return caught.value.code


def update(pdf: bytes) -> PlainUpdate:
    return PlainUpdate(io.BytesIO(pdf))


def test_any_flipped_byte_of_the_validation_data_is_caught(run, store):
    """No signature covers it yet: with the evidence that was meant, what passes is at most another spelling of the same."""
    dice, begin = random.Random(3), len(run.signed)
    meant, spelled = content(run.lt), 0
    for place in dice.sample(range(begin, len(run.lt)), 500):
        forged = bytearray(run.lt)
        forged[place] ^= 1 << dice.randrange(8)
        try:
            prove_extension(bytes(forged), run.signed, store)
        except ProofFailed:
            continue
        assert content(bytes(forged)) == meant
        spelled += 1
    assert spelled < 20, "the file identifier is 32 random digits; little else may be spelled otherwise"


def content(pdf: bytes) -> list[bytes]:
    """Every object's value and stream, without the file's identifier."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        found = [one.unparse(resolved=False) for one in document.objects if one is not None]
        return found + [one.read_raw_bytes() for one in document.objects if isinstance(one, pikepdf.Stream)]


def test_any_flipped_byte_that_a_time_stamp_covers_is_caught(run, stamp):
    dice = random.Random(4)
    hole = run.lta.rindex(b"/Contents <") + 11
    end = run.lta.index(b">", hole)
    padding = run.lta.rindex(b"00", hole, end)
    places = [at for at in range(len(run.lt), len(run.lta)) if not hole <= at < end]
    for place in [*dice.sample(places, 200), *dice.sample(range(padding - 9000, padding), 30)]:
        forged = bytearray(run.lta)
        forged[place] ^= 1 << dice.randrange(8)
        with pytest.raises(ProofFailed):
            prove_extension(bytes(forged), run.lt, stamp)


@pytest.mark.parametrize("tail", [b"\n", b"\0", b"\n%%EOF\n", b"% x\n"])
def test_trailing_and_missing_bytes(run, store, stamp, tail):
    refused(run.lt + tail, run.signed, store)
    refused(run.lta + tail, run.lt, stamp)
    refused(run.lta[: -len(tail)], run.lt, stamp)


def test_another_version_before(run, store):
    other = long("p256", "head_only")
    assert refused(run.lt, other.signed, store) == "proof_prefix"
    assert refused(run.signed, run.signed, store) == "proof_revisions"
    assert refused(run.signed, run.lt, store) == "proof_prefix"


def test_what_was_expected_must_be_there(run, store, stamp):
    assert refused(run.lt, run.signed, dataclasses.replace(store, stamps=("arsip_1",))) == "proof_fields"
    assert refused(run.lt, run.signed, dataclasses.replace(store, level="B-LTA")) == "proof_level"
    assert refused(run.lta, run.lt, dataclasses.replace(stamp, stamps=())) == "proof_fields"
    assert refused(run.lta, run.lt, dataclasses.replace(stamp, stamps=("arsip_2",))) == "proof_fields"
    assert (
        refused(run.renewed, run.lta, dataclasses.replace(stamp, stamps=("arsip_1",), evidence=None)) == "proof_fields"
    )


def test_validation_data_that_was_not_meant(run, store):
    stranger = asn1.Certificate.load(Authorities().root.der)
    draft = update(run.signed)
    load = [asn1.Certificate.load(der) for der in run.evidence.certificates_der]
    from asn1crypto import crl

    lists = [crl.CertificateList.load(der) for der in run.evidence.crls_der]
    DocumentSecurityStore.supply_dss_in_writer(draft, None, certs=[*load, stranger], crls=lists)
    assert refused(written(draft), run.signed, store) == "proof_dss"


def test_a_level_that_the_evidence_does_not_carry(run):
    """A list that nobody of this PKI signed fills the place of the right one: the names fit, the level is not reached."""
    other = Authorities()
    wrong = dataclasses.replace(run.evidence, crls_der=other.crls(BEGIN))
    pdf = extend_lt(run.signed, wrong).pdf
    expected = ExpectedExtension((), "B-LT", wrong, run.anchors)
    assert refused(pdf, run.signed, expected) == "proof_level"


def test_nothing_rides_along(run, store):
    """One honest update, and in it something else."""
    from asn1crypto import crl

    def smuggled(change) -> bytes:
        draft = update(run.signed)
        certs = [asn1.Certificate.load(der) for der in run.evidence.certificates_der]
        lists = [crl.CertificateList.load(der) for der in run.evidence.crls_der]
        DocumentSecurityStore.supply_dss_in_writer(draft, None, certs=certs, crls=lists)
        change(draft)
        return written(draft)

    assert prove_extension(smuggled(lambda _: None), run.signed, store).level == "B-LT"

    def loose(draft):
        draft.add_object(generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Page")}))

    def page(draft):
        draft.add_stream_to_page(0, draft.add_object(generic.StreamObject(stream_data=b"0 0 9 9 re f")))

    def action(draft):
        draft.root[pdf_name("/OpenAction")] = generic.ArrayObject([])
        draft.update_root()

    def value(draft):
        reference = field(draft, "nomor_register")
        reference.get_object()[pdf_name("/V")] = generic.TextStringObject("503.440/999/DPMPTSP/2026")
        draft.mark_update(reference)

    def other_field(draft):
        append_signature_field(draft, SigFieldSpec("arsip_1"))

    def in_the_store(draft):
        draft.root["/DSS"][pdf_name("/VRI")] = generic.DictionaryObject()

    def stream_key(draft):
        stream = draft.root["/DSS"]["/Certs"][0]
        stream[pdf_name("/F")] = generic.TextStringObject("x")

    for change in (loose, page, action, value, other_field, in_the_store, stream_key):
        assert refused(smuggled(change), run.signed, store).startswith("proof_"), change.__name__


def test_the_store_never_shrinks(run):
    draft = update(run.lt)
    draft.root["/DSS"][pdf_name("/CRLs")] = generic.ArrayObject(list(draft.root["/DSS"]["/CRLs"])[:1])
    draft.update_container(draft.root["/DSS"])
    expected = ExpectedExtension((), None, None, run.anchors)
    assert refused(written(draft), run.lt, expected) == "proof_dss"
    draft = update(run.lt)
    del draft.root["/DSS"]
    draft.update_root()
    assert refused(written(draft), run.lt, expected) == "proof_dss"


def test_a_visible_or_hidden_time_stamp_field_is_refused(run, stamp, monkeypatch):
    from signing import longterm

    honest = longterm.InvisSigSettings
    for changed in ({"box_out_of_bounds": False}, {"set_hidden_flag": True}):
        monkeypatch.setattr(longterm, "InvisSigSettings", lambda **given: honest(**{**given, **changed}))
        pdf = extend_lta(run.lt, stamper(run.world), Evidence()).pdf
        assert refused(pdf, run.lt, stamp) == "proof_fields"


def test_a_strangers_time_stamp(run, stamp):
    stranger = Authorities()
    pdf = extend_lta(run.lt, Stamper(stranger.tsa("TSA"), lambda: BEGIN), Evidence()).pdf
    assert refused(pdf, run.lt, stamp) == "proof_timestamp"
    signer = Stamper(run.world.signer("Bukan TSA", kind="rsa2048"), lambda: BEGIN)
    assert refused(extend_lta(run.lt, signer, Evidence()).pdf, run.lt, stamp) == "proof_timestamp"


def test_a_time_stamp_of_something_else(run, stamp):
    honest = stamper(run.world)

    class Confused:
        def token(self, digest, algorithm):
            return honest.token(bytes(32), algorithm)

    assert refused(extend_lta(run.lt, Confused(), Evidence()).pdf, run.lt, stamp) == "proof_timestamp"


def test_an_ordinary_signature_is_no_time_stamp(run, stamp):
    draft = update(run.lt)
    append_signature_field(draft, SigFieldSpec("arsip_1"))
    spec = dataclasses.replace(FLOWS["head_only"].head_spec, field="arsip_1", certify=False)
    pdf = sign(written(draft), run.world.signer("Orang").backend, spec, at=BEGIN).pdf
    refused(pdf, run.lt, stamp)
