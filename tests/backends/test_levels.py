"""What a service signed has no PAdES declaration, and our proof of an extension knows none that comes later: such a permit waits."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12

from certs.make_dev_pki import make_dev_pki
from service.permits import State
from signing import Evidence, OnlineRevocation
from tests.backends.conftest import bsre_office
from tests.signing.authorities import Holder, Stamper


def crl(folder: Path, name: str) -> bytes:
    """Today's CRL of a development CA: nobody is revoked."""
    issuer = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
    key = load_pem_private_key((folder / f"{name}.key.pem").read_bytes(), None)
    now = datetime.now(UTC)
    made = x509.CertificateRevocationListBuilder(issuer.subject, now - timedelta(hours=1), now + timedelta(days=7))
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    return made.add_extension(x509.CRLNumber(1), critical=False).sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_an_office_that_issues_no_lower_than_b_lta_does_not_issue_what_a_service_signed(tmp_path, keys, bsre_keys):
    levels = {"levels": 'issue_at_least = "B-LTA"\ntarget = "B-LTA"', "tsa_url": "http://127.0.0.1:9/"}
    with bsre_office(tmp_path, keys, bsre_keys, **levels) as desk:
        stamps = tmp_path / "stamps"
        make_dev_pki(stamps, key="rsa2048")  # pyHanko's test authority has no other
        for name, trusted in (("root.pem", "trust.pem"), ("issuing.pem", "issuing.pem")):
            with (tmp_path / trusted).open("a") as file:
                file.write((stamps / name).read_text())
        secret = (stamps / "passphrase").read_bytes().strip()
        key, certificate, chain = pkcs12.load_key_and_certificates((stamps / "tsa.p12").read_bytes(), secret)
        all_cas = [(folder, name) for folder in (keys, bsre_keys, stamps) for name in ("root", "issuing")]
        said = Evidence(crls_der=tuple(crl(folder, name) for folder, name in all_cas))
        desk.teken = dataclasses.replace(
            desk.teken,
            timestamper=Stamper(Holder(certificate, key, tuple(chain))),
            revocation=OnlineRevocation(given=said),
        )
        opened, (permit,) = desk.signed()
        assert opened.counts == {"signed": 1}, opened.items
        now = desk.row(permit)
        assert (now.state, now.parked_from, now.fault) == (State.PARKED, State.SIGNED, "proof_objects")
        assert desk.released(permit) == 0
