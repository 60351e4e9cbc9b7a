"""Whose a signature claims to be and what it rests on, read from its CMS and certificate. Claims: nothing here is proven."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypedDict

from asn1crypto import x509
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

_WEAK_DIGESTS: Final = {"md2", "md5", "sha1"}
_SMALLEST_RSA: Final = 2048
_SMALLEST_CURVE: Final = 224


class Claims(TypedDict):
    """The fields of `SignatureFacts` that a certificate fills."""

    issuer_cn: str
    organization: str
    not_before: Any
    not_after: Any
    digest: str
    key: str


def claims(embedded: EmbeddedPdfSignature) -> Claims:
    """Return issuer, organization, validity and algorithms."""
    certificate = embedded.signer_cert
    validity = certificate["tbs_certificate"]["validity"]
    return Claims(
        issuer_cn=name(certificate.issuer, "common_name"),
        organization=name(certificate.subject, "organization_name"),
        not_before=validity["not_before"].native,
        not_after=validity["not_after"].native,
        digest=str(embedded.md_algorithm),
        key=_key(certificate),
    )


def name(names: x509.Name, part: str) -> str:
    """One part of a distinguished name; the last one if there are several."""
    found = names.native.get(part, "")
    return str(found[-1] if isinstance(found, list) else found)


def weak(embedded: EmbeddedPdfSignature) -> Iterator[str]:
    """Name the algorithms that prove nothing any more."""
    yield from {str(digest) for digest in _digests(embedded)} & _WEAK_DIGESTS
    key = embedded.signer_cert.public_key
    smallest = {"rsa": _SMALLEST_RSA, "rsassa_pss": _SMALLEST_RSA, "dsa": _SMALLEST_RSA, "ec": _SMALLEST_CURVE}
    if key.algorithm in smallest and key.bit_size < smallest[key.algorithm]:
        yield _key(embedded.signer_cert)


def _digests(embedded: EmbeddedPdfSignature) -> Iterator[str]:
    """The document's digest, the attributes' and the signature's own."""
    yield embedded.md_algorithm
    yield embedded.external_md_algorithm
    try:
        yield embedded.signer_info["signature_algorithm"].hash_algo
    except ValueError:
        return


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key
    if key.algorithm == "ec":
        return f"ecdsa-{key.curve[1]}"
    return f"{key.algorithm}{key.bit_size}" if key.algorithm in {"rsa", "rsassa_pss", "dsa"} else str(key.algorithm)
