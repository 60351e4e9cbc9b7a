"""Fifteen years with yearly renewals and two generations of time-stamping authorities: who still believes the document.

Our own proof and EU DSS do, all the time. pyHanko's long-term validation stops earlier; where, is pinned here, so that an
upgrade that moves the border is noticed (ADR 0014).
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyhanko.sign.validation.ades
import pyhanko_certvalidator.context
import pyhanko_certvalidator.ltv.ades_past
import pyhanko_certvalidator.ltv.poe
import pyhanko_certvalidator.ltv.types
import pytest
from asn1crypto import crl, x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import DocumentSecurityStore, validate_pdf_signature
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy, RevocationCheckingRule
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer

from signing import (
    Evidence,
    ExpectedExtension,
    OnlineRevocation,
    extend_lta,
    fill_and_seal,
    gather,
    prove_extension,
    renew,
    sign,
)
from tests.conformance import judges
from tests.signing.authorities import YEAR, Authorities, Holder, Stamper
from tests.signing.world import FLOWS, prepared

pytestmark = pytest.mark.slow
YEARS = 15
SIGNERS_YEARS, FIRST_TSA_YEARS = 3, 6.2
CLOCKS = (
    pyhanko.sign.validation.ades,
    pyhanko_certvalidator.context,
    pyhanko_certvalidator.ltv.ades_past,
    pyhanko_certvalidator.ltv.poe,
    pyhanko_certvalidator.ltv.types,
)


@dataclass(frozen=True)
class Life:
    """A document signed fifteen years ago; `versions[n]` is its state after `n` years. The last is of this hour."""

    world: Authorities
    stamping_ca: Holder
    begin: datetime
    signed: bytes
    versions: tuple[bytes, ...]

    def lists(self, at: datetime) -> tuple[bytes, ...]:
        """What all CAs publish at a moment."""
        return (*self.world.crls(at), self.world.crl(self.stamping_ca, at))

    def after(self, years: int) -> datetime:
        return self.begin + years * YEAR + timedelta(hours=2)


@pytest.fixture(scope="module")
def life() -> Life:
    begin = datetime.now(UTC).replace(microsecond=0) - YEARS * YEAR - timedelta(hours=3)
    world = Authorities(begin=begin)
    ca = world.certify("CA TSA", world.root, 30 * YEAR, ca=True)
    first = _tsa(world, ca, "TSA 1", FIRST_TSA_YEARS, begin)
    second = _tsa(world, ca, "TSA 2", 12, begin + 5 * YEAR)
    here = Life(world, ca, begin, b"", ())

    def stamper(at: datetime) -> Stamper:
        return Stamper(first if at < begin + 6 * YEAR else second, lambda: at)

    def asked(pdf: bytes, at: datetime) -> Evidence:
        source = OnlineRevocation(given=Evidence(crls_der=here.lists(at)))
        return gather(pdf, world.trust, source, at, timestamper=stamper(at))

    signed = _signed(world, stamper(begin), begin)
    at = begin + timedelta(hours=1)
    versions = [extend_lta(signed, stamper(at), asked(signed, at)).pdf]
    for year in range(1, YEARS + 1):
        at = begin + year * YEAR
        versions.append(renew(versions[-1], stamper(at), asked(versions[-1], at)).pdf)
    return Life(world, ca, begin, signed, tuple(versions))


def _tsa(world: Authorities, ca: Holder, name: str, years: float, begin: datetime) -> Holder:
    use = {"usage": ("digital_signature",), "extended": [ExtendedKeyUsageOID.TIME_STAMPING]}
    return world.certify(name, ca, years * YEAR, begin=begin, kind="rsa3072", **use)


def _signed(world: Authorities, stamper: Stamper, at: datetime) -> bytes:
    flow = FLOWS["number_after"]
    head, seal = (world.signer(name, SIGNERS_YEARS).backend for name in ("Kepala", "Segel"))
    pdf = sign(prepared(flow.fields), head, flow.head_spec, timestamper=stamper, at=at).pdf
    return fill_and_seal(pdf, flow.values, seal, flow.seal_spec, timestamper=stamper, at=at).pdf


@contextlib.contextmanager
def clock(at: datetime):
    """pyHanko asks the real clock in several places whatever time it is given."""

    class Frozen(datetime):
        @classmethod
        def now(cls, tz=None):
            return at.astimezone(tz)

    with pytest.MonkeyPatch.context() as patch:
        for module in CLOCKS:
            patch.setattr(module, "datetime", Frozen)
        yield


def pyhanko_says(life: Life, years: int, lists: tuple[bytes, ...] = ()) -> list[str]:
    """The result for head and seal, offline: with the file's own data, and `lists` handed over."""
    at = life.after(years)
    required = RevocationCheckingRule.CRL_OR_OCSP_REQUIRED
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build([x509.Certificate.load(life.world.root.der)]),
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(required, required)),
    )
    spec = PdfSignatureValidationSpec(
        SignatureValidationSpec(
            cert_validation_policy=policy,
            local_knowledge=LocalKnowledge(known_crls=[CRLContainer(crl.CertificateList.load(der)) for der in lists]),
            revinfo_gathering_policy=RevocationInfoGatheringSpec(
                online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY,
                certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
            ),
        )
    )
    reader = PdfFileReader(io.BytesIO(life.versions[years]))
    with clock(at):
        found = [asyncio.run(ades_lta_validation(one, spec)) for one in reader.embedded_regular_signatures]
    return [one.ades_subindic.name for one in found]


def test_our_own_proof_holds_every_year(life):
    """From the file alone: each certificate has its issuer's word from after its use and before its end, each time-stamp
    was made while the one before was good."""
    for years, pdf in enumerate(life.versions):
        stamps = tuple(f"arsip_{number}" for number in range(1, years + 2))
        expected = ExpectedExtension(stamps, "B-LTA", None, (life.world.root.der,))
        assert len(prove_extension(pdf, life.signed, expected).stamped_at) == years + 1


@pytest.mark.outside_judge
def test_eu_dss_believes_the_fifteen_years_with_nothing_but_the_file_and_the_root(life, tmp_path):
    judges.build()
    root = tmp_path / "root.pem"
    root.write_bytes(life.world.root.certificate.public_bytes(Encoding.PEM))
    file = tmp_path / "fifteen.pdf"
    file.write_bytes(life.versions[-1])
    told = judges.judge([judges.Request(file, [root])], tmp_path)[file.name]
    assert told["verapdf"] == {"3a": {}, "ua1": {}}, json.dumps(told["verapdf"])
    signatures, stamps = told["dss"]["signatures"], told["dss"]["timestamps"]
    assert [(one["indication"], one["level"], one["errors"]) for one in signatures] == [
        ("TOTAL_PASSED", "PAdES-BASELINE-LTA", {})
    ] * 2
    assert [one["indication"] for one in stamps] == ["PASSED"] * (2 + 1 + YEARS)


def test_pyhanko_while_all_certificates_are_good(life):
    assert pyhanko_says(life, 2, life.lists(life.after(2))) == ["OK", "OK"]


def test_pyhanko_after_the_signers_expired(life):
    """The file alone is enough. A newer list of the signers' own CA spoils it: it is taken for the newest word about the
    signer, though whoever has expired is no longer on it."""
    for years in (4, 6):
        assert pyhanko_says(life, years) == ["OK", "OK"]
        assert pyhanko_says(life, years, life.lists(life.after(years))) == ["OUT_OF_BOUNDS_NO_POE"] * 2


def test_pyhanko_after_the_first_authority_expired(life):
    """Here the library stops, whatever it is given. Newer lists of the first authority's own CA, which the second needs,
    are part of the cause; leaving them out of its search for the right moment does not mend it alone."""
    for years in (8, YEARS):
        for lists in ((), (life.world.crl(life.world.root, life.after(years)),), life.lists(life.after(years))):
            assert "OK" not in pyhanko_says(life, years, lists)


def test_plain_validation_with_the_files_own_data_ends_with_the_signers(life):
    def trusted(years: int) -> list[bool]:
        reader = PdfFileReader(io.BytesIO(life.versions[years]))
        given = {
            "trust_roots": [x509.Certificate.load(life.world.root.der)],
            "crls": [crl.CertificateList.load(der) for der in life.lists(life.after(years))],
            "revocation_mode": "require",
            "allow_fetching": False,
            "moment": life.after(years),
        }
        found = []
        for one in reader.embedded_regular_signatures:
            context = DocumentSecurityStore.read_dss(reader).as_validation_context(given)
            status = validate_pdf_signature(one, context)
            assert status.intact
            assert status.valid
            assert status.docmdp_ok
            found.append(bool(status.trusted))
        return found

    assert trusted(2) == [True, True]
    assert trusted(4) == [False, False]


def test_what_a_year_costs(life):
    grown = [len(after) - len(before) for before, after in zip(life.versions, life.versions[1:], strict=False)]
    assert max(grown) < 30_000
    assert len(life.versions[-1]) < 600_000
