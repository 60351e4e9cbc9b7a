"""From facts to a verdict. Pure: the inspection and the register's evidence come in, nothing else is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from service.verification.answers import Verdict

if TYPE_CHECKING:
    from service.verification.evidence import Evidence, Owner
    from signing import Inspection, SignatureFacts

Judgement = tuple[Verdict, tuple[str, ...]]
_CAUSES = {"not_pdf": "not_pdf", "encrypted": "encrypted", "weak_format": "weak_algorithm"}
_DOUBTS = {
    "readers": "readers_disagree",
    "bytes_behind": "readers_disagree",
    "look": "readers_disagree",
    "annotations": "annotated_later",
    "field_added": "annotated_later",
    "field_look": "annotated_later",
    "hidden": "annotated_later",
}
"""What a doubt is called before people; any other says only that the file can't be inspected safely."""


def judge(found: Inspection, known: Evidence) -> Judgement:
    """Return verdict and reasons, doubts first: `authentic` is what is left when nothing speaks against it.

    `identical` and `superseded` are not decided here: the first needs no inspection, the second the permit's state.
    """
    if found.outcome == "undetermined":
        return Verdict.UNDETERMINED, (_CAUSES.get(found.cause, "not_inspectable"),)
    signatures = [one for one in found.signatures if one.kind == "signature"]
    if not signatures:
        return _unsigned(found, known)
    if any(one.weak for one in found.signatures):
        return Verdict.UNDETERMINED, ("weak_algorithm",)
    if not any(one.certificate_sha256 in known.owners for one in signatures):
        return _strangers(found, known)
    return _ours(found, signatures, known)


def _unsigned(found: Inspection, known: Evidence) -> Judgement:
    """Nobody signed, or a signature that an earlier revision had is no longer there."""
    if known.descent.released or "signature_missing" in found.changes:
        return Verdict.ALTERED, ("signature_missing",)
    if found.doubts or found.signatures:
        return Verdict.UNDETERMINED, _doubts(found)
    return Verdict.UNSIGNED, ("unsigned",)


def _strangers(found: Inspection, known: Evidence) -> Judgement:
    """No signature is one of ours: all that can be said is whether they hold. Trust is not asked (DESIGN §8).

    What a stranger's program may write after his signature is judged by what it changed, not by how our composer would write it.
    """
    if known.descent.released or found.changes or not all(one.intact and one.valid for one in found.signatures):
        return Verdict.ALTERED, ("bytes_after_signature" if found.changes == ("bytes_behind",) else "changed",)
    if found.doubts or any(one.flaws for one in found.signatures):
        return Verdict.UNDETERMINED, _doubts(found)
    return Verdict.FOREIGN, ("not_ours",)


def _ours(found: Inspection, signatures: list[SignatureFacts], known: Evidence) -> Judgement:
    wrong = tuple(dict.fromkeys(_wrong(found, signatures, known)))
    if wrong:
        return Verdict.ALTERED, wrong
    if found.doubts or not found.strict or not all(_as_written(one, known) for one in found.signatures):
        return Verdict.UNDETERMINED, _doubts(found)
    if not all(one.trusted for one in found.signatures):
        return Verdict.UNDETERMINED, ("not_trusted_now",)
    if known.descent.withheld:
        return Verdict.UNDETERMINED, ("never_released",)
    return Verdict.AUTHENTIC, ("extends_a_version" if known.descent.released else "not_in_archive",)


def _doubts(found: Inspection) -> tuple[str, ...]:
    return tuple(sorted({_DOUBTS.get(doubt, "not_inspectable") for doubt in found.doubts})) or ("not_inspectable",)


def _as_written(one: SignatureFacts, known: Evidence) -> bool:
    """Whether a value bears no trace of other hands; one that a service wrote in its own way is known by its archived bytes."""
    archived = known.descent.released and one.kind == "signature"
    return not one.flaws and (one.canonical or archived)


def _wrong(found: Inspection, signatures: list[SignatureFacts], known: Evidence) -> Iterator[str]:
    """Everything that would not be so in a document as we issue it."""
    if found.changes or not all(one.sound for one in found.signatures):
        yield "changed"
    if found.empty_signature_fields:
        yield "signature_missing"
    by = [known.owners.get(one.certificate_sha256) for one in signatures]
    if not _same_office(by):
        yield "other_signer"
    shape = tuple((one.field, one.locks, one.permission) for one in signatures)
    office = next(owner.office for owner in by if owner)
    if shape not in known.shapes.get(office, frozenset()) or not _in_order(found, signatures):
        yield "unexpected_signatures"
    if (not found.covers_whole_file or found.trailing_bytes) and not _only_validation_data(found, known):
        yield "bytes_after_signature"


def _only_validation_data(found: Inspection, known: Evidence) -> bool:
    """Whether a B-LT document of another archive of ours ends as it was released there: with its store, which nothing covers."""
    last = found.signatures[-1]
    return (
        not known.descent.released
        and (found.tail, found.later_updates, found.has_dss) == ("updates", 1, True)
        and last.modification == "lta"
        and last.level == "B-LT"
    )


def _same_office(by: list[Owner | None]) -> bool:
    """A head, then perhaps the seal, all of one office."""
    kinds = [(owner.office, owner.is_seal) for owner in by if owner]
    return kinds == [(kinds[0][0], False), (kinds[0][0], True)][: len(by)]


def _in_order(found: Inspection, signatures: list[SignatureFacts]) -> bool:
    """Each covers the one before, only the head's certifies, and document time-stamps come last."""
    ends = [one.end for one in found.signatures]
    certifying = [one.certify for one in signatures]
    stamps = found.signatures[len(signatures) :]
    rising = ends == sorted(set(ends))
    return (
        rising and certifying == [True, *[False] * (len(signatures) - 1)] and all(s.kind == "timestamp" for s in stamps)
    )
