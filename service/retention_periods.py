"""How long what is not a register, a journal or an issued document is kept, in days (UU 27/2022, articles 8 and 43 to 45)."""

from __future__ import annotations

from dataclasses import dataclass, fields

SAFE_DAYS = 7
"""Younger bytes may belong to work that is under way."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Days after which each class goes; 0 keeps it for ever.

    `returned`: a case that upstream never corrected is closed. `closed`: the content of a case that was never issued is erased. `drafts`:
    what was typed at the desk and decided, or forgotten. `codes`: requests for one-time codes. `files`: bytes in the archive that nothing
    names any more.
    """

    returned: int = 1095
    closed: int = 730
    drafts: int = 90
    codes: int = 90
    files: int = SAFE_DAYS


def read(text: str) -> Periods:
    """Read "closed=365,drafts=30"; what is not named keeps its default.

    Raises ValueError in words that follow the variable's name.
    """
    known = {one.name for one in fields(Periods)}
    given = dict(part.strip().partition("=")[::2] for part in text.split(",") if part.strip())
    if not (given.keys() <= known and all(days.isdecimal() for days in given.values())):
        raise ValueError(f"must be like closed=730,drafts=90; known are {', '.join(sorted(known))}")
    periods = Periods(**{name: int(days) for name, days in given.items()})
    if 0 < periods.files < SAFE_DAYS:
        raise ValueError(f"files must be at least {SAFE_DAYS}: younger bytes may belong to work that is under way")
    return periods
