"""The value in a signature's hole: bytes that no signature covers, so that whatever is odd in them was perhaps put there later."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from asn1crypto import algos, cms, core, parser
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.cmsparts import Parts, take_apart
from signing.der import Element, Odd, Tag, element, elements

_VERSIONS: Final = {"v1", "v3", "v4", "v5"}
_V1: Final[bytes] = core.Integer(1).dump()
_DATA: Final[bytes] = cms.ContentType("data").dump()
_EDGES: Final = 2
_CONSTRUCTED: Final = 0x20
_DEEPEST: Final = 32


def flaws(embedded: EmbeddedPdfSignature, pdf: bytes) -> Iterator[str]:
    """Name what is wrong with a value besides its proof: its place, its end, its padding, its version, its certificates."""
    hole = _hole(embedded, pdf)
    if not _stands_around_its_hole(embedded):
        yield "place"
    if len(b"".join(hole.split())) != len(hole):
        yield "padding"
    try:
        end = parser.peek(embedded.pkcs7_content)
    except ValueError:
        yield "encoding"
        return
    if embedded.pkcs7_content[end:].strip(b"\0"):
        yield "padding"
    signed = embedded.signed_data
    digests = {one["algorithm"].native for one in signed["digest_algorithms"]}
    if signed["version"].native not in _VERSIONS or embedded.md_algorithm not in digests:
        yield "version"
    if not _certificates_hold(signed["certificates"]):
        yield "certificates"


def _stands_around_its_hole(embedded: EmbeddedPdfSignature) -> bool:
    """Whether the signature is read from the bytes that the range leaves a hole in, and not from a later copy."""
    reader = embedded.reader
    where = reader.xrefs.get_historical_ref(embedded.sig_object.container_ref, reader.xrefs.total_revisions - 1)
    return isinstance(where, int) and where < int(embedded.byte_range[1])


def _hole(embedded: EmbeddedPdfSignature, pdf: bytes) -> bytes:
    """What the range leaves out; nothing if it has no such place (signing/gap.py says so)."""
    numbers = [int(number) for number in embedded.byte_range]
    return pdf[numbers[1] : numbers[2]] if len(numbers) > _EDGES else b""


def is_canonical(embedded: EmbeddedPdfSignature, pdf: bytes) -> bool:
    """Whether hole and value are written as our composer writes them: upper-case digits of strict DER, then zeros."""
    value = embedded.pkcs7_content
    if _hole(embedded, pdf) != b"<" + value.hex().upper().encode() + b">":
        return False
    try:
        _strict(value, element(value, 0, len(value)), 0)
        return embedded.sig_object_type == "/DocTimeStamp" or _as_composed(take_apart(value, padded=True), embedded)
    except Odd:
        return False


def _as_composed(parts: Parts, embedded: EmbeddedPdfSignature) -> bool:
    """Whether the parts that nothing covers are those that our composer writes (signing/cms.py)."""
    certificate, digest = embedded.signer_cert, algos.DigestAlgorithm({"algorithm": embedded.md_algorithm}).dump()
    mechanism = Signer(signing_cert=certificate).get_signature_mechanism_for_digest(embedded.md_algorithm)
    version, _, digest_here, _, mechanism_here, _ = map(parts.bytes_of, parts.signer)
    return (
        parts.bytes_of(parts.version) == version == _V1
        and parts.content_of(parts.digests) == digest_here == digest
        and parts.content_of(parts.content) == _DATA
        and parts.certificates_der == tuple(sorted(parts.certificates_der))
        and mechanism_here == mechanism.dump()
        and (parts.unsigned is None or parts.stamp is not None)
        and _names_signer(parts)
        and (parts.stamp is None or _names_signer(take_apart(parts.stamp)))
    )


def _names_signer(parts: Parts) -> bool:
    """Whether the signer is named in the very bytes of a certificate in the bag: readers may take other letters for the same name."""
    held = (asn1_x509.Certificate.load(one) for one in parts.certificates_der)
    named = parts.bytes_of(parts.signer[1])
    return any(
        named == cms.IssuerAndSerialNumber({"issuer": one.issuer, "serial_number": one.serial_number}).dump()
        for one in held
    )


def _strict(value: bytes, one: Element, depth: int) -> None:
    """Walk strict DER: shortest definite lengths, and sets in their order. Raises Odd."""
    if depth > _DEEPEST:
        raise Odd
    if not one.tag & _CONSTRUCTED:
        return
    kids = elements(value, one)
    if one.tag == Tag.SET and any(value[a.start : a.stop] > value[b.start : b.stop] for a, b in pairwise(kids)):
        raise Odd
    for kid in kids:
        _strict(value, kid, depth + 1)


def _certificates_hold(bag: Any) -> bool:
    """Whether each certificate was issued by the one in the bag that it names; a root, by itself."""
    held = []
    for choice in bag or ():
        if choice.name != "certificate":
            continue
        try:
            held.append(x509.load_der_x509_certificate(choice.chosen.dump()))
        except ValueError:
            return False
    by_name: dict[bytes, list[x509.Certificate]] = {}
    for one in held:
        by_name.setdefault(one.subject.public_bytes(), []).append(one)
    return all(_issued_by_any(one, by_name.get(one.issuer.public_bytes(), [])) for one in held)


def _issued_by_any(certificate: x509.Certificate, issuers: list[x509.Certificate]) -> bool:
    for issuer in issuers:
        try:
            certificate.verify_directly_issued_by(issuer)
        except InvalidSignature:
            continue
        except (UnsupportedAlgorithm, ValueError, TypeError):
            return True
        return True
    return not issuers
