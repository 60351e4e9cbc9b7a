"""Every attack leaves a trace in the facts, for every flow that it applies to; and none passes our proof."""

from __future__ import annotations

import dataclasses

import pytest

from signing import Inspection, ProofFailed, inspect, prove
from tests.signing.attacks import CORPUS
from tests.signing.world import HEAD, SEAL, issue

# what each attack must show at least: the reason why a careful reader would refuse
TRACE = {
    "isa_page_text": "seal unsound",
    "isa_annotation": "seal unsound",
    "isa_number_changed": "seal unsound",
    "isa_new_signature_field": "empty field",
    "garbage_after_eof": "unaccounted tail",
    "loose_object_after_eof": "unaccounted tail",
    "second_startxref": "unaccounted tail",
    "junk_before_header": "undetermined",
    "swa_moved_tail": "seal unsound",
    "swa_hole_widened": "seal unsound",
    "usf_contents_zeros": "undetermined",
    "shadow_hide_and_replace": "seal unsound",
    "shadow_font": "seal unsound",
    "shadow_seal_look": "seal unsound",
    "seal_stripped": "seal missing",
    "number_filled_without_seal": "seal missing",
    "sealed_by_another": "other certificate",
    "sealed_by_impostor": "other certificate",
    "all_by_impostor": "untrusted head",
    "filled_outside_the_lock": "head unsound",
    "extra_field_and_signature": "head unsound",
    "stranger_in_archive_field": "seal unsound",
    "text_in_archive_field": "seal unsound",
    "rewritten": "seal unsound",
    "usf_range_null": "undetermined",
    "usf_range_empty": "undetermined",
    "usf_range_negative": "seal unsound",
    "usf_range_short": "seal unsound",
    "usf_range_nothing_covered": "seal unsound",
    "usf_range_missing": "undetermined",
    "usf_contents_empty": "undetermined",
    "usf_contents_null": "undetermined",
    "usf_contents_missing": "undetermined",
}


ARCHIVING = ("stranger_in_archive_field", "text_in_archive_field")
"""These use the names that the locks leave out."""


def traces(found: Inspection, seal_certificate: str) -> set[str]:
    if found.outcome == "undetermined":
        return {"undetermined"}
    head, seal = found.by_field(HEAD), found.by_field(SEAL)
    return {
        trace
        for trace, shown in {
            "head unsound": head is None or not head.sound,
            "untrusted head": head is not None and not head.trusted,
            "seal missing": seal is None,
            "seal unsound": seal is not None and not seal.sound,
            "other certificate": seal is not None and seal.certificate_sha256 != seal_certificate,
            "empty field": bool(found.empty_signature_fields),
            "unaccounted tail": found.tail == "unaccounted" and not found.covers_whole_file,
        }.items()
        if shown
    }


def test_a_genuine_document_leaves_no_trace(number_after, pki):
    assert traces(inspect(number_after.final, pki.trust), pki.key("segel").certificate_sha256) == set()


@pytest.mark.parametrize("name", list(CORPUS))
def test_attack_shows(name, number_after, pki, impostor):
    forged = CORPUS[name](number_after, pki=pki, impostor=impostor)
    assert forged != number_after.final
    assert TRACE[name] in traces(inspect(forged, pki.trust), pki.key("segel").certificate_sha256)


@pytest.mark.parametrize("name", list(CORPUS))
def test_attack_never_passes_our_proof(name, number_after, pki, impostor):
    forged = CORPUS[name](number_after, pki=pki, impostor=impostor)
    with pytest.raises(ProofFailed):
        prove(forged, number_after.expected)


@pytest.mark.parametrize(
    "name", ["isa_page_text", "garbage_after_eof", "swa_moved_tail", "sealed_by_impostor", *ARCHIVING]
)
def test_attack_shows_in_the_sealed_flow_too(name, pki, impostor):
    run = issue("head_seal", pki)
    forged = CORPUS[name](run, pki=pki, impostor=impostor)
    assert TRACE[name] in traces(inspect(forged, pki.trust), pki.key("segel").certificate_sha256)


@pytest.mark.parametrize("name", ["isa_page_text", "isa_annotation", "extra_field_and_signature", *ARCHIVING])
def test_a_head_that_nothing_follows_permits_nothing(name, pki, impostor):
    """Certified with P=1, without a lock."""
    run = issue("head_only", pki)
    run = dataclasses.replace(run, head=run.final)
    forged = CORPUS[name](run, pki=pki, impostor=impostor)
    assert not inspect(forged, pki.trust).by_field(HEAD).sound
    with pytest.raises(ProofFailed):
        prove(forged, run.expected)


def test_an_impostor_with_our_names_is_intact_but_not_trusted(number_after, pki, impostor):
    """The facts of a foreign document: sound, permitted changes only, other certificates, no chain to our anchor."""
    found = inspect(CORPUS["all_by_impostor"](number_after, pki=pki, impostor=impostor), pki.trust)
    assert all(one.sound and not one.trusted and one.trust_problem for one in found.signatures)
    assert found.covers_whole_file
    ours = inspect(number_after.final, pki.trust)
    assert [one.signer_cn for one in found.signatures] == [one.signer_cn for one in ours.signatures]


def test_an_unsigned_document_says_so(number_after, pki):
    found = inspect(number_after.preview, pki.trust)
    assert found.outcome == "inspected"
    assert not found.signed
    assert set(found.empty_signature_fields) == {HEAD, SEAL}


def test_weak_algorithms_are_named(pki, number_after):
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter  # noqa: F401
    from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner

    from tests.signing.world import writer

    secret = (pki.folder / "passphrase").read_bytes().strip()
    signer = SimpleSigner.load_pkcs12(pki.folder / "kepala.p12", passphrase=secret)
    meta = PdfSignatureMetadata(field_name=HEAD, md_algorithm="sha1")
    weak = PdfSigner(meta, signer).sign_pdf(writer(number_after.preview)).getvalue()
    found = inspect(weak, pki.trust)
    assert found.signatures[0].weak == ("sha1",)
    assert not found.signatures[0].sound


def test_a_revoked_certificate_is_not_trusted(number_after, pki):
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    issuer = x509.load_pem_x509_certificate((pki.folder / "issuing.pem").read_bytes())
    key = load_pem_private_key((pki.folder / "issuing.key.pem").read_bytes(), None)
    now = datetime.now(UTC)
    victim = x509.load_der_x509_certificate(pki.key("kepala").certificate_der)
    revoked = x509.RevokedCertificateBuilder().serial_number(victim.serial_number).revocation_date(now).build()
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now - timedelta(minutes=1))
        .next_update(now + timedelta(days=1))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_revoked_certificate(revoked)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    found = inspect(number_after.final, dataclasses.replace(pki.trust, crls_der=(crl,)))
    assert found.by_field(HEAD).sound
    assert not found.by_field(HEAD).trusted
    assert found.by_field(HEAD).trust_problem.startswith("revoked")
    assert found.by_field(SEAL).trusted
