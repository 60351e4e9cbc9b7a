"""Proves one CMS signature against the exact certificate that must have made it. Trust is not asked here."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any, Final

from asn1crypto import algos, cms, core, parser
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from signing.alike import Proven
from signing.certificates import HASHES, verifies
from signing.chains import signed_by
from signing.cmsparts import take_apart
from signing.der import Odd
from signing.errors import ProofFailed
from signing.model import Level

_HEADER: Final = 8
"""So many bytes of a container tell its length, and with it that of an ECDSA signature."""
_MOST_PROVEN: Final = 64
_PROVEN: Final[dict[tuple[str, frozenset[str] | None, bytes], Proven]] = {}
"""One proven container for each signer: the next one must be the same but for digest and signature."""
_KEYS: Final = {"rsassa_pkcs1v15": rsa.RSAPublicKey, "ecdsa": ec.EllipticCurvePublicKey}
_ATTRIBUTES: Final = {"content_type", "message_digest", "signing_certificate_v2"}


def prove_cms(
    container: bytes, covered: bytes, certificate_sha256: str, chain_sha256: frozenset[str] | None = None
) -> Level:
    """Prove that `container` (DER, then only zeros) is a PAdES baseline signature of `covered`; return its level.

    Raises ProofFailed: proof_signature, proof_digest, proof_certificate, proof_level (a bad time-stamp).
    """
    asked = (certificate_sha256, chain_sha256, container[:_HEADER])
    before = _PROVEN.get(asked)
    if before is not None and before.is_alike(container, covered):
        return "B-B"
    level, proven = _prove(container, covered, certificate_sha256, chain_sha256)
    if proven:
        if len(_PROVEN) >= _MOST_PROVEN:
            _PROVEN.clear()
        _PROVEN[asked] = proven
    return level


def _prove(
    container: bytes, covered: bytes, certificate_sha256: str, chain_sha256: frozenset[str] | None
) -> tuple[Level, Proven | None]:
    if container[parser.peek(container) :].strip(b"\0"):
        raise ProofFailed("proof_signature", "bytes behind the CMS object")
    data, info = _single(cms.ContentInfo.load(container))
    if data["encap_content_info"]["content_type"].native != "data" or data["encap_content_info"]["content"].native:
        raise ProofFailed("proof_signature", "not detached")
    _prove_form(data, info)
    signed, attributes = _attributes(info)
    if set(attributes) != _ATTRIBUTES:
        raise ProofFailed("proof_signature", "other signed attributes than PAdES baseline has")
    if attributes["content_type"].native != "data":
        raise ProofFailed("proof_signature", "content type")
    digest = info["digest_algorithm"]["algorithm"].native
    if digest not in HASHES or attributes["message_digest"].native != hashlib.new(digest, covered).digest():
        raise ProofFailed("proof_digest")
    named = attributes["signing_certificate_v2"]["certs"]
    if len(named) != 1 or named[0]["cert_hash"].native.hex() != certificate_sha256:
        raise ProofFailed("proof_certificate", "signing-certificate-v2")
    if named[0]["hash_algorithm"]["algorithm"].native != "sha256":
        raise ProofFailed("proof_certificate", "signing-certificate-v2")
    key = _verify(data, info, signed, certificate_sha256)
    _prove_chain(data, certificate_sha256, chain_sha256)
    level = _level(info)
    holes = attributes["message_digest"].native, info["signature"].native
    return level, Proven.of(container, signed, *holes, key, digest) if level == "B-B" else None


def _prove_form(data: Any, info: Any) -> None:
    """The parts of the container that no signature covers have their one form, so that no bit of it is free."""
    digest = info["digest_algorithm"]["algorithm"].native
    scheme = {"rsassa_pkcs1v15": "rsa", "ecdsa": "ecdsa"}.get(info["signature_algorithm"].signature_algo)
    if digest not in HASHES or scheme is None:
        raise ProofFailed("proof_signature", "algorithm")
    hashing: bytes = algos.DigestAlgorithm({"algorithm": digest}).dump()
    signing: bytes = algos.SignedDigestAlgorithm({"algorithm": f"{digest}_{scheme}"}).dump()
    if (data["version"].native, info["version"].native) != ("v1", "v1") or data["crls"].native:
        raise ProofFailed("proof_signature", "version")
    if data["digest_algorithms"].contents != hashing or info["digest_algorithm"].dump() != hashing:
        raise ProofFailed("proof_signature", "digest algorithm")
    if info["signature_algorithm"].dump() != signing:
        raise ProofFailed("proof_signature", "signature algorithm")


def _prove_chain(data: Any, certificate_sha256: str, chain_sha256: frozenset[str] | None) -> None:
    """The further certificates are the expected ones, and each issued the one before: no stranger rides along."""
    certificates = _certificates(data)
    current = certificates.pop(certificate_sha256)
    if chain_sha256 is not None and set(certificates) != chain_sha256:
        raise ProofFailed("proof_certificate", "other certificates than expected are embedded")
    while certificates:
        issuer = next((name for name, one in certificates.items() if signed_by(one, current)), None)
        if issuer is None:
            raise ProofFailed("proof_certificate", "the embedded chain is not the signer's")
        current = certificates.pop(issuer)


def _single(content: cms.ContentInfo) -> tuple[Any, Any]:
    if content["content_type"].native != "signed_data":
        raise ProofFailed("proof_signature", "not signed data")
    data = content["content"]
    if len(data["signer_infos"]) != 1:
        raise ProofFailed("proof_signature", "not exactly one signer")
    return data, data["signer_infos"][0]


def _attributes(info: Any) -> tuple[bytes, dict[str, Any]]:
    """What was signed, exactly as it lies in the file (stored as [0], signed as SET OF: RFC 5652, 5.4); and parsed.

    The bytes are taken first: reading a default value makes asn1crypto encode anew.
    """
    signed: bytes = parser.emit(0, 1, 17, info["signed_attrs"].contents)
    found = {}
    for attribute in info["signed_attrs"]:
        name = attribute["type"].native
        if name in found or len(attribute["values"]) != 1:
            raise ProofFailed("proof_signature", "a signed attribute occurs twice")
        found[name] = attribute["values"][0]
    return signed, found


def _verify(data: Any, info: Any, signed: bytes, certificate_sha256: str) -> Any:
    """The signature value, with the public key of the one certificate whose SHA-256 is given; return that key."""
    certificate = _certificates(data).get(certificate_sha256)
    if certificate is None:
        raise ProofFailed("proof_certificate", "the signer's certificate is not embedded")
    if not _identifies(info["sid"].chosen.contents, certificate):
        raise ProofFailed("proof_certificate", "signer identifier")
    key, kind = certificate.public_key(), _KEYS.get(info["signature_algorithm"].signature_algo)
    if kind is None or not isinstance(key, kind):
        raise ProofFailed("proof_signature", "algorithm")
    if not verifies(key, info["signature"].native, signed, HASHES[info["digest_algorithm"]["algorithm"].native]):
        raise ProofFailed("proof_signature", "the value does not verify")
    return key


def _level(info: Any) -> Level:
    unsigned = info["unsigned_attrs"]
    if not unsigned.native:
        return "B-B"
    if len(unsigned) != 1 or unsigned[0]["type"].native != "signature_time_stamp_token":
        raise ProofFailed("proof_level", "unexpected unsigned attribute")
    if len(unsigned[0]["values"]) != 1:
        raise ProofFailed("proof_level", "more than one time-stamp")
    _prove_token(unsigned[0]["values"][0], info["signature"].native)
    return "B-T"


def _prove_token(token: Any, signature: bytes) -> None:
    """A time-stamp token (RFC 3161) over `signature`, signed by a certificate that it carries."""
    info, *_ = prove_token_cms(token)
    imprint = info["message_imprint"]
    digest = imprint["hash_algorithm"]["algorithm"].native
    if hashlib.new(digest, signature).digest() != imprint["hashed_message"].native:
        raise ProofFailed("proof_level", "the time-stamp is of something else")


def prove_token_cms(token: Any) -> tuple[Any, x509.Certificate, tuple[x509.Certificate, ...], str]:
    """Prove that a certificate which the token carries signed it.

    Return the TSTInfo, that certificate, the others, and the digest algorithm of the signature.
    """
    data, info = _single(token)
    if data["encap_content_info"]["content_type"].native != "tst_info":
        raise ProofFailed("proof_level", "not a time-stamp")
    content = data["encap_content_info"]["content"]
    signed, attributes = _attributes(info)
    digest = info["digest_algorithm"]["algorithm"].native
    if digest not in HASHES or attributes["message_digest"].native != hashlib.new(digest, bytes(content)).digest():
        raise ProofFailed("proof_level", "time-stamp digest")
    signer = _token_signer(data, info)
    _verify(data, info, signed, signer)
    found = _certificates(data)
    certificate = found.pop(signer)
    return content.parsed, certificate, tuple(found.values()), digest


def read_cms(container: bytes) -> tuple[x509.Certificate, tuple[x509.Certificate, ...], bytes | None]:
    """The signer's certificate, the others that are embedded, and the DER of the signature's time-stamp. Proves nothing."""
    return _read_parts(container) or _read_in_full(container)


_Read = tuple[x509.Certificate, tuple[x509.Certificate, ...], bytes | None]


def _read_parts(container: bytes) -> _Read | None:
    try:
        parts = take_apart(container, padded=True)
        return *_holders(parts.certificates_der, parts.content_of(parts.signer[1])), parts.stamp
    except ValueError:
        return None


@lru_cache(maxsize=64)  # the same for every document of a batch
def _holders(
    certificates_der: tuple[bytes, ...], identifier: bytes
) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    found = {der: x509.load_der_x509_certificate(der) for der in certificates_der}
    signer = next((der for der, one in found.items() if _identifies(identifier, one)), None)
    if signer is None:
        raise Odd
    certificate = found.pop(signer)
    return certificate, tuple(found.values())


def _identifies(identifier: bytes, certificate: x509.Certificate) -> bool:
    serial: bytes = core.Integer(certificate.serial_number).dump()
    return identifier == certificate.issuer.public_bytes() + serial


def _read_in_full(container: bytes) -> _Read:
    data, info = _single(cms.ContentInfo.load(container))
    signer = _token_signer(data, info)
    found = _certificates(data)
    certificate = found.pop(signer)
    stamps = [one for one in info["unsigned_attrs"] or () if one["type"].native == "signature_time_stamp_token"]
    token: bytes | None = stamps[0]["values"][0].dump() if stamps else None
    return certificate, tuple(found.values()), token


def _token_signer(data: Any, info: Any) -> str:
    for name, one in _certificates(data).items():
        if _identifies(info["sid"].chosen.contents, one):
            return name
    raise ProofFailed("proof_level", "the signer's certificate is not embedded")


def _certificates(data: Any) -> dict[str, x509.Certificate]:
    """The embedded certificates by their SHA-256."""
    return {_sha256(der): x509.load_der_x509_certificate(der) for der in _elements(data["certificates"])}


def _elements(collection: Any) -> list[bytes]:
    """The encoded members of a SET, as they lie in the file."""
    rest, found = collection.contents, []
    while rest:
        length = parser.peek(rest)
        found.append(rest[:length])
        rest = rest[length:]
    return found


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
