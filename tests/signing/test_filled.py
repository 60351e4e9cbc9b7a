"""Filled with the head's signature (ADR 0032): it covers the values, and the proof reads them and nothing else.

A key fills in its own update; a service gets the values in an update behind the ordered bytes.
"""

from __future__ import annotations

import dataclasses
import io

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY

from signing import (
    ARCHIVE_FIELDS,
    Expectation,
    ExpectedSignature,
    FieldSpec,
    Lock,
    ProofFailed,
    QrCode,
    SignatureSpec,
    ValueUnfit,
    extend_lt,
    extend_lta,
    fill,
    fill_and_seal,
    filling,
    gather,
    inspect,
    pades,
    prove,
    sign,
)
from tests.signing.test_longterm import BEGIN, source, stamper
from tests.signing.test_longterm import pki as pki_of
from tests.signing.world import HEAD, HOLDER, SEAL, URL, VALUES, prepared, read_qr

OTHER = {**VALUES, "nomor_register": "503.440/002/DPMPTSP/2026"}
TEXTS = tuple(FieldSpec(name, "text", f"Isian {name}") for name in VALUES)


@dataclasses.dataclass(frozen=True)
class Case:
    """One order: what was ordered, what is signed, by whom, and what it must be."""

    fields: tuple[FieldSpec, ...]
    sealed: bool

    @property
    def ordered(self) -> bytes:
        return prepared(self.fields)

    @property
    def head(self) -> SignatureSpec:
        look = {} if self.sealed else {"appearance": QrCode(URL)}
        return SignatureSpec(HEAD, "Izin", "Malang", certify=True, permission=2 if self.sealed else 1, **look)

    @property
    def seal(self) -> SignatureSpec:
        return SignatureSpec(SEAL, "Segel", "Malang", permission=1, appearance=QrCode(URL))

    def signed(self, pki, values: dict[str, str] = VALUES, given: bytes | None = None) -> bytes:
        pdf = fill_and_seal(given or self.ordered, values, pki.key("kepala"), self.head).pdf
        return sign(pdf, pki.key("segel"), self.seal).pdf if self.sealed else pdf

    def expected(self, pki) -> Expectation:
        signatures = [
            ExpectedSignature.by(pki.key("kepala"), HEAD, certify=True, permission=self.head.permission),
            *([ExpectedSignature.by(pki.key("segel"), SEAL)] if self.sealed else []),
        ]
        return Expectation(
            self.ordered, tuple(signatures), filled=VALUES, visible=(*VALUES.values(), HOLDER), qr_url=URL
        )


ALONE = Case((*TEXTS, FieldSpec(HEAD, "signature", "TTE")), sealed=False)
BOTH = Case(
    (
        *TEXTS,
        FieldSpec(HEAD, "signature", "TTE", Lock("exclude", (SEAL, *ARCHIVE_FIELDS))),
        FieldSpec(SEAL, "signature", "Segel", Lock("exclude", (*VALUES, *ARCHIVE_FIELDS), permission=1)),
    ),
    sealed=True,
)
CASES = pytest.mark.parametrize("case", [ALONE, BOTH], ids=["alone", "sealed"])


def refused(pdf, expected) -> str:
    with pytest.raises(ProofFailed) as caught:
        prove(pdf, expected)
    return caught.value.code


@CASES
def test_the_same_values_give_the_same_bytes_behind_the_ordered_ones(case):
    filled = fill(case.ordered, VALUES)
    assert filled == fill(case.ordered, dict(VALUES))
    assert filled.startswith(case.ordered)
    assert filled != fill(case.ordered, OTHER)
    assert fill(case.ordered, {}) == case.ordered


@CASES
def test_the_signature_covers_the_values_and_both_judges_agree(case, pki):
    pdf = case.signed(pki)
    assert pdf.startswith(case.ordered)
    assert len(prove(pdf, case.expected(pki)).levels) == 1 + case.sealed
    facts = inspect(pdf, pki.trust)
    assert all(one.sound and one.trusted for one in facts.signatures)
    assert dict(facts.values) == VALUES
    assert facts.signatures[0].modification == ("form_filling" if case.sealed else "none")
    assert read_qr(pdf) == [URL]


@CASES
@pytest.mark.parametrize("name", VALUES)
def test_another_value_in_any_field_is_refused(case, pki, name):
    pdf = case.signed(pki, {**VALUES, name: VALUES[name].replace("2026", "2027").replace("2031", "2032")})
    assert refused(pdf, case.expected(pki)) == "proof_values"


@CASES
def test_values_that_changed_places_are_refused(case, pki):
    swapped = {**VALUES, "tanggal_terbit": VALUES["berlaku_sampai"], "berlaku_sampai": VALUES["tanggal_terbit"]}
    assert refused(case.signed(pki, swapped), case.expected(pki)) == "proof_values"


@CASES
def test_a_field_that_was_left_empty_is_refused(case, pki):
    fewer = {name: value for name, value in VALUES.items() if name != "berlaku_sampai"}
    assert refused(case.signed(pki, fewer), case.expected(pki)) == "proof_objects"
    refused(case.signed(pki, {}), case.expected(pki))


@CASES
def test_values_that_an_unsigned_update_brought_are_refused(case, pki):
    """A key fills in its own update: nobody has a filled paper that is not signed. What a service gets is judged otherwise."""
    name, value = next(iter(VALUES.items()))
    rest = {other: text for other, text in VALUES.items() if other != name}
    for values, given in (({}, fill(case.ordered, VALUES)), (rest, fill(case.ordered, {name: value}))):
        assert refused(case.signed(pki, values, given), case.expected(pki)).startswith("proof_")


@CASES
def test_a_signature_on_more_than_the_values_is_refused(case, pki, monkeypatch):
    """The update may write three widgets, their drawings and the signature, whoever covers it."""
    honest = filling.fill_in

    def slips(update, values):
        honest(update, values)
        page = update.root["/Pages"]["/Kids"][0]
        page["/Rotate"] = filling.generic.NumberObject(0)
        update.update_container(page)

    monkeypatch.setattr(pades, "fill_in", slips)
    pdf = case.signed(pki)
    monkeypatch.undo()
    assert refused(pdf, case.expected(pki)) == "proof_objects"


@CASES
def test_the_ordered_bytes_must_come_first(case, pki):
    other = prepared(case.fields, holder="Orang Lain")
    assert refused(case.signed(pki, given=other), case.expected(pki)) == "proof_prefix"


LOOKS = {
    "another_number": lambda line: dataclasses.replace(line, codes=line.codes.replace(b"001", b"007")),
    "tiny": lambda line: dataclasses.replace(line, size=line.size / 4),
    "huge": lambda line: dataclasses.replace(line, size=line.size * 2),
    "below": lambda line: dataclasses.replace(line, baseline=-8.0),
    "above": lambda line: dataclasses.replace(line, baseline=9.0),
}


@CASES
@pytest.mark.parametrize("look", LOOKS)
def test_another_look_than_the_values_own_is_refused(case, pki, monkeypatch, look):
    honest = filling._appearance
    monkeypatch.setattr(
        filling, "_appearance", lambda update, line, rect, font: honest(update, LOOKS[look](line), rect, font)
    )
    pdf = case.signed(pki, VALUES)
    monkeypatch.undo()
    assert refused(pdf, case.expected(pki)) == "proof_values"


@pytest.mark.parametrize(
    ("old", "new"),
    [(b" 0 g ", b" 1 g "), (b"q BT", b"q 3 Tr BT"), (b"2.000 ", b"120.000 ")],
    ids=["white", "mode", "right"],
)
def test_a_value_that_nobody_would_read_is_refused(pki, monkeypatch, old, new):
    """White on white, an invisible rendering mode, or pushed out of the box: `/V` says the number all the same."""
    honest = filling.generic.StreamObject.__init__

    def changed(self, *given, stream_data=None, **named):
        honest(self, *given, stream_data=stream_data.replace(old, new) if stream_data else stream_data, **named)

    monkeypatch.setattr(filling.generic.StreamObject, "__init__", changed)
    pdf = ALONE.signed(pki)
    monkeypatch.undo()
    prove(ALONE.signed(pki), ALONE.expected(pki))
    assert refused(pdf, ALONE.expected(pki)) == "proof_values"


def test_what_does_not_fit_is_refused_before_anything_is_signed():
    for values, code in (
        ({"nomor_register": "5" * 90}, "value_too_long"),
        ({"nomor_register": "中"}, "value_alphabet"),
        ({"nomor": "1"}, "field_missing"),
    ):
        with pytest.raises(ValueUnfit) as caught:
            fill(ALONE.ordered, values)
        assert caught.value.code == code
    with pytest.raises(ValueUnfit, match="field_filled"):
        fill(fill(ALONE.ordered, VALUES), VALUES)


@CASES
def test_archiving_leaves_every_signature_sound_to_us_and_to_plain_pyhanko(case):
    """Filled fields under a lock are where pyHanko, as others run it, takes an unchanged drawing for a change."""
    world, begin = pki_of("p256"), BEGIN
    clock = stamper(world)
    pdf = fill_and_seal(
        case.ordered, VALUES, world.signer("Kepala").backend, case.head, timestamper=clock, at=begin
    ).pdf
    if case.sealed:
        pdf = sign(pdf, world.signer("Segel").backend, case.seal, timestamper=clock, at=begin).pdf
    evidence = gather(pdf, world.trust, source(world), begin, timestamper=clock)
    lta = extend_lta(extend_lt(pdf, evidence).pdf, clock, evidence).pdf
    facts = inspect(lta, world.trust)
    assert all(one.sound for one in facts.signatures)
    reader = PdfFileReader(io.BytesIO(lta))
    for one in reader.embedded_regular_signatures:
        one.compute_integrity_info(DEFAULT_DIFF_POLICY)
        assert one.summarise_integrity_info()["docmdp_ok"], one.diff_result
