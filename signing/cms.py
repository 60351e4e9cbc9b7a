"""Puts a CMS signature together (RFC 5652, CAdES baseline attributes as PAdES wants them: ETSI EN 319 142-1, 5.3).

Everything that depends only on the key is encoded once per key; per document only the digest and the signature change.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from asn1crypto import algos, cms, tsp, x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pyhanko.sign.signers.pdf_cms import Signer

from signing.backends import Backend, Digest
from signing.der import Tag, tlv
from signing.timestamp import TOKEN_ROOM, Timestamper

_MESSAGE_DIGEST: Final[bytes] = cms.CMSAttributeType("message_digest").dump()
_V1: Final = b"\x02\x01\x01"


@dataclass(frozen=True, slots=True)
class Identity:
    """The parts of a signature that belong to the key: certificates, algorithms, fixed attributes; DER all of them."""

    digest: Digest
    certificates: bytes
    signer_id: bytes
    digest_algorithm: bytes
    signature_algorithm: bytes
    fixed_attributes: tuple[bytes, ...]
    placeholder: Signer
    """For the composer, which wants to know the certificate; it can't sign."""
    room: int = 0
    """Bytes of the longest container without a time-stamp."""

    @staticmethod
    def of(key: Backend) -> Identity:
        """The identity of `key`, made once."""
        return _identity(key.certificate_der, key.chain_der, key.digest)


@lru_cache(maxsize=64)
def _identity(certificate_der: bytes, chain_der: tuple[bytes, ...], digest: Digest) -> Identity:
    certificate = x509.Certificate.load(certificate_der)
    placeholder = Signer(signing_cert=certificate)
    number = certificate["tbs_certificate"]["serial_number"]
    identity = Identity(
        digest=digest,
        certificates=tlv(Tag.CONTEXT_0, *sorted((certificate_der, *chain_der))),
        signer_id=tlv(Tag.SEQUENCE, certificate.issuer.dump(), number.dump()),
        digest_algorithm=algos.DigestAlgorithm({"algorithm": digest}).dump(),
        signature_algorithm=placeholder.get_signature_mechanism_for_digest(digest).dump(),
        fixed_attributes=(
            cms.CMSAttribute({"type": "content_type", "values": ["data"]}).dump(),
            _signing_certificate(certificate),
        ),
        placeholder=placeholder,
    )
    attributes = signed_attributes(identity, hashlib.new(digest).digest())
    return replace(identity, room=len(container(identity, attributes, bytes(_longest_signature(certificate)), None)))


def _longest_signature(certificate: x509.Certificate) -> int:
    """Bytes: RSA's is as long as the key; ECDSA's is two numbers of that length, in DER."""
    key = certificate.public_key
    largest = (1 << 8 * key.byte_size) - 1
    return int(key.byte_size) if key.algorithm == "rsa" else len(encode_dss_signature(largest, largest))


def _signing_certificate(certificate: x509.Certificate) -> bytes:
    """signing-certificate-v2 (RFC 5035) with SHA-256, which DER leaves unsaid as the default."""
    entry = tsp.ESSCertIDv2(
        {
            "cert_hash": hashlib.sha256(certificate.dump()).digest(),
            "issuer_serial": {
                "issuer": [x509.GeneralName({"directory_name": certificate.issuer})],
                "serial_number": certificate["tbs_certificate"]["serial_number"],
            },
        }
    )
    value = tsp.SigningCertificateV2({"certs": [entry]})
    der: bytes = cms.CMSAttribute({"type": "signing_certificate_v2", "values": [value]}).dump()
    return der


def reserve(identity: Identity, *, timestamped: bool) -> int:
    """Hex digits to leave free in /Contents."""
    return 2 * (identity.room + (TOKEN_ROOM if timestamped else 0))


def signed_data(identity: Identity, key: Backend, digest: bytes, timestamper: Timestamper | None) -> bytes:
    """The DER of a detached CMS signature over a document whose byte ranges hash to `digest`."""
    attributes = signed_attributes(identity, digest)
    return container(identity, attributes, key.sign_attributes(attributes), timestamper)


def signed_attributes(identity: Identity, digest: bytes) -> bytes:
    """What is really signed: the DER of the attributes as a SET (RFC 5652, 5.4)."""
    message_digest = tlv(Tag.SEQUENCE, _MESSAGE_DIGEST, tlv(Tag.SET, tlv(Tag.OCTETS, digest)))
    return tlv(Tag.SET, *sorted((*identity.fixed_attributes, message_digest)))


def container(identity: Identity, attributes: bytes, signature: bytes, timestamper: Timestamper | None) -> bytes:
    """The DER of the CMS signature that `signature` over `attributes` makes."""
    info = tlv(
        Tag.SEQUENCE,
        _V1,
        identity.signer_id,
        identity.digest_algorithm,
        bytes((Tag.CONTEXT_0,)) + attributes[1:],  # the same content, implicitly tagged
        identity.signature_algorithm,
        tlv(Tag.OCTETS, signature),
        _signature_timestamp(identity, signature, timestamper) if timestamper else b"",
    )
    data = tlv(
        Tag.SEQUENCE,
        _V1,
        tlv(Tag.SET, identity.digest_algorithm),
        tlv(Tag.SEQUENCE, cms.ContentType("data").dump()),
        identity.certificates,
        tlv(Tag.SET, info),
    )
    return tlv(Tag.SEQUENCE, cms.ContentType("signed_data").dump(), tlv(Tag.CONTEXT_0, data))


def _signature_timestamp(identity: Identity, signature: bytes, timestamper: Timestamper) -> bytes:
    token = timestamper.token(hashlib.new(identity.digest, signature).digest(), identity.digest)
    kind = cms.CMSAttributeType("signature_time_stamp_token").dump()
    return tlv(Tag.CONTEXT_1, tlv(Tag.SEQUENCE, kind, tlv(Tag.SET, token)))
