"""Reads back what was signed and sealed, from the archive, before it is released and whenever the audit walks (step 7).

What we signed ourselves is proven by its bytes. What a service signed is judged again, against the bytes that it was sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from service.clock import instant
from service.document.locks import certified
from service.document.markers import HEAD, SEAL
from service.pins import Bundle
from service.steps.dispatch import order_of
from service.steps.paper import filled_after, filled_before
from service.steps.qr import check_qr, look, url
from service.steps.sign import appearance
from service.trust import trust
from signing import (
    Expectation,
    ExpectedSignature,
    ProofFailed,
    SignatureSpec,
    accept_returned,
    fill,
    prove,
)

if TYPE_CHECKING:
    from service.wiring import Teken

Record = Mapping[str, Any]


def prove_stored(teken: Teken, row: Row[Any], bundle: Bundle, signatures: Sequence[Record], pdf: bytes) -> None:
    """Prove `pdf`, the stored file of a permit's last signature or seal, from what was ordered on.

    Raises ProofFailed, ArchiveDamaged, and QrDiffers: the QR's text is not what the ordered paper says.
    """
    check_qr(teken, row, bundle)
    if not any(by_service(one) for one in signatures):
        prove(pdf, expectation(teken, row, bundle, signatures))
        return
    before: bytes = teken.archive.get(row.ordered_sha)
    already: tuple[str, ...] = ()
    stored = [teken.archive.get(row.head_sha), pdf] if row.sealed_sha else [pdf]
    for one, after in zip(signatures, stored, strict=True):
        values = filled_after(row, bundle) if one["field"] == SEAL else filled_before(row, bundle)
        if by_service(one):
            _judge(teken, row, bundle, one, fill(before, values), after)
        else:
            prove(after, _stage(row, bundle, one, before, values, already, last=one is signatures[-1]))
        before, already = after, (*already, *values, one.get("in_field", one["field"]))


def by_service(signature: Record) -> bool:
    """Tell whether a service made this signature of a whole document."""
    return "proof" in signature


def expectation(teken: Teken, row: Row[Any], bundle: Bundle, signatures: Sequence[Record]) -> Expectation:
    """Return what the file of this permit must be, if we signed it, from what was recorded: preview, signers, values, QR."""
    before, after = filled_before(row, bundle), filled_after(row, bundle)
    return Expectation(
        preview=teken.archive.get(row.ordered_sha),
        signatures=tuple(_expected(bundle, one) for one in signatures),
        filled=before,
        values=after,
        visible=() if before or after else (row.number,),
        qr_url=url(row, bundle),
    )


def _expected(bundle: Bundle, one: Record) -> ExpectedSignature:
    return ExpectedSignature(
        field=one["field"],
        certificate_sha256=one["certificate_sha256"],
        certify=one["field"] == HEAD,
        chain_sha256=frozenset(one["chain_sha256"]),
        permission=certified(bundle.permit_type.procedure),
    )


def _stage(
    row: Row[Any],
    bundle: Bundle,
    one: Record,
    before: bytes,
    values: Mapping[str, str],
    already: tuple[str, ...],
    *,
    last: bool,
) -> Expectation:
    """Return what our own signature must have made of a file that a service signed before, or will sign after it."""
    return Expectation(
        preview=before,
        signatures=(_expected(bundle, one),),
        values=values,
        already=already,
        qr_url=url(row, bundle) if last else None,
        still_empty=() if last else (SEAL,),
    )


def _judge(teken: Teken, row: Row[Any], bundle: Bundle, one: Record, before: bytes, after: bytes) -> None:
    drawn = look(row, bundle) if one["field"] == SEAL else appearance(bundle.permit_type.procedure, row, bundle)
    order = order_of(before, SignatureSpec(field=one["field"], reason="", location="", appearance=drawn))
    at = instant(one["accepted_at"])
    found = accept_returned(
        before,
        after,
        policy=one["policy"],
        field=one["field"],
        certificate_sha256=one["certificate_sha256"],
        trust=replace(trust(teken.settings), at=at),
        look=order.look,
        at=at,
    )
    if found.proof_strength != one["proof"] or found.signature.field != one.get("in_field", one["field"]):
        raise ProofFailed("proof_signature", "not as it was recorded")
