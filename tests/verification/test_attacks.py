"""Forged permits: the attack corpus on the real issued files of each flow. None is ever good, none raises."""

from __future__ import annotations

import dataclasses
import io
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.development import certificates
from service.settings import PROJECT
from service.steps.paper import filled_after as values
from service.verification import Verdict, verify_file
from service.verification.command import EXIT
from signing import Frame, Pkcs12Backend, QrCode, SignatureSpec, fill_and_seal, open_pkcs12, sign
from tests.signing.attacks import CORPUS, field
from tests.signing.world import writer, written
from tests.verification.conftest import OFFICES

GOOD = {Verdict.IDENTICAL, Verdict.AUTHENTIC, Verdict.SUPERSEDED}
NEEDS_SEAL = {
    "seal_stripped",
    "sealed_by_another",
    "sealed_by_impostor",
    "all_by_impostor",
    "filled_outside_the_lock",
    "extra_field_and_signature",
}
NEEDS_FIELDS = {"isa_number_changed", "number_filled_without_seal", "shadow_font"}


@dataclass(frozen=True)
class Flow:
    head_spec: SignatureSpec
    seal_spec: SignatureSpec
    values: dict[str, str]


@dataclass(frozen=True)
class Expected:
    signatures: tuple[Any, ...]


@dataclass(frozen=True)
class Run:
    """One real permit, as the corpus wants it."""

    preview: bytes
    head: bytes
    final: bytes
    flow: Flow
    expected: Expected


@dataclass(frozen=True)
class Keys:
    """Keys of one office out of a folder; `orang-lain` is another office's seal, of the same CA."""

    folder: Any
    office: str
    people = {"kudus": "plt_kadis"}

    def key(self, who: str) -> Pkcs12Backend:
        other = "kudus" if self.office != "kudus" else "malang"
        name = {
            "kepala": f"{self.office}.{self.people.get(self.office, 'kadis')}",
            "segel": f"{self.office}.segel",
            "orang-lain": f"{other}.segel",
        }[who]
        return open_pkcs12(self.folder / f"{name}.p12", (self.folder / "passphrase").read_bytes().strip())


@pytest.fixture(scope="session")
def impostors(tmp_path_factory):
    """Another CA, every name the same."""
    folder = tmp_path_factory.mktemp("impostor")
    certificates(PROJECT / "templates", folder, key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
    return folder


def run_of(world, office: str) -> Run:
    permit = world[office]
    bundle = world.teken.pins.open(permit.pin)
    sealed, url = bundle.permit_type.procedure.sealed, QrCode(permit.verify_url)
    head = SignatureSpec("ttd_kepala", "Izin", "Sini", True, 2 if sealed else 1, Frame() if sealed else url)
    seal = SignatureSpec("segel", "Izin", "Sini", permission=1, appearance=url)
    expected = Expected((type("One", (), {"field": "segel" if sealed else "ttd_kepala"}),))
    return Run(
        world.pdf(office, "ordered"),
        world.pdf(office, "head"),
        world.pdf(office),
        Flow(head, seal, values(permit, bundle)),
        expected,
    )


def _applies(name: str, office: str) -> bool:
    sealed, fields = office != "rokan-hilir", office in {"malang", "kudus"}
    return (sealed or name not in NEEDS_SEAL) and (fields or name not in NEEDS_FIELDS)


CASES = [(name, office) for name in CORPUS for office in OFFICES if _applies(name, office)]


@pytest.mark.parametrize(("name", "office"), CASES)
def test_the_corpus(world, keys, impostors, in_process, name, office):
    forged = CORPUS[name](run_of(world, office), pki=Keys(keys, office), impostor=Keys(impostors, office))
    assert forged != world.pdf(office)
    answer = verify_file(world.teken, forged)
    assert answer.verdict not in GOOD, answer
    assert EXIT[answer.verdict] in {1, 2}
    if name == "all_by_impostor":
        assert answer.verdict is Verdict.FOREIGN
    if name in {"seal_stripped", "number_filled_without_seal", "isa_page_text", "garbage_after_eof"}:
        assert answer.verdict is Verdict.ALTERED
        assert answer.number == world[office].number  # what it was made from, by the register


def annotated(run: Run, keys: Keys) -> bytes:
    return CORPUS["isa_annotation"](run)


def appended_other_permit(run: Run, keys: Keys) -> bytes:
    return run.final + run.preview


def date_filled_again(run: Run, keys: Keys) -> bytes:
    """A field of the office's own, after the seal."""
    from pyhanko.pdf_utils import generic

    update = writer(run.final)
    reference = field(update, "berlaku_sampai")
    reference.get_object()["/V"] = generic.TextStringObject("31 Desember 2099")
    update.mark_update(reference)
    return written(update)


def filled_and_sealed_twice(run: Run, keys: Keys) -> bytes:
    return sign(run.final, keys.key("orang-lain"), SignatureSpec("lagi", "", "", appearance=Frame())).pdf


def seal_by_the_head(run: Run, keys: Keys) -> bytes:
    return fill_and_seal(run.head, run.flow.values, keys.key("kepala"), run.flow.seal_spec).pdf


def head_by_the_seal(run: Run, keys: Keys) -> bytes:
    head = sign(run.preview, keys.key("segel"), run.flow.head_spec).pdf
    return fill_and_seal(head, run.flow.values, keys.key("segel"), run.flow.seal_spec).pdf


def only_the_seal(run: Run, keys: Keys) -> bytes:
    return sign(run.preview, keys.key("segel"), run.flow.seal_spec).pdf


def head_that_permits_more(run: Run, keys: Keys) -> bytes:
    """The head's own key, but the certification leaves the document open: not as we issue it."""
    return sign(run.preview, keys.key("kepala"), dataclasses.replace(run.flow.head_spec, permission=2)).pdf


def test_a_head_that_permits_more_than_we_issue(world, keys, in_process):
    run = run_of(world, "rokan-hilir")
    genuine = sign(run.preview, Keys(keys, "rokan-hilir").key("kepala"), run.flow.head_spec).pdf
    answer = verify_file(world.teken, head_that_permits_more(run, Keys(keys, "rokan-hilir")))
    assert answer.verdict is Verdict.ALTERED
    assert "unexpected_signatures" in answer.reasons
    assert "unexpected_signatures" not in verify_file(world.teken, genuine).reasons


MORE = [date_filled_again, seal_by_the_head, head_by_the_seal, only_the_seal]


@pytest.mark.parametrize("office", ["malang", "kudus"])
@pytest.mark.parametrize("attack", MORE, ids=lambda attack: attack.__name__)
def test_what_the_number_after_flow_invites(world, keys, in_process, office, attack):
    answer = verify_file(world.teken, attack(run_of(world, office), Keys(keys, office)))
    assert answer.verdict in {Verdict.ALTERED, Verdict.UNDETERMINED}, answer


@pytest.mark.parametrize("office", list(OFFICES))
def test_two_permits_in_one_file(world, in_process, office):
    assert verify_file(world.teken, appended_other_permit(run_of(world, office), None)).verdict not in GOOD


def test_another_office_cannot_seal_our_permit(world, keys, in_process):
    """Kudus's real seal on Malang's signed page: both keys are ours, but not together."""
    run = run_of(world, "malang")
    forged = fill_and_seal(run.head, run.flow.values, Keys(keys, "malang").key("orang-lain"), run.flow.seal_spec).pdf
    answer = verify_file(world.teken, forged)
    assert answer.verdict is Verdict.ALTERED
    assert "other_signer" in answer.reasons


@pytest.mark.parametrize("office", list(OFFICES))
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_truncated(world, in_process, office, part):
    pdf = world.pdf(office)
    answer = verify_file(world.teken, pdf[: int(len(pdf) * part)])
    assert answer.verdict not in GOOD


@pytest.mark.parametrize("office", list(OFFICES))
@settings(
    max_examples=12,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), count=st.integers(1, 3))
def test_no_flipped_bit_goes_unnoticed(world, in_process, office, place, bit, count):
    pdf = bytearray(world.pdf(office))
    for step in range(count):
        pdf[(int(place * len(pdf)) + step * 4099) % len(pdf)] ^= 1 << bit
    answer = verify_file(world.teken, bytes(pdf))
    assert answer.verdict not in GOOD, (place, bit, answer)


def test_the_padding_of_a_signature_is_no_hiding_place(world, in_process):
    """No signature covers the zeros behind a CMS: the register still knows that these bytes were never released."""
    import re

    pdf = world.pdf("malang")
    last = list(re.finditer(rb"/Contents <[0-9A-Fa-f]+>", pdf))[-1]
    forged = bytearray(pdf)
    forged[last.end() - 3] = ord("1")
    answer = verify_file(world.teken, bytes(forged))
    assert answer.verdict not in GOOD, answer


def test_weak_algorithms_decide_nothing(world, keys, in_process):
    from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner

    signer = SimpleSigner.load_pkcs12(keys / "malang.kadis.p12", passphrase=(keys / "passphrase").read_bytes().strip())
    meta = PdfSignatureMetadata(field_name="ttd_kepala", md_algorithm="sha1")
    weak = PdfSigner(meta, signer).sign_pdf(writer(world.pdf("malang", "ordered"))).getvalue()
    answer = verify_file(world.teken, weak)
    assert (answer.verdict, answer.reasons) == (Verdict.UNDETERMINED, ("weak_algorithm",))


def _pdf(objects: list[bytes]) -> bytes:
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, content in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n" % number + content + b"\nendobj\n")
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % place for place in places)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()


def page_tree_in_a_ring() -> bytes:
    return _pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 9999999 /Kids [2 0 R 2 0 R] >>"])


def deep_arrays() -> bytes:
    return _pdf([b"<< /Type /Catalog /Pages 2 0 R /X " + b"[" * 100_000 + b"]" * 100_000 + b" >>", b"<< /Kids [] >>"])


def many_fields() -> bytes:
    fields = b" ".join(b"<< /T (f%d) /FT /Sig >>" % number for number in range(20_000))
    form = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [" + fields + b"] >> >>"
    return _pdf([form, b"<< /Type /Pages /Count 0 /Kids [] >>"])


def fields_in_a_ring() -> bytes:
    form = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [3 0 R] >> >>"
    return _pdf([form, b"<< /Type /Pages /Count 0 /Kids [] >>", b"<< /T (a) /FT /Sig /Kids [3 0 R] >>"])


def stream_bomb() -> bytes:
    """A gigabyte of zeros, thrice compressed, as the page tree's own object stream."""
    data = bytes(50_000_000)
    for _ in range(3):
        data = zlib.compress(data, 9)
    stream = (
        b"<< /Type /XRef /Size 9 /W [1 4 2] /Root 1 0 R /Filter [/FlateDecode /FlateDecode /FlateDecode] /Length %d >>"
    )
    body = stream % len(data) + b"\nstream\n" + data + b"\nendstream"
    start = len(b"%PDF-1.7\n")
    return b"%PDF-1.7\n1 0 obj\n" + body + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % start


def revisions_without_end() -> bytes:
    return b"%PDF-1.7\n" + b"%%EOF\n" * 500_000


BOMBS = [page_tree_in_a_ring, deep_arrays, many_fields, fields_in_a_ring, stream_bomb, revisions_without_end]


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
def test_bombs_end_in_the_child_process(world, bomb):
    answer = verify_file(world.teken, bomb())
    assert answer.verdict in {Verdict.UNDETERMINED, Verdict.UNSIGNED}, answer


def test_a_bomb_on_top_of_a_real_permit(world):
    answer = verify_file(world.teken, world.pdf("malang") + deep_arrays())
    assert answer.verdict not in GOOD
