"""B-LT, B-LTA and renewal over the three flows, RSA and ECDSA: append-only, sound for every judge, honest about the level."""

from __future__ import annotations

import dataclasses
import functools
import io
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pikepdf
import pytest

from signing import (
    Evidence,
    EvidenceFailed,
    ExpectedExtension,
    OnlineRevocation,
    SigningFailed,
    TimestampFailed,
    Trust,
    due_for_renewal,
    extend_lt,
    extend_lta,
    fill_and_seal,
    gather,
    inspect,
    prove_extension,
    renew,
    sign,
)
from signing.holdings import holdings
from tests.signing.authorities import BEGIN, YEAR, Authorities, Holder, Stamper
from tests.signing.test_flows import assert_tagged
from tests.signing.world import FLOWS, NUMBER, URL, prepared, read_qr

KINDS = ("rsa2048", "p256")
BOTH = [(kind, name) for kind in KINDS for name in FLOWS]


@dataclasses.dataclass(frozen=True)
class Long:
    """One document from its preview to its renewal."""

    world: Authorities
    preview: bytes
    signed: bytes
    lt: bytes
    lta: bytes
    renewed: bytes
    evidence: Evidence

    @property
    def trust(self) -> Trust:
        return Trust((self.world.root.der,), (self.world.issuing.der,), at=BEGIN)

    @property
    def anchors(self) -> tuple[bytes, ...]:
        return (self.world.root.der,)


@functools.cache
def pki(kind: str) -> Authorities:
    return Authorities(kind=kind)


def source(world: Authorities, at: datetime = BEGIN) -> OnlineRevocation:
    return OnlineRevocation(given=Evidence(crls_der=world.crls(at)))


def stamper(world: Authorities, at: datetime = BEGIN) -> Stamper:
    return Stamper(_tsa(world), lambda: at)


def _tsa(world: Authorities) -> Holder:
    if "TSA" not in world.people:
        world.people["TSA"] = world.tsa("TSA")
    return world.people["TSA"]


def signed(world: Authorities, name: str, *, stamped: bool = True) -> tuple[bytes, bytes]:
    flow, clock = FLOWS[name], stamper(world) if stamped else None
    preview = prepared(flow.fields)
    pdf = sign(preview, world.signer("Kepala").backend, flow.head_spec, timestamper=clock, at=BEGIN).pdf
    if flow.sealed:
        pdf = fill_and_seal(
            pdf, flow.values, world.signer("Segel").backend, flow.seal_spec, timestamper=clock, at=BEGIN
        ).pdf
    return preview, pdf


@functools.cache
def long(kind: str, name: str) -> Long:
    world = pki(kind)
    preview, pdf = signed(world, name)
    evidence = gather(pdf, world.trust, source(world), BEGIN, timestamper=stamper(world))
    lt = extend_lt(pdf, evidence).pdf
    lta = extend_lta(lt, stamper(world), evidence).pdf
    later = BEGIN + YEAR
    renewed = renew(lta, stamper(world, later), gather(lta, world.trust, source(world, later), later)).pdf
    return Long(world, preview, pdf, lt, lta, renewed, evidence)


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_every_version_begins_with_the_one_before_and_says_its_level(kind, name):
    run = long(kind, name)
    versions = (run.preview, run.signed, run.lt, run.lta, run.renewed)
    assert all(after.startswith(before) and len(after) > len(before) for before, after in pairwise(versions))
    assert [holdings(pdf).level for pdf in versions[1:]] == ["B-T", "B-LT", "B-LTA", "B-LTA"]


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_all_signatures_stay_sound_and_trusted_for_the_full_inspector(kind, name):
    run = long(kind, name)
    for pdf, stamps in ((run.lt, 0), (run.lta, 1), (run.renewed, 2)):
        found = inspect(pdf, dataclasses.replace(run.trust, at=BEGIN + YEAR if stamps == 2 else BEGIN))
        assert found.outcome == "inspected"
        assert all(one.sound and one.trusted for one in found.signatures)
        assert [one.field for one in found.signatures if one.kind == "timestamp"] == ["arsip_1", "arsip_2"][:stamps]
        assert (found.has_dss, found.tail) == (True, "nothing" if stamps else "updates")
        assert found.signatures[-1 - stamps].modification == "lta"
        assert found.covers_whole_file == bool(stamps)


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_our_own_proof_agrees(kind, name):
    run = long(kind, name)
    store = ExpectedExtension((), "B-LT", run.evidence, run.anchors)
    assert prove_extension(run.lt, run.signed, store).level == "B-LT"
    stamp = ExpectedExtension(("arsip_1",), "B-LTA", Evidence(), run.anchors)
    assert prove_extension(run.lta, run.lt, stamp).stamped_at == (BEGIN,)
    everything = ExpectedExtension(("arsip_1", "arsip_2"), "B-LTA", None, run.anchors)
    assert prove_extension(run.renewed, run.signed, everything).stamped_at == (BEGIN, BEGIN + YEAR)


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_poppler_says_valid(kind, name, tmp_path):
    path = tmp_path / "renewed.pdf"
    path.write_bytes(long(kind, name).renewed)
    said = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False).stdout
    assert said.count("Signature is Valid.") == (2 if FLOWS[name].sealed else 1)


@pytest.mark.parametrize("name", list(FLOWS))
def test_structure_metadata_and_looks_stay(name):
    """What PDF/A-3a and PDF/UA-1 rest on, and what is seen: archiving touches neither."""
    run = long("p256", name)
    with pikepdf.open(io.BytesIO(run.preview)) as before, pikepdf.open(io.BytesIO(run.renewed)) as after:
        assert after.Root.Metadata.read_bytes() == before.Root.Metadata.read_bytes()
        assert list(after.attachments) == list(before.attachments)
        assert "/Version" not in after.Root
        stamps = [widget for widget in after.Root.AcroForm.Fields if str(widget.T).startswith("arsip_")]
        for widget in stamps:
            assert [int(number) for number in widget.Rect] == [-9999] * 4
            assert int(widget.F) & 0b10 == 0, "hidden ends PDF/A (ISO 19005-3, 6.3.2)"
            assert int(widget.F) & 0b100
            assert str(widget.TU) == "Stempel waktu arsip"
        for widget in after.Root.AcroForm.Fields:
            if not str(widget.T).startswith("arsip_"):
                assert_tagged(after, widget)
    assert read_qr(run.renewed) == [URL]
    if shutil.which("pdftotext"):
        command = ["pdftotext", "-", "-"]
        text = subprocess.run(command, input=run.renewed, capture_output=True, check=True).stdout.decode()
        assert NUMBER in text


def test_evidence_is_one_time_work_of_a_batch():
    """The second document of a batch adds no revocation answer that the first did not have."""
    world = pki("p256")
    asked = source(world)
    one, other = (gather(signed(world, name)[1], world.trust, asked, BEGIN) for name in ("head_only", "head_seal"))
    assert set(one.crls_der) == set(other.crls_der)
    assert len(one.crls_der) == 2


def test_without_evidence_no_level_is_claimed():
    world = pki("p256")
    pdf = signed(world, "head_seal")[1]
    whole = gather(pdf, world.trust, source(world), BEGIN)
    for less in (Evidence(), dataclasses.replace(whole, crls_der=whole.crls_der[:1])):
        with pytest.raises(SigningFailed, match="evidence_missing"):
            extend_lt(pdf, less)
        with pytest.raises(SigningFailed, match="evidence_missing"):
            extend_lta(pdf, stamper(world), less)


def test_b_lt_rests_on_time_stamps():
    """A signature without one can't be raised to B-LT; a document time-stamp makes it B-LTA."""
    world = pki("p256")
    pdf = signed(world, "head_seal", stamped=False)[1]
    evidence = gather(pdf, world.trust, source(world), BEGIN)
    with pytest.raises(SigningFailed, match="timestamp_missing"):
        extend_lt(pdf, evidence)
    with pytest.raises(SigningFailed, match="timestamp_missing"):
        renew(pdf, stamper(world), evidence)
    raised = extend_lta(pdf, stamper(world), evidence)
    assert (raised.level, holdings(raised.pdf).level) == ("B-LTA", "B-LTA")


def test_an_authority_that_is_away_leaves_the_version_before():
    class Away:
        def token(self, digest, algorithm):
            raise TimestampFailed("tsa_unreachable")

    run = long("p256", "head_only")
    with pytest.raises(TimestampFailed, match="tsa_unreachable"):
        extend_lta(run.lt, Away(), run.evidence)


def test_a_signer_who_was_revoked_later_is_no_obstacle_one_who_was_revoked_before_is():
    world = Authorities()
    preview, pdf = signed(world, "head_only")
    head = world.signer("Kepala")
    pdf = sign(preview, head.backend, FLOWS["head_only"].head_spec, timestamper=stamper(world), at=BEGIN).pdf
    later = BEGIN + timedelta(days=30)
    world.revoke(head, BEGIN + timedelta(days=10))
    evidence = gather(pdf, world.trust, source(world, later), later)
    lt = extend_lt(pdf, evidence).pdf
    expected = ExpectedExtension((), "B-LT", evidence, (world.root.der,))
    assert prove_extension(lt, pdf, expected).level == "B-LT"
    world.revoke(head, BEGIN - timedelta(days=1))
    with pytest.raises(EvidenceFailed, match="certificate_revoked"):
        gather(pdf, world.trust, source(world, later), later)


def test_due_for_renewal_goes_by_the_newest_time_stamp():
    margin = timedelta(days=180)
    run = long("p256", "head_seal")
    ends = _tsa(run.world).certificate.not_valid_after_utc
    before, after = ends - margin - timedelta(days=1), ends - margin
    for pdf in (run.signed, run.lt, run.lta, run.renewed):
        said = due_for_renewal(pdf, before, margin)
        assert (said.until, said.ends, said.due) == (ends, "certificate", False)
        assert due_for_renewal(pdf, after, margin).due


def test_due_for_renewal_before_the_algorithm_ends():
    world = Authorities()
    weak = Stamper(world.tsa("TSA lemah", years=15, kind="rsa2048"), lambda: BEGIN)
    pdf = sign(
        prepared(FLOWS["head_only"].fields),
        world.signer("Kepala").backend,
        FLOWS["head_only"].head_spec,
        timestamper=weak,
        at=BEGIN,
    ).pdf
    said = due_for_renewal(pdf, BEGIN, timedelta(days=90))
    assert (said.until, said.ends) == (datetime(2031, 1, 1, tzinfo=UTC), "algorithm")


def test_without_any_time_stamp_the_signers_certificate_is_the_end():
    world = pki("p256")
    said = due_for_renewal(signed(world, "head_seal", stamped=False)[1], BEGIN, timedelta(days=90))
    assert said.ends == "signature"
    assert said.until < BEGIN + 3 * YEAR + timedelta(days=1)


def test_a_file_that_is_none():
    for act in (lambda: extend_lt(b"%PDF-1.7 nothing", Evidence()), lambda: due_for_renewal(b"", BEGIN, timedelta())):
        with pytest.raises(SigningFailed, match="extension_failed"):
            act()
