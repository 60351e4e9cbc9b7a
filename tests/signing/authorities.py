"""A PKI whose clock the test owns: CAs, signers, time-stamping authorities of several generations, CRLs and OCSP answers of any day."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from asn1crypto import algos, keys, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing import Pkcs12Backend, Trust, read_pkcs12

YEAR = timedelta(days=365)
BEGIN = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
SIGNS = ("digital_signature", "content_commitment")


@dataclass(frozen=True)
class Holder:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @functools.cached_property
    def backend(self) -> Pkcs12Backend:
        return read_pkcs12(
            pkcs12.serialize_key_and_certificates(
                b"x", self.key, self.certificate, self.chain, BestAvailableEncryption(b"x")
            ),
            b"x",
        )


@dataclass
class Authorities:
    """One root, one issuing CA, and whoever they certify."""

    begin: datetime = BEGIN
    kind: str = "p256"
    ca_years: int = 30
    revoked: dict[int, datetime] = field(default_factory=dict)
    people: dict[str, Holder] = field(default_factory=dict)

    def __post_init__(self) -> None:
        far = self.ca_years * YEAR
        self.root = self.certify("Root", None, far, ca=True)
        self.issuing = self.certify("Penerbit", self.root, far, ca=True)

    def certify(
        self,
        name: str,
        issuer: Holder | None,
        lifetime: timedelta,
        *,
        begin: datetime | None = None,
        ca: bool = False,
        usage: tuple[str, ...] = SIGNS,
        extended: list | None = None,
        extra: tuple[x509.ExtensionType, ...] = (),
        kind: str = "",
    ) -> Holder:
        key = _new_key(kind or self.kind, name)
        begin = begin or self.begin
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = ("key_cert_sign", "crl_sign") if ca else usage
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin - timedelta(hours=1))
            .not_valid_after(begin + lifetime)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key((issuer.key if issuer else key).public_key()),
                critical=False,
            )
        )
        if usage:
            builder = builder.add_extension(_usage(*usage), critical=True)
        if extended:
            builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=True)
        for extension in extra:
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign((issuer.key if issuer else key), hashes.SHA256())
        chain = (issuer.certificate, *issuer.chain) if issuer and issuer.chain else ()
        if issuer and issuer is not getattr(self, "root", None) and not chain:
            chain = (issuer.certificate,)
        return Holder(certificate, key, chain)

    def signer(self, name: str, years: float = 3, **more) -> Holder:
        return self.certify(name, self.issuing, years * YEAR, **more)

    def tsa(self, name: str, years: float = 10, **more) -> Holder:
        return self.certify(
            name,
            self.issuing,
            years * YEAR,
            usage=("digital_signature",),
            extended=[ExtendedKeyUsageOID.TIME_STAMPING],
            **{"kind": "rsa3072", **more},
        )

    @property
    def trust(self) -> Trust:
        return Trust((self.root.der,), (self.issuing.der,))

    def revoke(self, holder: Holder, at: datetime) -> None:
        self.revoked[holder.certificate.serial_number] = at

    def crl(self, issuer: Holder, at: datetime, days: float = 7, *, extra: tuple = (), key=None) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(at - timedelta(minutes=1))
            .next_update(at + timedelta(days=days))
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
            .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
        )
        for value, critical in extra:
            builder = builder.add_extension(value, critical=critical)
        for serial, when in self.revoked.items():
            if when <= at:
                entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when).build()
                builder = builder.add_revoked_certificate(entry)
        return builder.sign(key or issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def crls(self, at: datetime) -> tuple[bytes, ...]:
        return (self.crl(self.root, at), self.crl(self.issuing, at))

    def ocsp(
        self,
        holder: Holder,
        at: datetime,
        responder: Holder | None = None,
        days: float = 1,
        issuer: Holder | None = None,
    ) -> bytes:
        issuer = issuer or self.issuing
        responder = responder or issuer
        revoked = self.revoked.get(holder.certificate.serial_number)
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=holder.certificate,
            issuer=issuer.certificate,
            algorithm=hashes.SHA1(),
            cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
            this_update=at,
            next_update=at + timedelta(days=days),
            revocation_time=revoked,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder.certificate)
        if responder is not issuer:
            builder = builder.certificates([responder.certificate])
        return builder.sign(responder.key, hashes.SHA256()).public_bytes(Encoding.DER)


@dataclass
class Stamper:
    """A time-stamping authority in this process, at the moment that the test says (None: the real one)."""

    tsa: Holder
    now: Callable[[], datetime | None] = lambda: None

    def authority(self) -> DummyTimeStamper:
        """What answers requests, with today's certificate."""
        private = self.tsa.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        store = SimpleCertificateStore()
        store.register_multiple(asn1.Certificate.load(one.public_bytes(Encoding.DER)) for one in self.tsa.chain)
        certificate = asn1.Certificate.load(self.tsa.der)
        return DummyTimeStamper(certificate, keys.PrivateKeyInfo.load(private), store, fixed_dt=self.now())

    def token(self, digest: bytes, algorithm: str) -> bytes:
        request = tsp.TimeStampReq(
            {
                "version": "v1",
                "message_imprint": {
                    "hash_algorithm": algos.DigestAlgorithm({"algorithm": algorithm}),
                    "hashed_message": digest,
                },
                "nonce": 1,
                "cert_req": True,
            }
        )
        return asyncio.run(self.authority().async_request_tsa_response(request))["time_stamp_token"].dump()


def points(crl: str = "", responder: str = "") -> tuple[x509.ExtensionType, ...]:
    """Where a certificate says that its CRL and OCSP responder are."""
    found: list[x509.ExtensionType] = []
    if crl:
        found.append(
            x509.CRLDistributionPoints(
                [x509.DistributionPoint([x509.UniformResourceIdentifier(crl)], None, None, None)]
            )
        )
    if responder:
        place = x509.UniformResourceIdentifier(responder)
        found.append(
            x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)])
        )
    return tuple(found)


def _new_key(kind: str, name: str):
    return ec.generate_private_key(ec.SECP256R1()) if kind == "p256" else _rsa(int(kind.removeprefix("rsa")), name)


@functools.cache
def _rsa(bits: int, _name: str) -> rsa.RSAPrivateKey:
    """RSA keys take a while: the same name has the same key in every PKI of a run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _usage(*granted: str) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
        "key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: name in granted for name in names.split()})
