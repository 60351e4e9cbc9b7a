"""Proves what an update does to the document security store (ETSI EN 319 142-1, 5.4.2): it grows, by whole DER objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pikepdf
from asn1crypto import parser
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from signing.changes import Revision, prove_same, raw
from signing.errors import ProofFailed
from signing.revisions import Update
from signing.revocation import Evidence

_READ: Final[Mapping[str, Callable[[bytes], object]]] = {
    "/Certs": x509.load_der_x509_certificate,
    "/CRLs": x509.load_der_x509_crl,
    "/OCSPs": ocsp.load_der_ocsp_response,
}
_DECLARED: Final = b"<< /BaseVersion /1.7 /ExtensionLevel 1 /Type /DeveloperExtensions >>"


def prove_store(below: Revision, above: Revision, update: Update, evidence: Evidence | None) -> set[int]:
    """Prove that the store only grew, by what `evidence` holds if that is given; return the objects written for it."""
    before, after = below.document.Root, above.document.Root
    declared = _is_declared(before, after)
    prove_same(before, after, {"/DSS", "/Extensions"} if declared else {"/DSS"}, "catalog")
    if "/DSS" not in after:
        if "/DSS" in before:
            raise ProofFailed("proof_dss", "it is gone")
        return set()
    store = after.DSS
    written = {store.objgen[0]} if store.objgen[0] in update.objects else set()
    if "/DSS" not in before or declared:
        written.add(after.objgen[0])
    if "/DSS" not in before:
        if store.objgen[0] < update.first_new:
            raise ProofFailed("proof_dss", "it takes the place of another object")
    elif before.DSS.objgen != store.objgen:
        raise ProofFailed("proof_dss", "another one")
    return written | _grown(before.get("/DSS", pikepdf.Dictionary()), store, update, _allowed(evidence))


def _is_declared(before: pikepdf.Object, after: pikepdf.Object) -> bool:
    """Tell whether a store comes with its declaration (EN 319 142-1, 5.6), which no signature of ours has made before."""
    old, new = before.get("/Extensions", pikepdf.Dictionary()), after.get("/Extensions", pikepdf.Dictionary())
    if "/DSS" not in after or "/ESIC" in old or "/ESIC" not in new:
        return False
    prove_same(old, new, {"/ESIC"}, "extensions")
    return not (old.is_indirect or new.is_indirect) and raw(new, "/ESIC") == _DECLARED


def _grown(
    before: pikepdf.Object, store: pikepdf.Object, update: Update, allowed: Mapping[str, frozenset[bytes]] | None
) -> set[int]:
    kept, there = set(before.keys()), set(store.keys())
    if kept - there or any(key not in kept or raw(before, key) != raw(store, key) for key in there - set(_READ)):
        raise ProofFailed("proof_dss", "other entries than certificates, CRLs and OCSP answers")
    written: set[int] = set()
    for key in there & set(_READ):
        old = [entry.objgen for entry in before.get(key, ())]
        new = [entry.objgen for entry in store[key]]
        if store[key].is_indirect or new[: len(old)] != old or len(set(new)) != len(new):
            raise ProofFailed("proof_dss", f"{key} does not only grow")
        for stream in list(store[key])[len(old) :]:
            _prove_content(key, stream, update, allowed)
            written.add(stream.objgen[0])
    return written


def _prove_content(
    key: str, stream: pikepdf.Object, update: Update, allowed: Mapping[str, frozenset[bytes]] | None
) -> None:
    """Exactly one DER object of its kind, in a new and plain stream."""
    if stream.objgen[0] < update.first_new or set(stream.keys()) - {"/Length", "/Filter"}:
        raise ProofFailed("proof_dss", f"{key}: not a plain new stream")
    content = stream.read_bytes()
    try:
        _READ[key](content)
        whole = parser.peek(content) == len(content)
    except ValueError:
        whole = False
    if not whole or (allowed is not None and content not in allowed[key]):
        raise ProofFailed("proof_dss", f"{key}: other content than meant")


def _allowed(evidence: Evidence | None) -> Mapping[str, frozenset[bytes]] | None:
    """The evidence by kind; an OCSP answer brings its responder's certificate along."""
    if evidence is None:
        return None
    answers = [ocsp.load_der_ocsp_response(der) for der in evidence.ocsps_der]
    brought = {one.public_bytes(Encoding.DER) for answer in answers for one in answer.certificates}
    return {
        "/Certs": frozenset(evidence.certificates_der) | brought,
        "/CRLs": frozenset(evidence.crls_der),
        "/OCSPs": frozenset(evidence.ocsps_der),
    }
