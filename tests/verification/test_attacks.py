"""Damaged files, bombs, and what exactly is said of the plainest attacks. The attacks themselves: test_attack_suite.py."""

from __future__ import annotations

import io
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.verification import Verdict, verify_file
from signing import sign
from tests.signing.world import writer
from tests.verification.attacks import ATTACKS
from tests.verification.conftest import OFFICES

GOOD = {Verdict.IDENTICAL, Verdict.AUTHENTIC, Verdict.SUPERSEDED}


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("all_by_impostor", Verdict.FOREIGN),
        ("seal_stripped", Verdict.ALTERED),
        ("isa_page_text", Verdict.ALTERED),
        ("garbage_after_eof", Verdict.ALTERED),
        ("number_filled_without_seal", Verdict.ALTERED),
    ],
)
def test_what_is_said_of_the_plainest(scene, in_process, name, verdict):
    answer = verify_file(scene.teken, ATTACKS[name].make(scene.runs["malang"]))
    assert answer.verdict is verdict
    if verdict is Verdict.ALTERED:
        assert answer.number == scene.permits["malang"].number  # what it was made from, by the register


def test_a_head_that_permits_more_than_we_issue(scene, in_process):
    run = scene.runs["rokan-hilir"]
    genuine = sign(run.preview, run.pki.key("kepala"), run.flow.head_spec).pdf
    answer = verify_file(scene.teken, ATTACKS["head_permits_more"].make(run))
    assert answer.verdict is Verdict.ALTERED
    assert "unexpected_signatures" in answer.reasons
    assert "unexpected_signatures" not in verify_file(scene.teken, genuine).reasons


@pytest.mark.parametrize("name", ["date_filled_again", "seal_by_the_head", "head_by_the_seal", "only_the_seal"])
def test_what_the_number_after_flow_invites(scene, in_process, name):
    answer = verify_file(scene.teken, ATTACKS[name].make(scene.runs["kudus"]))
    assert answer.verdict in {Verdict.ALTERED, Verdict.UNDETERMINED}, answer


def test_another_office_cannot_seal_our_permit(scene, in_process):
    """Kudus's real seal on Malang's signed page: both keys are ours, but not together."""
    answer = verify_file(scene.teken, ATTACKS["sealed_by_another"].make(scene.runs["malang"]))
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
