"""What a service may give back, and everything that it may not: smuggled content lies *before* its own signature."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pikepdf
import pytest
from asn1crypto import x509
from pikepdf import Array, Dictionary, Name, String
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.sign.validation.dss import DocumentSecurityStore

from signing import Frame, Look, ProofFailed, QrCode, Trust, accept_returned, prepare_fields, sign
from signing.backends.picture import picture
from signing.outside import OutsideSpec, Picture, rewritten, sign_outside
from tests.signing.attacks import field
from tests.signing.simulated import LOOK, without_field
from tests.signing.world import FLOWS, HEAD, NUMBER, SEAL, URL, font, prepared, typeset, writer, written


@pytest.fixture(scope="module")
def key(pki):
    return pki.key("kepala")


@pytest.fixture(scope="module")
def sent():
    return without_field()


@pytest.fixture
def judge(pki, key, sent):
    """Accept with the given differences from the ordinary; answers the error's code or the acceptance."""

    def accept(returned, *, policy="own_field", **given):
        ordinary = {"field": HEAD, "certificate_sha256": key.certificate_sha256, "trust": pki.trust, "look": LOOK}
        try:
            return accept_returned(given.pop("sent", sent), returned, policy=policy, **{**ordinary, **given})
        except ProofFailed as refused:
            return refused.code

    return accept


def signed(pdf, key, *, name="sig_1", look=LOOK, **given):
    shown = Picture(picture(look), look.page, look.box) if look else None
    return sign_outside(pdf, key, OutsideSpec(name, shown, **given))


def changed(pdf, change):
    """A file written anew with a change."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        change(document)
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()


def test_the_good_one(judge, sent, key):
    accepted = judge(signed(sent, key))
    assert (accepted.proof_strength, accepted.notes, accepted.signature.field) == ("bytes", ("own_field",), "sig_1")
    assert accepted.pdf.startswith(sent)


def test_what_is_no_signed_file_of_ours(judge, sent, key):
    assert judge(sent) == "returned_signature"
    assert judge(b"") == "returned_prefix"
    assert judge(sent + b"junk") == "returned_signature"
    assert judge(b"%PDF-1.7\n", policy="rewritten") == "returned_unreadable"
    assert judge(signed(without_field("Orang Lain"), key)) == "returned_prefix"
    assert judge(signed(without_field("Orang Lain"), key), policy="rewritten") == "returned_content"
    assert judge(signed(sent, key) + bytes(40 << 20)) == "returned_unreadable"


def test_garbage_behind_the_signature(judge, sent, key):
    assert judge(signed(sent, key) + b"\n% Berlaku selamanya\n") == "returned_coverage"


def test_two_signatures_are_one_too_many(judge, sent, key):
    twice = signed(signed(sent, key), key, name="sig_2", look=None)
    assert judge(twice) == "returned_signature"


def test_another_person_and_another_ca(judge, sent, key, pki, impostor):
    assert judge(signed(sent, pki.key("orang-lain"))) == "returned_certificate"
    assert judge(signed(sent, impostor.key("kepala"))) == "returned_signature"  # the same names, another root
    assert judge(signed(sent, key), trust=Trust((impostor.anchor,))) == "returned_signature"


def test_a_broken_signature(judge, sent, key):
    genuine = signed(sent, key)
    at = genuine.index(b"endstream", len(sent)) - 4
    forged = genuine[:at] + bytes([genuine[at] ^ 1]) + genuine[at + 1 :]
    assert judge(forged) == "returned_signature"


# smuggled in before signing: the signature vouches for it, our comparison doesn't


def smuggled_page_text(pdf):
    update = writer(pdf)
    update.add_stream_to_page(0, update.add_object(generic.StreamObject(stream_data=b"1 0 0 rg 50 50 90 90 re f")))
    return written(update)


def smuggled_annotation(pdf):
    update = writer(pdf)
    page = update.prev.root["/Pages"]["/Kids"].raw_get(0)
    box = generic.ArrayObject(map(generic.NumberObject, (10, 10, 200, 200)))
    note = {"/Type": pdf_name("/Annot"), "/Subtype": pdf_name("/FreeText"), "/Rect": box}
    note = generic.DictionaryObject({pdf_name(name): value for name, value in note.items()})
    page.get_object()["/Annots"] = generic.ArrayObject([update.add_object(note)])
    update.mark_update(page)
    return written(update)


def smuggled_metadata_action(pdf):
    update = writer(pdf)
    action = {"/S": pdf_name("/JavaScript"), "/JS": generic.TextStringObject("app.alert(1)")}
    update.root["/OpenAction"] = generic.DictionaryObject({pdf_name(name): value for name, value in action.items()})
    update.update_root()
    return written(update)


@pytest.mark.parametrize("smuggle", [smuggled_page_text, smuggled_annotation, smuggled_metadata_action])
@pytest.mark.parametrize("policy", ["strict", "own_field", "rewritten"])
def test_smuggled_into_the_signed_revision(judge, sent, key, smuggle, policy):
    assert judge(signed(smuggle(sent), key), policy=policy, field="sig_1") == "returned_changes"


@pytest.fixture(scope="module")
def with_values():
    return prepared(FLOWS["number_after"].fields)


def test_a_field_of_ours_that_the_service_fills(judge, key, with_values):
    update = writer(with_values)
    reference = field(update, "nomor_register")
    reference.get_object()["/V"] = generic.TextStringObject(NUMBER)
    update.mark_update(reference)
    assert judge(signed(written(update), key, name=HEAD, look=None), sent=with_values, look=None) == "returned_field"


def test_a_field_whose_look_alone_is_filled(judge, key, with_values):
    update = writer(with_values)
    look = field(update, "nomor_register").get_object()["/AP"].raw_get("/N")
    stream = look.get_object()
    stream._data, stream._encoded_data = b"0 0 50 9 re f", None
    update.mark_update(look)
    assert judge(signed(written(update), key, name=HEAD, look=None), sent=with_values, look=None) == "returned_content"


def test_the_box_shows_what_was_ordered_and_nothing_else_does(judge, sent, key):
    left, bottom, right, top = LOOK.box
    elsewhere = Look(1, (left - 40, bottom, right - 40, top), LOOK.appearance)
    larger = Look(1, (left, bottom, right + 60, top + 60), LOOK.appearance)
    other = Look(1, LOOK.box, QrCode(URL[:-1] + "Z"))
    framed = Look(1, LOOK.box, Frame())
    assert [judge(signed(sent, key, look=look)) for look in (elsewhere, larger, other, framed, None)] == [
        "returned_content"
    ] * 5
    assert judge(signed(sent, key), look=None) == "returned_content"
    assert judge(signed(sent, key, look=framed), look=framed).proof_strength == "bytes"


# earlier signatures


def box_of(pdf, name):
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return next(tuple(map(float, one.Rect)) for one in document.pages[0].Annots if one.get("/T") == name)


def test_an_earlier_signature_holds(judge, pki, key):
    flow = FLOWS["head_seal"]
    head = sign(prepared(flow.fields), pki.key("orang-lain"), flow.head_spec).pdf
    look = Look(1, tuple(map(round, box_of(head, SEAL))), QrCode(URL))
    given = {"sent": head, "field": SEAL, "look": look}
    accepted = judge(signed(head, key, name=SEAL, look=look), policy="strict", **given)
    assert (accepted.proof_strength, accepted.notes) == ("bytes", ())
    assert (
        judge(signed(head, key, name="sig_1", look=look), **given) == "returned_earlier"
    )  # a field behind certification
    anew = signed(rewritten(head), key, name=SEAL, look=look)
    assert judge(anew, policy="rewritten", **given) == "returned_earlier"


# written anew


def test_written_anew_with_the_same_content(judge, sent, key):
    accepted = judge(signed(rewritten(sent), key), policy="rewritten")
    assert (accepted.proof_strength, accepted.notes) == ("content", ("own_field", "rewritten"))


def _script(document):
    document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def _named_script(document):
    document.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([])))


def _layers(document):
    document.Root.OCProperties = Dictionary(OCGs=Array([]), D=Dictionary())


def _page_action(document):
    document.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.JavaScript, JS=String("1")))


def _form_script(document):
    document.Root.AcroForm.XFA = String("<xdp/>")


def _attachment(document):
    document.attachments["case.json"] = b"{}"


def _rotated(document):
    document.pages[0].Rotate = 90


def _one_page_more(document):
    document.add_blank_page(page_size=(595, 842))


def _drawn_over(document):
    document.pages[0].contents_add(b"q 0 g 50 50 30 3 re f Q")


def _link(document):
    link = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Link,
        Rect=[10, 10, 20, 20],
        Border=[0, 0, 0],
        A=Dictionary(S=Name.URI, URI=String("https://x.example")),
    )
    document.pages[0].obj.Annots = Array([document.make_indirect(link)])


@pytest.mark.parametrize(
    "change",
    [
        _script,
        _named_script,
        _layers,
        _page_action,
        _form_script,
        _attachment,
        _rotated,
        _one_page_more,
        _drawn_over,
        _link,
    ],
)
def test_written_anew_with_other_content(judge, sent, key, change):
    assert judge(signed(changed(sent, change), key), policy="rewritten") == "returned_content"


def test_a_letter_that_differs(judge, key):
    one, other = (prepare_fields(typeset((), holder), (), font=font()) for holder in ("Siti Aminah", "Siti Aminat"))
    assert judge(signed(other, key), sent=one, policy="rewritten") == "returned_content"


# time


def test_a_clock_that_is_off_is_noted(judge, sent, key):
    now = datetime.now(UTC)
    for apart, noted in ((timedelta(minutes=4), False), (timedelta(minutes=6), True), (-timedelta(minutes=6), True)):
        assert ("clock_off" in judge(signed(sent, key, at=now + apart), at=now).notes) == noted


def test_long_term_data_behind_the_signature_is_noted(judge, sent, key):
    output = io.BytesIO(signed(sent, key))
    DocumentSecurityStore.add_dss(output, sig_contents=None, certs=[x509.Certificate.load(key.chain_der[0])])
    assert judge(output.getvalue()).notes == ("archival_update", "own_field")
    forged = output.getvalue() + b"% more\n"
    assert judge(forged, policy="strict", field="sig_1") == "returned_coverage"
    assert judge(forged).notes == ("archival_update", "tail_unaccounted", "own_field")
