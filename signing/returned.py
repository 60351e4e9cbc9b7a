"""What a service gave back is believed only when everything but its signature is what we sent.

The order of `accept_returned` is the order of the argument: our bytes are still there, exactly one signature is new, it is
the right person's and covers the file, nothing else changed, earlier signatures hold. A service that writes the file anew
takes the first step away; then content is compared, and the weaker proof is said.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, ModificationLevel
from pyhanko.sign.diff_analysis.policy_api import SuspiciousModification

from signing.backends.documents import Look
from signing.errors import ProofFailed, translated
from signing.facts import Inspection, SignatureFacts, Trust
from signing.inspection import inspect
from signing.samecontent import prove_same_content

Policy = Literal["strict", "own_field", "rewritten"]
Strength = Literal["bytes", "content"]

_MOST_ADDED: Final = 8 << 20
_CLOCKS_APART: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A returned document that is ours. `bytes`: it begins with what was sent; `content`: it was written anew.

    `notes` say what an operator should know: own_field, rewritten, clock_off, archival_update, tail_unaccounted.
    """

    pdf: bytes = field(repr=False)
    proof_strength: Strength
    signature: SignatureFacts
    notes: tuple[str, ...]


def accept_returned(
    sent: bytes,
    returned: bytes,
    *,
    policy: Policy,
    field: str,
    certificate_sha256: str,
    trust: Trust,
    look: Look | None = None,
    at: datetime | None = None,
) -> Accepted:
    """Accept what a service returned for `sent`, or raise ProofFailed returned_*: then it is quarantined, never released.

    `strict`: our bytes, our field. `own_field`: our bytes, a field of the service's own. `rewritten`: any of these, or a
    file written anew whose text, look, attachments and behaviour are the same. `look` is what was ordered to be shown, and
    where; without it nothing may show. `at` is when it was sent (now).
    """
    with translated(ProofFailed, "returned_unreadable"):
        appended = returned.startswith(sent)
        if not appended and policy != "rewritten":
            raise ProofFailed("returned_prefix")
        if len(returned) > 2 * len(sent) + _MOST_ADDED:
            raise ProofFailed("returned_unreadable", "too large")
        before, after = _inspected(sent, trust), _inspected(returned, trust)
        new = _new_signature(before, after)
        _check_signer(new, certificate_sha256)
        _check_earlier(before, after, appended=appended)
        _check_fields(before, after, new, field, policy)
        notes = _coverage_notes(after, new, policy)
        if appended:
            _check_difference(sent, returned, new)
        prove_same_content(sent, returned, new.field, look)
        if new.field != field:
            notes.append("own_field")
        if not appended:
            notes.append("rewritten")
        if _clock_off(new, at or datetime.now(UTC)):
            notes.append("clock_off")
        return Accepted(returned, "bytes" if appended else "content", new, tuple(notes))


def _inspected(pdf: bytes, trust: Trust) -> Inspection:
    found = inspect(pdf, trust)
    if found.outcome != "inspected":
        raise ProofFailed("returned_unreadable", found.cause)
    return found


def _new_signature(before: Inspection, after: Inspection) -> SignatureFacts:
    """The one signature that was not there. Document time-stamps may follow it."""
    known = {signature.field for signature in before.signatures}
    new = [one for one in after.signatures if one.field not in known and one.kind == "signature"]
    if len(new) != 1:
        raise ProofFailed("returned_signature", f"{len(new)} new signatures")
    if not (new[0].sound and new[0].trusted) or new[0].certify:
        raise ProofFailed("returned_signature", new[0].trust_problem or "not sound")
    return new[0]


def _check_signer(new: SignatureFacts, certificate_sha256: str) -> None:
    """The certificate itself, never its name: anybody can make a CA with our names."""
    if new.certificate_sha256 != certificate_sha256:
        raise ProofFailed("returned_certificate")


def _check_fields(before: Inspection, after: Inspection, new: SignatureFacts, field: str, policy: Policy) -> None:
    """The signature is where it was agreed, and no other field was made, filled or left over."""
    if new.field != field and policy == "strict":
        raise ProofFailed("returned_field")
    waiting = tuple(name for name in before.empty_signature_fields if name != new.field)
    if after.empty_signature_fields != waiting or after.values != before.values:
        raise ProofFailed("returned_field", "fields differ")
    if new.field != field and new.field in before.empty_signature_fields:
        raise ProofFailed("returned_field", "another signature's place was taken")
    if new.field != field and field in waiting:
        raise ProofFailed("returned_field", "the agreed field is still empty")


def _coverage_notes(after: Inspection, new: SignatureFacts, policy: Policy) -> list[str]:
    """The signature covers the file, or only long-term data follows it."""
    if new.coverage == "entire_file" and after.covers_whole_file:
        return []
    if new.modification != "lta":
        raise ProofFailed("returned_coverage")
    if after.tail == "unaccounted":  # another program's update: our strict reader can't vouch for its unused bytes
        if policy == "strict":
            raise ProofFailed("returned_coverage", "bytes behind the signature")
        return ["archival_update", "tail_unaccounted"]
    return ["archival_update"]


def _check_earlier(before: Inspection, after: Inspection, *, appended: bool) -> None:
    """Earlier signatures are still there, by the same certificates, and hold. No rewritten file can keep one."""
    if before.signatures and not appended:
        raise ProofFailed("returned_earlier", "written anew")
    now = {one.field: one for one in after.signatures}
    for earlier in before.signatures:
        one = now.get(earlier.field)
        if one is None or not one.sound or one.certificate_sha256 != earlier.certificate_sha256:
            raise ProofFailed("returned_earlier", earlier.field)


def _check_difference(sent: bytes, returned: bytes, new: SignatureFacts) -> None:
    """Between what was sent and what was signed lies a signature and nothing else.

    The signature itself vouches for all that it covers, so whatever was smuggled in before signing shows only here. The
    comparison starts from the form of what was sent, so that has one: `prepare_fields`, with no field if the service
    makes its own.
    """
    signed = PdfFileReader(io.BytesIO(returned[: new.end]), strict=True)
    revisions = PdfFileReader(io.BytesIO(sent), strict=True).xrefs.total_revisions
    found = DEFAULT_DIFF_POLICY.review_file(signed, revisions - 1)
    if isinstance(found, SuspiciousModification):
        raise ProofFailed("returned_changes")
    if found.modification_level > ModificationLevel.FORM_FILLING:
        raise ProofFailed("returned_changes", found.modification_level.name)


def _clock_off(new: SignatureFacts, at: datetime) -> bool:
    """The signing time is the service's claim; it is told when it differs from ours, since it is what viewers show."""
    claimed = new.timestamp_at or new.signed_at
    return claimed is not None and abs(claimed - at) > _CLOCKS_APART
