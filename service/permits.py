"""The permit: its states, the one table of transitions, and when it is in force. Pure Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NewType

PermitId = NewType("PermitId", str)
CORRECTION = "PERBAIKAN"
"""The request kind of a permit that corrects another one's wrong data; only the office itself makes it (ADR 0041)."""
MOVE = "CABUT_PINDAH"
"""The request kind of a permit whose holder practises elsewhere from now on: its issue revokes the old one (ADR 0043)."""


class State(StrEnum):
    """Where a permit stands. `expired` is not a state: it is computed."""

    RECEIVED = "received"
    DRAFTED = "drafted"
    IN_PARAF = "in_paraf"
    RETURNED = "returned"
    NUMBERED = "numbered"
    SIGNING = "signing"
    SIGNED = "signed"
    SEALED = "sealed"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    REPLACED = "replaced"
    CLOSED = "closed"
    PARKED = "parked"


S = State
TRANSITIONS: Mapping[State, frozenset[State]] = {
    S.RECEIVED: frozenset(
        {S.DRAFTED, S.IN_PARAF, S.NUMBERED, S.RETURNED, S.CLOSED, S.PARKED}
    ),  # further at once: a correction keeps its number, and readings of the same content
    S.DRAFTED: frozenset({S.RECEIVED, S.IN_PARAF, S.NUMBERED, S.SIGNING, S.RETURNED, S.CLOSED, S.PARKED}),
    S.IN_PARAF: frozenset({S.RECEIVED, S.NUMBERED, S.SIGNING, S.RETURNED, S.CLOSED, S.PARKED}),
    S.RETURNED: frozenset({S.RECEIVED, S.CLOSED}),
    S.NUMBERED: frozenset(
        {S.RECEIVED, S.IN_PARAF, S.SIGNING, S.RETURNED, S.CLOSED, S.PARKED}
    ),  # back: re-pinned, new year
    S.SIGNING: frozenset(
        {S.SIGNED, S.NUMBERED, S.IN_PARAF, S.CLOSED, S.PARKED}
    ),  # back: the mandate ended before the signature
    S.SIGNED: frozenset({S.SEALED, S.IN_FORCE, S.CLOSED, S.PARKED}),
    S.SEALED: frozenset({S.IN_FORCE, S.CLOSED, S.PARKED}),
    S.IN_FORCE: frozenset({S.SUSPENDED, S.REVOKED, S.REPLACED}),
    S.SUSPENDED: frozenset({S.IN_FORCE, S.REVOKED, S.REPLACED}),
    S.REVOKED: frozenset(),
    S.REPLACED: frozenset(),
    S.CLOSED: frozenset(),
    S.PARKED: frozenset({S.RECEIVED, S.DRAFTED, S.IN_PARAF, S.NUMBERED, S.SIGNING, S.SIGNED, S.SEALED, S.CLOSED}),
}

RELEASED = frozenset({S.IN_FORCE, S.SUSPENDED, S.REVOKED, S.REPLACED})
"""States in which the world may know the permit (I5)."""

BEFORE_ISSUE = frozenset(S) - RELEASED - {S.CLOSED}
"""States from which a case may still be withdrawn."""


class Standing(StrEnum):
    """What a released permit is worth on one day: the public answer of §8."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    REPLACED = "replaced"


EXPIRING_DAYS = 30
_FIXED = {S.SUSPENDED: Standing.SUSPENDED, S.REVOKED: Standing.REVOKED, S.REPLACED: Standing.REPLACED}


def may_become(now: State, then: State) -> bool:
    """Tell whether the transition is in the table."""
    return then in TRANSITIONS[now]


def standing(state: State, valid_from: date, valid_to: date, day: date) -> Standing:
    """Return what a released permit is worth on `day`, a date in the office's time zone. `valid_to` is its last valid day."""
    assert state in RELEASED, state
    if state in _FIXED:
        return _FIXED[state]
    if day < valid_from:
        return Standing.NOT_YET
    if day > valid_to:
        return Standing.EXPIRED
    return Standing.EXPIRING if (valid_to - day).days <= EXPIRING_DAYS else Standing.IN_FORCE


def in_force(state: State, valid_from: date, valid_to: date, day: date) -> bool:
    """Tell whether the holder may practise on `day`."""
    return state in RELEASED and standing(state, valid_from, valid_to, day) in {Standing.IN_FORCE, Standing.EXPIRING}


@dataclass(frozen=True, slots=True)
class Period:
    """From the set date to the last valid day, both included."""

    valid_from: date
    valid_to: date


def validity(set_on: date, str_until: date | None, *, years: int, cap_at_str: bool, inclusive_end: bool) -> Period:
    """Return the period: `years` from the set date, or until the STR's own end if that comes first.

    UU 17/2023 art. 264(3) gives five years; SE HK.02.01/MENKES/6/2024 lets a dated STR end the permit.
    """
    end = _anniversary(set_on, years)
    if inclusive_end:
        end = date.fromordinal(end.toordinal() - 1)
    if cap_at_str and str_until is not None and str_until < end:
        end = str_until
    return Period(set_on, end)


def _anniversary(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 2, 28)
