"""What a service signed goes on to B-LT and B-LTA, in the real steps, where our bytes came back; proven as everything that we add."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12

from certs.make_dev_pki import make_dev_pki
from service.audit import audit
from service.permits import State
from service.renewal import Rounds
from service.sop import OfficeInvalid
from service.verification import verify_file
from signing import Evidence, OnlineRevocation
from tests.backends.conftest import HILIR, HULU, bsre_office
from tests.signing.authorities import Holder, Stamper

NO_ONE = "http://127.0.0.1:9/"


def crl(folder: Path, name: str) -> bytes:
    """Today's CRL of a development CA: nobody is revoked."""
    issuer = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
    key = load_pem_private_key((folder / f"{name}.key.pem").read_bytes(), None)
    now = datetime.now(UTC)
    made = x509.CertificateRevocationListBuilder(issuer.subject, now - timedelta(hours=1), now + timedelta(days=7))
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    return made.add_extension(x509.CRLNumber(1), critical=False).sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def levels(least: str, target: str) -> dict[str, str]:
    return {"levels": f'issue_at_least = "{least}"\ntarget = "{target}"', "tsa_url": NO_ONE}


def give_authorities(desk, tmp_path, keys, bsre_keys) -> Stamper:
    """A time-stamping authority, and today's CRL of every CA."""
    stamps = tmp_path / "stamps"
    make_dev_pki(stamps, key="rsa2048")  # pyHanko's test authority has no other
    for name, trusted in (("root.pem", "trust.pem"), ("issuing.pem", "issuing.pem")):
        with (tmp_path / trusted).open("a") as file:
            file.write((stamps / name).read_text())
    secret = (stamps / "passphrase").read_bytes().strip()
    key, certificate, chain = pkcs12.load_key_and_certificates((stamps / "tsa.p12").read_bytes(), secret)
    all_cas = [(folder, name) for folder in (keys, bsre_keys, stamps) for name in ("root", "issuing")]
    said = Evidence(crls_der=tuple(crl(folder, name) for folder, name in all_cas))
    stamper = Stamper(Holder(certificate, key, tuple(chain)))
    desk.teken = dataclasses.replace(desk.teken, timestamper=stamper, revocation=OnlineRevocation(given=said))
    return stamper


OWN = 'backend = "bsre"\nreturned = "own_field"'
CASES = [
    ("B-LTA", 'backend = "bsre"', HILIR, False),
    ("B-LTA", OWN, HILIR, False),
    ("B-LTA", OWN, HILIR, True),
    ("B-LT", 'backend = "bsre"', HILIR, True),
    ("B-LT", OWN, HILIR, True),
    ("B-LTA", 'backend = "bsre"', HULU, False),
    ("B-LTA", OWN, HULU, True),
    ("B-LTA", 'backend = "bsre"\n[signing.seal]\nbackend = "bsre"', HULU, True),
]


@pytest.mark.parametrize(("level", "signing", "kind", "stamped"), CASES)
def test_what_a_service_signed_is_issued_at_the_level_of_the_office(
    tmp_path, keys, bsre_keys, level, signing, kind, stamped
):
    quirks = ["own_field"] if "own_field" in signing else []
    given = {"kind": kind, "signing": signing, **levels(level, level)}
    with bsre_office(tmp_path, keys, bsre_keys, *quirks, **given) as desk:
        stamper = give_authorities(desk, tmp_path, keys, bsre_keys)
        desk.service.app.extensions["play"].timestamper = stamper if stamped else None
        opened, (permit,) = desk.signed()
        desk.sign()
        desk.work()
        assert opened.counts == {"signed": 1}, opened.items
        now = desk.row(permit)
        assert (now.state, now.fault) == (State.IN_FORCE, None)
        assert {one["level"] for one in desk.signatures(permit)} == {level}
        pdf = desk.teken.archive.get(now.released_sha)
        assert pdf.startswith(desk.teken.archive.get(now.sealed_sha or now.head_sha))
        assert str(verify_file(desk.teken, pdf).verdict) == "identical"
        assert audit(desk.teken).violations == ()


def test_what_was_issued_lower_is_raised_in_spare_time(tmp_path, keys, bsre_keys):
    with bsre_office(tmp_path, keys, bsre_keys, **levels("B-B", "B-LTA")) as desk:
        give_authorities(desk, tmp_path, keys, bsre_keys)
        _, (permit,) = desk.signed()
        assert {one["level"] for one in desk.signatures(permit)} == {"B-B"}
        Rounds().spare(desk.teken)
        assert {one["level"] for one in desk.signatures(permit)} == {"B-LTA"}
        assert desk.released(permit) == 2
        assert audit(desk.teken).violations == ()


@pytest.mark.parametrize(("least", "target"), [("B-LT", "B-LT"), ("B-LTA", "B-LTA"), ("B-B", "B-LTA")])
def test_a_file_written_anew_can_not_be_extended_and_the_office_is_told_at_load(
    tmp_path, keys, bsre_keys, least, target
):
    signing = 'backend = "bsre"\nreturned = "rewritten"'
    with (
        pytest.raises(OfficeInvalid) as caught,
        bsre_office(tmp_path, keys, bsre_keys, signing=signing, **levels(least, target)),
    ):
        pass
    (fault,) = caught.value.faults
    assert (fault.table, fault.key) == ("levels", "target")
    assert 'returned = "rewritten"' in fault.message
