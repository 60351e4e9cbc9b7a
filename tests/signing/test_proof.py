"""The proof of our own output: it accepts exactly what was meant. Its oracle is the full inspector (test_flows)."""

from __future__ import annotations

import dataclasses
import random

import pytest

from signing import ExpectedSignature, ProofFailed, QrCode, SignatureSpec, appearance, fill_and_seal, prove, sign
from signing.appearance import qr_modules
from tests.signing.world import HEAD, HOLDER, NUMBER, SEAL, URL, VALUES, issue, prepared


def refused(pdf, expected) -> str:
    with pytest.raises(ProofFailed) as caught:
        prove(pdf, expected)
    assert caught.value.advice
    return caught.value.code


def test_it_names_the_levels(issued):
    proof = prove(issued.final, issued.expected)
    assert (proof.pages, proof.levels) == (1, ("B-B",) * len(issued.expected.signatures))


def test_any_flipped_byte_is_caught(number_after):
    """Anywhere: covered bytes by the digest, the rest (the two holes) because it has only one form."""
    dice = random.Random(7)
    pdf = number_after.final
    holes = [at for at in range(len(pdf)) if pdf[at : at + 11] == b"/Contents <"]
    places = dice.sample(range(len(pdf)), 150)
    for hole in holes:
        places += [hole + 11 + place for place in dice.sample(range(1600), 120)]
    for place in places:
        forged = bytearray(pdf)
        forged[place] ^= 1 << dice.randrange(8)
        with pytest.raises(ProofFailed):
            prove(bytes(forged), number_after.expected)


@pytest.mark.parametrize("cut", [1, 2, 7, 500])
def test_a_cut_file_is_caught(issued, cut):
    refused(issued.final[:-cut], issued.expected)


@pytest.mark.parametrize("tail", [b"\n", b"\0", b"%", b"\n%%EOF\n"])
def test_trailing_bytes_are_caught(issued, tail):
    refused(issued.final + tail, issued.expected)


def test_another_preview(issued):
    other = prepared(issued.flow.fields, holder="Orang Lain")
    assert refused(issued.final, dataclasses.replace(issued.expected, preview=other)) == "proof_prefix"


def test_another_number(number_after):
    values = {**VALUES, "nomor_register": "503.440/002/DPMPTSP/2026"}
    assert refused(number_after.final, dataclasses.replace(number_after.expected, values=values)) == "proof_values"


def test_a_number_that_is_drawn_otherwise_than_it_says(number_after, pki, monkeypatch):
    """/V and the drawing are written from one value; a composer that slips is caught."""
    from signing import filling

    honest = filling._appearance

    def slips(writer, line, rect, font):
        return honest(writer, dataclasses.replace(line, codes=line.codes.replace(b"001", b"007")), rect, font)

    monkeypatch.setattr(filling, "_appearance", slips)
    flow = number_after.flow
    pdf = fill_and_seal(number_after.head, flow.values, pki.key("segel"), flow.seal_spec).pdf
    assert refused(pdf, number_after.expected) == "proof_values"


def test_a_missing_value(number_after):
    fewer = {name: value for name, value in VALUES.items() if name != "berlaku_sampai"}
    refused(number_after.final, dataclasses.replace(number_after.expected, values=fewer))


def test_another_certificate(issued, pki):
    other = pki.key("orang-lain").certificate_sha256
    signatures = (dataclasses.replace(issued.expected.signatures[0], certificate_sha256=other),)
    expected = dataclasses.replace(issued.expected, signatures=signatures + issued.expected.signatures[1:])
    assert refused(issued.final, expected) == "proof_certificate"


def test_another_text_on_the_page(issued):
    assert refused(issued.final, dataclasses.replace(issued.expected, visible=("Budi",))) == "proof_visible"


def test_text_is_found_across_line_breaks(issued):
    prove(issued.final, dataclasses.replace(issued.expected, visible=(NUMBER, HOLDER.replace(" ", "\n"))))


def test_another_qr(issued):
    other = URL.replace("0123", "3210")
    assert refused(issued.final, dataclasses.replace(issued.expected, qr_url=other)) == "proof_qr"


def test_no_qr_where_one_is_due(number_after, pki):
    spec = SignatureSpec(SEAL, "Segel elektronik", "Rokan Hilir", permission=1)
    pdf = fill_and_seal(number_after.head, VALUES, pki.key("segel"), spec).pdf
    assert refused(pdf, number_after.expected) == "proof_qr"


def test_a_level_that_was_not_reached(issued):
    assert refused(issued.final, dataclasses.replace(issued.expected, level="B-T")) == "proof_level"


def test_a_missing_or_an_extra_signature(pki):
    run = issue("head_seal", pki)
    assert refused(run.head, run.expected).startswith("proof_")
    head_only = dataclasses.replace(run.expected, signatures=run.expected.signatures[:1], qr_url=None)
    refused(run.final, head_only)
    refused(run.final, dataclasses.replace(run.expected, signatures=()))


def test_an_empty_field_must_be_named(pki):
    """Between head and seal: the proof of the head's signature names what is still to come."""
    run = issue("number_after", pki)
    half = dataclasses.replace(
        run.expected,
        signatures=run.expected.signatures[:1],
        values={},
        visible=(HOLDER,),
        qr_url=None,
        still_empty=(*VALUES, SEAL),
    )
    prove(run.head, half)
    assert refused(run.head, dataclasses.replace(half, still_empty=(SEAL,))) == "proof_fields"


def test_signatures_in_another_order(pki):
    run = issue("head_seal", pki)
    refused(run.final, dataclasses.replace(run.expected, signatures=run.expected.signatures[::-1]))


def test_a_head_that_did_not_certify(pki):
    run = issue("head_seal", pki)
    spec = dataclasses.replace(run.flow.head_spec, certify=False)
    head = sign(run.preview, pki.key("kepala"), spec).pdf
    final = sign(head, pki.key("segel"), run.flow.seal_spec).pdf
    refused(final, run.expected)


def test_a_head_that_permits_more_than_meant(pki):
    run = issue("head_only", pki)
    spec = dataclasses.replace(run.flow.head_spec, permission=2)
    refused(sign(run.preview, pki.key("kepala"), spec).pdf, run.expected)


def test_a_filled_but_never_signed_update(number_after):
    from signing.filling import fill_in
    from tests.signing.world import writer, written

    update = writer(number_after.head)
    fill_in(update, VALUES)
    refused(written(update), number_after.expected)


def test_a_seal_that_also_changes_the_page(number_after, pki):
    """A composer that slips something else into the sealing update is caught, although the seal covers it."""
    from pyhanko.pdf_utils import generic

    from tests.signing.world import writer, written

    update = writer(number_after.head)
    update.add_stream_to_page(0, update.add_object(generic.StreamObject(stream_data=b"0 0 9 9 re f")))
    flow = number_after.flow
    pdf = fill_and_seal(written(update), VALUES, pki.key("segel"), flow.seal_spec).pdf
    refused(pdf, number_after.expected)


def test_a_back_end_that_signs_something_else(number_after, pki):
    honest = pki.key("segel")

    class Confused:
        capabilities = honest.capabilities
        certificate_der = honest.certificate_der
        certificate_sha256 = honest.certificate_sha256
        chain_der = honest.chain_der
        digest = honest.digest

        def sign_attributes(self, attributes):
            return honest.sign_attributes(attributes + b"?")

    pdf = fill_and_seal(number_after.head, VALUES, Confused(), number_after.flow.seal_spec).pdf
    assert refused(pdf, number_after.expected) == "proof_signature"


def test_a_file_that_is_none():
    from signing import Expectation

    expected = Expectation(preview=b"%PDF-1.7", signatures=(ExpectedSignature(HEAD, "00"),))
    assert refused(b"%PDF-1.7 nothing", expected) == "proof_unreadable"


def test_another_qr_is_drawn_where_the_last_one_should_be(number_after, pki):
    spec = dataclasses.replace(number_after.flow.seal_spec, appearance=QrCode(URL.replace("0123", "9999")))
    pdf = fill_and_seal(number_after.head, VALUES, pki.key("segel"), spec).pdf
    assert refused(pdf, number_after.expected) == "proof_qr"


def drawn_as(modules, run, pki, monkeypatch) -> bytes:
    """The issued permit again, with these modules in its code."""
    with monkeypatch.context() as patch:
        patch.setattr(appearance, "qr_modules", lambda _url: modules)
        return sign(run.preview, pki.key("kepala"), run.flow.head_spec).pdf


@pytest.mark.parametrize("mask", range(8))
def test_the_same_address_under_any_mask_is_the_same_code(pki, monkeypatch, mask):
    run = issue("head_only", pki)
    prove(drawn_as(qr_modules(URL, mask), run, pki, monkeypatch), run.expected)
    other = qr_modules(URL.replace("0123", "3210"), mask)
    assert refused(drawn_as(other, run, pki, monkeypatch), run.expected) == "proof_qr"


def test_no_module_of_a_code_is_free(pki, monkeypatch):
    """Also those that name the mask; and a code that is too small to name one."""
    run, dice = issue("head_only", pki), random.Random(5)
    right = qr_modules(URL)
    anywhere = [(dice.randrange(len(right)), dice.randrange(len(right))) for _ in range(40)]
    for y, x in [(8, 2), (8, 3), (8, 4), *anywhere]:
        row = bytearray(right[y])
        row[x] ^= 1
        wrong = (*right[:y], bytes(row), *right[y + 1 :])
        assert refused(drawn_as(wrong, run, pki, monkeypatch), run.expected) == "proof_qr", (y, x)
    for size in (1, 8, 20):
        assert refused(drawn_as((b"\1" * size,) * size, run, pki, monkeypatch), run.expected) == "proof_qr"


def containers(pdf: bytes) -> slice:
    """Where the last signature's container lies, in hex."""
    start = pdf.rfind(b"/Contents <") + len(b"/Contents <")
    return slice(start, pdf.index(b">", start))


@pytest.mark.parametrize("name", ["head_only", "number_after"])
def test_a_proven_signature_is_no_pass_for_the_next(pki, name):
    """The proof remembers a signer's container; neither another digest, value or byte of it slips through."""
    run = issue(name, pki)
    prove(run.final, run.expected)
    hole, dice = containers(run.final), random.Random(11)
    other = sign(prepared(run.flow.fields, holder="Orang Lain"), pki.key("kepala"), run.flow.head_spec).pdf
    if name == "number_after":
        other = fill_and_seal(other, run.flow.values, pki.key("segel"), run.flow.seal_spec).pdf
    forged = run.final[: hole.start] + other[containers(other)] + run.final[hole.stop :]
    refused(forged, run.expected)
    used = len(run.final[hole].rstrip(b"0"))
    for place in dice.sample(range(used), 300):
        forged = bytearray(run.final)
        forged[hole.start + place] = ord(
            "0123456789ABCDEF"[(int(chr(forged[hole.start + place]), 16) + dice.randrange(1, 16)) % 16]
        )
        refused(bytes(forged), run.expected)
