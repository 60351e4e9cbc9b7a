"""The value in a signature's hole: bytes that no signature covers, so that whatever is odd in them was perhaps put there later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from asn1crypto import cms, parser
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

_VERSIONS: Final = {"v1", "v3", "v4", "v5"}
_INFINITE: Final = 0x80


def flaws(embedded: EmbeddedPdfSignature) -> Iterator[str]:
    """Name what is wrong with a value besides its proof: its end, its padding, its version, its certificates."""
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


def is_canonical(embedded: EmbeddedPdfSignature, pdf: bytes) -> bool:
    """Whether hole and value are written as our composer writes them: upper-case digits of strict DER, then zeros."""
    before, resume = int(embedded.byte_range[1]), int(embedded.byte_range[2])
    value = embedded.pkcs7_content
    if pdf[before:resume] != b"<" + value.hex().upper().encode() + b">" or value[1] == _INFINITE:
        return False
    der = value[: parser.peek(value)]
    return bool(cms.ContentInfo.load(der).dump(force=True) == der)


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
