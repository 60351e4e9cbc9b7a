"""Raises a document to the level that the office wants, and proves what was added. Knows no state and writes no table.

Levels go from B-B to B-LTA. A level that can't be reached is an error that says why, never a lower one (§7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from service.clock import stamp
from service.errors import TekenError
from service.trust import trust
from signing import (
    Evidence,
    ExpectedExtension,
    Extended,
    SigningError,
    StampFacts,
    due_for_renewal,
    extend_lt,
    extend_lta,
    gather,
    prove_extension,
    read_stamps,
    renew,
)

if TYPE_CHECKING:
    from service.wiring import Teken

LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
MARGIN = timedelta(days=180)
"""How long before a time-stamp loses its worth it is renewed."""


class NoTimestamper(TekenError):
    """The office wants a level that needs a time-stamping authority, and none is configured."""

    code = "timestamper_missing"


class NothingGained(TekenError):
    """A renewal would prove the document for no longer than it is proven already."""

    code = "renewal_gains_nothing"


class TooLate(TekenError):
    """The newest time-stamp has lost its worth: no later one can vouch for it. Archive and register still do (ADR 0014)."""

    code = "renewal_too_late"


@dataclass(frozen=True, slots=True)
class Longer:
    """A longer document, proven: its level, and until when its time-stamps hold."""

    pdf: bytes = field(repr=False)
    level: str
    until: datetime


def below(level: str, wanted: str) -> bool:
    """Tell whether a level is lower than another."""
    return LEVELS.index(level) < LEVELS.index(wanted)


def level_of(signatures: Iterable[Mapping[str, Any]]) -> str:
    """Return the level of a document: that of its weakest signature."""
    return min((str(one["level"]) for one in signatures), key=LEVELS.index)


def raised(signatures: Iterable[Mapping[str, Any]], level: str) -> list[dict[str, Any]]:
    """Return the signatures as the longer document carries them."""
    return [{**one, "level": level} for one in signatures]


def stamped(signatures: Iterable[Mapping[str, Any]], pdf: bytes) -> list[dict[str, Any]]:
    """Return the signatures of `pdf` with every time-stamp that vouches for each: its own first, then the document's.

    Only to be told later: whatever can't be read here leaves them as they are, and stops no document.
    """
    listed = [dict(one) for one in signatures]
    if all(one["level"] == LEVELS[0] for one in listed):
        return listed
    try:
        found = read_stamps(pdf)
    except SigningError:
        return listed
    if len(found.own) != len(listed):
        return listed
    archive = [_noted("document", one) for one in found.archive]
    for one, own in zip(listed, found.own, strict=True):
        one["stamps"] = [*([_noted("signature", own)] if own else []), *archive]
    return listed


def _noted(what: str, one: StampFacts) -> dict[str, str]:
    return {"what": what, "by": one.by, "certificate_sha256": one.certificate_sha256, "at": stamp(one.at)}


def extend(teken: Teken, pdf: bytes, level: str, wanted: str) -> Longer:
    """Raise a document of `level` to `wanted`.

    What has no time-stamp of its own gets the document's, which is B-LTA. Raises NoTimestamper, SigningError.
    """
    if level == "B-B" or wanted == "B-LTA":
        return _stamped(teken, pdf, again=False)
    evidence = gather(pdf, trust(teken.settings), teken.revocation, teken.clock.now())
    return _proven(teken, extend_lt(pdf, evidence), pdf, evidence, stamped=False)


def renewed(teken: Teken, pdf: bytes, level: str) -> Longer:
    """Add a document time-stamp, the next or the first, while what was proven so far is good.

    Raises TooLate, NothingGained, NoTimestamper, SigningError.
    """
    until = proven_until(teken, pdf)
    if until <= teken.clock.now():
        raise TooLate
    longer = _stamped(teken, pdf, again=level == "B-LTA")
    if longer.until <= until:
        raise NothingGained
    return longer


def proven_until(teken: Teken, pdf: bytes) -> datetime:
    """Return when the newest time-stamp's certificate or algorithm loses its worth."""
    return due_for_renewal(pdf, teken.clock.now(), MARGIN).until


def _stamped(teken: Teken, pdf: bytes, *, again: bool) -> Longer:
    if teken.timestamper is None:
        raise NoTimestamper
    trusted, now = trust(teken.settings), teken.clock.now()
    evidence = gather(pdf, trusted, teken.revocation, now, timestamper=teken.timestamper)
    longer = (renew if again else extend_lta)(pdf, teken.timestamper, evidence)
    return _proven(teken, longer, pdf, evidence, stamped=True)


def _proven(teken: Teken, longer: Extended, before: bytes, evidence: Evidence, *, stamped: bool) -> Longer:
    trusted = trust(teken.settings)
    stamps = (longer.field,) if stamped else ()
    expected = ExpectedExtension(stamps, longer.level, evidence, trusted.anchors_der, trusted.intermediates_der)
    prove_extension(longer.pdf, before, expected)
    return Longer(longer.pdf, longer.level, proven_until(teken, longer.pdf))
