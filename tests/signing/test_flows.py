"""The three flows, with RSA and with ECDSA: what comes out holds for pyHanko, for poppler, and for a phone."""

from __future__ import annotations

import io
import shutil
import subprocess
from datetime import UTC, datetime

import pikepdf
import pytest

from signing import ARCHIVE_FIELDS, SignatureSpec, SigningFailed, ValueUnfit, fill_and_seal, fits, inspect, prove, sign
from tests.signing.world import FLOWS, NUMBER, URL, VALUES, issue, prepared, read_qr


@pytest.mark.parametrize("kind", ["rsa2048", "p256"])
@pytest.mark.parametrize("name", list(FLOWS))
def test_signatures_hold_for_the_full_inspector(pkis, kind, name):
    run = issue(name, pkis[kind])
    found = inspect(run.final, pkis[kind].trust)
    assert found.outcome == "inspected"
    assert [one.field for one in found.signatures] == [one.field for one in run.expected.signatures]
    assert all(one.sound and one.trusted for one in found.signatures)
    assert [one.certificate_sha256 for one in found.signatures] == [
        one.certificate_sha256 for one in run.expected.signatures
    ]
    assert found.covers_whole_file
    assert found.tail == "nothing"
    assert not found.empty_signature_fields
    assert dict(found.values) == run.flow.values
    assert found.signatures[0].certify
    assert found.signatures[-1].permission == 1
    assert found.signatures[-1].locks == (f"Exclude {','.join(ARCHIVE_FIELDS)}" if run.flow.sealed else "")


@pytest.mark.parametrize("kind", ["rsa2048", "p256"])
@pytest.mark.parametrize("name", list(FLOWS))
def test_our_own_proof_agrees(pkis, kind, name):
    run = issue(name, pkis[kind])
    assert prove(run.final, run.expected).levels == ("B-B",) * len(run.expected.signatures)


@pytest.mark.parametrize("kind", ["rsa2048", "p256"])
@pytest.mark.parametrize("name", list(FLOWS))
def test_poppler_says_valid(pkis, kind, name, tmp_path):
    run = issue(name, pkis[kind])
    path = tmp_path / "signed.pdf"
    path.write_bytes(run.final)
    said = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False).stdout
    assert said.count("Signature is Valid.") == len(run.expected.signatures)
    assert "Total document signed" in said


@pytest.mark.parametrize("name", list(FLOWS))
def test_only_the_last_signature_brings_the_qr(pki, name):
    run = issue(name, pki)
    assert read_qr(run.preview) == []
    assert read_qr(run.final) == [URL]
    if run.flow.sealed:
        assert read_qr(run.head) == []


def test_every_state_begins_with_the_one_before(issued):
    assert issued.head.startswith(issued.preview)
    assert issued.final.startswith(issued.head)


def test_signing_leaves_structure_metadata_and_attachment_alone(issued):
    """What PDF/A-3a and PDF/UA-1 rest on, from the preview to the last signature."""
    with pikepdf.open(io.BytesIO(issued.preview)) as before:
        with pikepdf.open(io.BytesIO(issued.final)) as after:
            assert after.Root.Metadata.read_bytes() == before.Root.Metadata.read_bytes()
            assert list(after.attachments) == list(before.attachments) == ["data.json"]
            for widget in after.Root.AcroForm.Fields:
                assert_tagged(after, widget)
            assert "/Version" not in after.Root
            assert after.pdf_version == before.pdf_version == "1.7"
            assert all(page.Tabs == pikepdf.Name.S for page in after.pages)


def assert_tagged(document, widget):
    """ISO 14289-1, 7.18: a widget is the only kid of a Form, has a text for readers, prints, and looks like something."""
    parents = pikepdf.NumberTree(document.Root.StructTreeRoot.ParentTree)
    element = parents[int(widget.StructParent)]
    assert element.S == pikepdf.Name.Form
    assert isinstance(element.K, pikepdf.Dictionary)
    assert element.K.Type == pikepdf.Name.OBJR
    assert element.K.Obj.objgen == widget.objgen
    assert str(element.Alt) == str(widget.TU)
    assert int(widget.F) in {4, 132}
    assert "/N" in widget.AP
    assert "/ExtGState" not in widget.AP.N.get("/Resources", {})
    assert "/Font" not in widget.AP.N.get("/Resources", {}) or widget.FT == pikepdf.Name.Tx


def test_what_is_drawn_later_changes_only_the_drawing(issued):
    """EU DSS takes another /BBox or /Filter for a change that no signature permits."""
    with pikepdf.open(io.BytesIO(issued.preview)) as before, pikepdf.open(io.BytesIO(issued.final)) as after:
        for old, new in zip(before.Root.AcroForm.Fields, after.Root.AcroForm.Fields, strict=True):
            for key in ("/Type", "/Subtype", "/BBox", "/Filter", "/Matrix", "/DecodeParms"):
                assert new.AP.N.get(key) == old.AP.N.get(key), (str(new.T), key)


def test_the_number_is_shown_on_paper_and_to_readers(number_after, tmp_path):
    path = tmp_path / "final.pdf"
    path.write_bytes(number_after.final)
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
        assert f"Nomor: {NUMBER}" in text
    with pikepdf.open(path) as document:
        shown = {str(field.T): str(field.V) for field in document.Root.AcroForm.Fields if field.FT == pikepdf.Name.Tx}
    assert shown == VALUES


def test_the_claimed_time_is_given_not_taken(pki):
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    flow = FLOWS["head_only"]
    signed = sign(prepared(flow.fields), pki.key("kepala"), flow.head_spec, at=at)
    assert signed.signed_at == at
    assert inspect(signed.pdf, pki.trust).signatures[0].signed_at == at


def test_a_signed_or_filled_field_is_never_used_again(number_after, pki):
    flow = number_after.flow
    with pytest.raises(SigningFailed, match="field_filled"):
        sign(number_after.final, pki.key("segel"), flow.seal_spec)
    with pytest.raises(SigningFailed, match="field_filled"):
        sign(number_after.head, pki.key("kepala"), flow.head_spec)
    with pytest.raises(ValueUnfit, match="field_filled"):
        fits(number_after.final, VALUES)


def test_a_certification_is_first_and_only_where_the_back_end_can(number_after, pki):
    import dataclasses

    late = dataclasses.replace(number_after.flow.seal_spec, certify=True)
    with pytest.raises(SigningFailed, match="spec_invalid"):
        sign(number_after.head, pki.key("segel"), late)


def test_an_unknown_field_is_refused(number_after, pki):
    with pytest.raises(ValueUnfit, match="field_missing"):
        fill_and_seal(number_after.head, {"lain": "x"}, pki.key("segel"), number_after.flow.seal_spec)
    with pytest.raises(SigningFailed, match="field_missing"):
        sign(number_after.head, pki.key("kepala"), SignatureSpec("lain", "", ""))
