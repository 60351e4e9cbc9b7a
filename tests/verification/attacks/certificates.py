"""Certificates and algorithms: the right name with another key, the right key with another name, and what proves nothing any more."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from unittest import mock

from asn1crypto import algos, cms, keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing import Frame, SignatureSpec, fill_and_seal, sign
from tests.signing.world import writer
from tests.verification.attacks.effects import form
from tests.verification.attacks.genuine import Keys, Run
from tests.verification.attacks.registry import SEALED, attack
from tests.verification.attacks.tools import cms_of, with_cms, with_field

GROUP, WEAK = "other signers", "weak algorithms"


def _all_by(run: Run, held: Keys, *, head: str = "kepala", seal: str = "segel") -> bytes:
    signed = sign(run.preview, held.key(head), run.flow.head_spec).pdf
    return fill_and_seal(signed, run.flow.values, held.key(seal), run.flow.seal_spec).pdf if run.sealed else signed


@attack(GROUP)
def everything_by_an_impostor(run: Run) -> bytes:
    """The same document signed by another CA with all our names."""
    return _all_by(run, run.impostor)


@attack(GROUP, offices=SEALED)
def impostor_signs_and_we_seal(run: Run) -> bytes:
    """An impostor's head under our real seal."""
    head = sign(run.preview, run.impostor.key("kepala"), run.flow.head_spec).pdf
    return fill_and_seal(head, run.flow.values, run.pki.key("segel"), run.flow.seal_spec).pdf


@attack(GROUP)
def signed_by_another_offices_seal(run: Run) -> bytes:
    """Another office's seal where the head signs: our CA, a real key, the wrong one."""
    return _all_by(run, run.pki, head="orang-lain")


@attack(GROUP)
def signed_by_another_offices_head(run: Run) -> bytes:
    """Another office's head."""
    other = "malang" if run.office != "malang" else "rokan-hulu"
    return _all_by(
        dataclasses.replace(run, pki=dataclasses.replace(run.pki, office=other)), Keys(run.pki.folder, other)
    )


def _with_certificates(run: Run, forged: bytes, change) -> bytes:
    info = cms.ContentInfo.load(cms_of(forged), strict=False)
    change(info["content"], cms.ContentInfo.load(cms_of(run.final), strict=False)["content"])
    return with_cms(forged, info.dump(force=True))


@attack(GROUP)
def genuine_certificate_beside_an_impostors_signature(run: Run) -> bytes:
    """An impostor's signature that carries our certificate and names it as its signer's."""

    def change(mine, genuine):
        sid = mine["signer_infos"][0]["sid"] = genuine["signer_infos"][0]["sid"]
        own = [one for one in genuine["certificates"] if one.chosen.serial_number == sid.chosen["serial_number"].native]
        mine["certificates"] = cms.CertificateSet(own)  # it alone fits into the hole whatever the lengths

    return _with_certificates(run, _all_by(run, run.impostor), change)


@attack(GROUP)
def impostors_certificate_in_the_genuine_signature(run: Run) -> bytes:
    """The genuine signature, with another key in a certificate of the same name, issuer and serial number."""

    def change(mine, _genuine):
        theirs = asn1.Certificate.load(run.impostor.key("segel" if run.sealed else "kepala").certificate_der)
        twin = theirs.copy()
        own = mine["signer_infos"][0]["sid"].chosen
        twin["tbs_certificate"]["serial_number"] = own["serial_number"].native
        mine["certificates"] = cms.CertificateSet([cms.CertificateChoices("certificate", twin)])

    return _with_certificates(run, run.final, change)


@attack(GROUP)
def no_certificate_at_all(run: Run) -> bytes:
    """The signature carries no certificate."""

    def change(mine, _genuine):
        mine["certificates"] = cms.CertificateSet([])

    return _with_certificates(run, run.final, change)


@attack(GROUP)
def two_signers_in_one_signature(run: Run) -> bytes:
    """The same signer twice in one CMS; only one of them is looked at."""

    def change(mine, _genuine):
        signer = mine["signer_infos"][0]
        mine["certificates"] = cms.CertificateSet([mine["certificates"][0]])
        mine["signer_infos"] = cms.SignerInfos([signer, signer])

    return _with_certificates(run, run.timestamped, change)


@attack(GROUP)
def content_within_the_signature(run: Run) -> bytes:
    """The CMS is not detached: it brings a content of its own."""

    def change(mine, _genuine):
        mine["encap_content_info"] = {"content_type": "data", "content": b"2099"}

    return _with_certificates(run, run.timestamped, change)


@attack(GROUP)
def no_signed_attributes(run: Run) -> bytes:
    """The CMS has lost its signed attributes."""

    def change(mine, _genuine):
        mine["signer_infos"][0]["signed_attrs"] = None

    return _with_certificates(run, run.final, change)


@attack(GROUP)
def one_bit_of_the_signature(run: Run) -> bytes:
    """The last bit of the signature's value."""

    def change(mine, _genuine):
        value = bytearray(mine["signer_infos"][0]["signature"].native)
        value[-1] ^= 1
        mine["signer_infos"][0]["signature"] = bytes(value)

    return _with_certificates(run, run.final, change)


@attack(WEAK)
def other_digest_claimed(run: Run) -> bytes:
    """The CMS says that its digest is MD5."""

    def change(mine, _genuine):
        mine["signer_infos"][0]["digest_algorithm"] = algos.DigestAlgorithm({"algorithm": "md5"})

    return _with_certificates(run, run.final, change)


def _signed_by(base: bytes, signer: SimpleSigner, field: str, digest: str = "sha256") -> bytes:
    """Sign as our own code refuses to."""
    with mock.patch.object(PdfSigner, "_enforce_certification_constraints"):
        return PdfSigner(PdfSignatureMetadata(field, md_algorithm=digest), signer).sign_pdf(writer(base)).getvalue()


@attack(WEAK)
def signed_with_sha1(run: Run) -> bytes:
    """The head's own key over SHA-1: anybody with two documents of one digest could have made it."""
    folder, name = run.pki.folder, f"{run.office}.{run.pki.people.get(run.office, 'kadis')}"
    secret = (folder / "passphrase").read_bytes().strip()
    signer = SimpleSigner.load_pkcs12(folder / f"{name}.p12", passphrase=secret)
    return _signed_by(run.preview, signer, "ttd_kepala", "sha1")


@attack(WEAK, form)
def small_key_below(run: Run) -> bytes:
    """A self-made certificate with an RSA key of 1024 bits and the head's name signs below."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    subject = x509.load_der_x509_certificate(run.pki.key("kepala").certificate_der).subject
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=3000))
        .sign(key, hashes.SHA256())
    )
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    certificate = asn1.Certificate.load(made.public_bytes(Encoding.DER))
    signer = SimpleSigner(certificate, keys.PrivateKeyInfo.load(der), SimpleCertificateStore())
    return _signed_by(with_field(run.final, "lagi"), signer, "lagi")


@attack(GROUP)
def signature_without_an_order(run: Run) -> bytes:
    """The head's real key in the seal's field, or in a field of another name: signed, but not as we issue it."""
    field = "segel" if run.sealed else "ttd_lain"
    base = run.preview if run.sealed else with_field(run.preview, field)
    return sign(
        base, run.pki.key("kepala"), SignatureSpec(field, "", "", certify=True, permission=1, appearance=Frame())
    ).pdf
