"""Preparation: markers become tagged fields, exactly the wanted ones; and values are fitted before anything is signed."""

from __future__ import annotations

import io

import pikepdf
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import (
    ARCHIVE_FIELDS,
    PRINTABLE_ASCII,
    FieldSpec,
    Lock,
    PreparationFailed,
    SigningError,
    ValueUnfit,
    fits,
    prepare_fields,
)
from signing.filling import PADDING, SMALLEST, Metrics, fit
from tests.signing.world import FLOWS, HEAD, NUMBER, SEAL, VALUES, font, prepared, typeset

AFTER = FLOWS["number_after"]


def names(flow=AFTER):
    return tuple(field.name for field in flow.fields)


def refused(pdf, fields=AFTER.fields, **given) -> str:
    with pytest.raises(PreparationFailed) as caught:
        prepare_fields(pdf, fields, **{"font": font(), **given})
    return caught.value.code


def test_preparation_is_deterministic():
    first, second = (prepare_fields(typeset(names()), AFTER.fields, font=font()) for _ in range(2))
    assert first == second
    assert first.endswith(b"%%EOF\n")


def test_a_font_may_be_a_path(tmp_path):
    path = tmp_path / "font.ttf"
    path.write_bytes(font())
    assert prepare_fields(typeset(names()), AFTER.fields, font=path) == prepared(AFTER.fields)


def test_every_marker_becomes_its_widget():
    with pikepdf.open(io.BytesIO(prepared(AFTER.fields))) as document:
        fields = {str(field.T): field for field in document.Root.AcroForm.Fields}
        assert set(fields) == set(names())
        assert int(document.Root.AcroForm.SigFlags) == 3
        assert all(int(fields[name].Ff) & 1 for name in VALUES)
        assert [str(name) for name in fields[HEAD].Lock.Fields] == [*VALUES, SEAL, *ARCHIVE_FIELDS]
        assert (fields[SEAL].Lock.Action, int(fields[SEAL].Lock.P)) == (pikepdf.Name.Exclude, 1)
        assert b"x-field:" not in b"".join(obj.unparse() for obj in document.objects if not _stream(obj))


def _stream(obj) -> bool:
    return isinstance(obj, pikepdf.Stream)


def test_a_document_without_text_fields_gets_no_font():
    with pikepdf.open(io.BytesIO(prepared(FLOWS["head_only"].fields))) as document:
        assert "/DR" not in document.Root.AcroForm


@pytest.mark.parametrize("alphabet", [PRINTABLE_ASCII, "0123456789/."])
@pytest.mark.parametrize("grid", [1000, 2048])
def test_the_field_font_covers_its_alphabet_with_true_widths(alphabet, grid):
    """PDF/A-3, 6.2.11.5: the widths in the dictionary are those of the embedded glyphs, whatever the font's own grid."""
    from fontTools.ttLib import TTFont
    from fontTools.ttLib.scaleUpem import scale_upem

    scaled, out = TTFont(io.BytesIO(font())), io.BytesIO()
    scale_upem(scaled, grid)
    scaled.save(out)
    pdf = prepare_fields(typeset(names()), AFTER.fields, font=out.getvalue(), alphabet=alphabet)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        entry = document.Root.AcroForm.DR.Font["/FieldFont"]
        program = TTFont(io.BytesIO(entry.FontDescriptor.FontFile2.read_bytes()))
        first, widths = int(entry.FirstChar), [int(width) for width in entry.Widths]
        assert int(entry.LastChar) == first + len(widths) - 1
    scale = 1000 / program["head"].unitsPerEm
    for letter in alphabet:
        advance = program["hmtx"][program.getBestCmap()[ord(letter)]][0] * scale
        assert abs(widths[letter.encode("cp1252")[0] - first] - advance) <= 1


def test_an_opentype_font_is_embedded_as_it_is(pki):
    """CFF outlines need no conversion: their table goes in as Type1C, found by glyph names."""
    from signing import Expectation, ExpectedSignature, fill_and_seal, prove, sign
    from tests.signing.world import HOLDER, URL, opentype

    preview = prepare_fields(typeset(names()), AFTER.fields, font=opentype())
    with pikepdf.open(io.BytesIO(preview)) as document:
        entry = document.Root.AcroForm.DR.Font["/FieldFont"]
        assert entry.Subtype == pikepdf.Name.Type1
        assert entry.FontDescriptor.FontFile3.Subtype == pikepdf.Name.Type1C
    head = sign(preview, pki.key("kepala"), AFTER.head_spec).pdf
    final = fill_and_seal(head, VALUES, pki.key("segel"), AFTER.seal_spec).pdf
    signatures = (
        ExpectedSignature.by(pki.key("kepala"), HEAD, certify=True),
        ExpectedSignature.by(pki.key("segel"), SEAL),
    )
    wanted = Expectation(preview=preview, signatures=signatures, values=VALUES, visible=(NUMBER, HOLDER), qr_url=URL)
    prove(final, wanted)


def test_markers_must_be_exactly_the_wanted_ones():
    assert refused(typeset(names()), AFTER.fields[:-1]) == "field_spec"  # the head's lock names the seal
    assert refused(typeset(names()), FLOWS["head_only"].fields) == "markers_differ"
    assert refused(typeset((HEAD,)), FLOWS["head_seal"].fields) == "markers_differ"


TAGGED = {"pdf_standards": ["a-3a", "ua-1"]}
HEADER = '#set document(title: "X", date: datetime(year: 2026, month: 1, day: 2))\n#set text(lang: "id")\n= X\n'
ONE = (FieldSpec("a", "text", "A"),)


def page(body: str, **standards) -> bytes:
    return typst.compile((HEADER + body).encode(), **{**TAGGED, **standards})


def test_content_can_not_smuggle_in_a_marker():
    marker = '#link("x-field:a", box(width: 3cm, height: 1cm))\n\n'
    assert refused(page(marker + marker), ONE) == "markers_differ"
    assert refused(page(marker + '#link("x-field:evil", box(width: 1cm, height: 1cm))'), ONE) == "markers_differ"
    assert refused(page('#link("x-field:a")[text]'), ONE) == "marker_not_empty"
    assert refused(page('#link("x-field:a", box(width: 3cm, height: 1cm)[text])'), ONE) == "marker_not_empty"


def test_an_ordinary_link_stays_a_link():
    body = '#link("https://example.go.id")[laman] #link("x-field:a", box(width: 3cm, height: 1cm))'
    with pikepdf.open(io.BytesIO(prepare_fields(page(body), ONE, font=font()))) as document:
        kinds = [str(annotation.Subtype) for annotation in document.pages[0].Annots]
    assert sorted(kinds) == ["/Link", "/Widget"]


def test_untagged_prepared_or_broken_documents_are_refused():
    marker = '#link("x-field:a", box(width: 3cm, height: 1cm))'
    assert refused(page(marker, pdf_standards=[], pdf_tags=False), ONE) == "untagged"
    assert refused(prepared(AFTER.fields)) == "markers_differ"
    assert refused(b"%PDF-1.7 nothing") == "pdf_unreadable"
    assert refused(b"") == "pdf_unreadable"


def test_a_font_that_can_not_serve():
    assert refused(typeset(names()), font=b"no font") == "font_unusable"
    assert refused(typeset(names()), alphabet="Ж") == "font_unusable"
    assert refused(typeset(names()), alphabet="ﷺ") == "font_unusable"


def test_field_lists_that_contradict_themselves():
    twice = (*AFTER.fields, AFTER.fields[0])
    assert refused(typeset(("arsip_1",)), (FieldSpec("arsip_1", "signature", "A"),)) == "field_spec"  # archiving's own
    locking_text = (FieldSpec("a", "text", "A", Lock("all")),)
    assert refused(typeset(names()), twice) == "field_spec"
    assert refused(page('#link("x-field:a", box(width: 3cm, height: 1cm))'), locking_text) == "field_spec"
    for wrong in (("all", ("a",)), ("exclude", ()), ("include", ())):
        with pytest.raises(SigningError, match="field_spec"):
            Lock(*wrong)


# ---- values


@pytest.mark.parametrize("value", ["", " ", " 1", "1\n2", "1\t2", "\u0416", "\U0001f600", "\x00", "1\u200b"])
def test_values_outside_the_alphabet_are_refused(value):
    with pytest.raises(ValueUnfit, match="value_alphabet") as caught:
        fits(prepared(AFTER.fields), {"nomor_register": value})
    assert value.strip() == "" or value not in str(caught.value)


def test_the_rehearsal_knows_how_long_a_number_may_be():
    pdf = prepared(AFTER.fields)
    fits(pdf, VALUES)
    fits(pdf, {"nomor_register": NUMBER + "/IX/0001"})
    with pytest.raises(ValueUnfit, match="value_too_long"):
        fits(pdf, {"nomor_register": "9" * 60})
    with pytest.raises(ValueUnfit, match="field_missing"):
        fits(pdf, {HEAD: "1"})
    with pytest.raises(ValueUnfit, match="field_missing"):
        fits(prepared(FLOWS["head_only"].fields), {"nomor_register": "1"})
    with pytest.raises(ValueUnfit, match="pdf_unreadable"):
        fits(b"nothing", VALUES)


METRICS = Metrics(32, (500,) * 95, 10)


@given(value=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1), width=st.floats(20, 400))
@settings(max_examples=200, deadline=None)
def test_what_fits_stays_inside_its_box(value, width):
    try:
        line = fit("a", value, METRICS, (0, 0, width, 14))
    except ValueUnfit:
        too_wide = len(value) * 0.5 * METRICS.size * SMALLEST > width - 2 * PADDING - 1e-6
        assert too_wide or value != value.strip()
        return
    assert line.codes.decode("cp1252") == value
    assert len(value) * 0.5 * line.size <= width - 2 * PADDING + 1e-6
    assert SMALLEST * METRICS.size <= line.size <= METRICS.size


@given(value=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_any_value_is_drawn_as_it_says(value, pki, number_after):
    """Through filling, sealing and the proof: brackets and backslashes too."""
    import dataclasses

    from signing import fill_and_seal, prove

    values = {**VALUES, "nomor_register": value}
    pdf = fill_and_seal(number_after.head, values, pki.key("segel"), number_after.flow.seal_spec).pdf
    prove(pdf, dataclasses.replace(number_after.expected, values=values, visible=()))
