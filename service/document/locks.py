"""What each signature of a permit freezes and what it permits afterwards (docs/ISSUANCE.md, docs/adr/0013)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from service.document.markers import LATER, SEAL
from signing import ARCHIVE_FIELDS, Lock, Permission

if TYPE_CHECKING:
    from service.sop.model import Procedure

FILL_AND_SIGN: Final[Permission] = 2
NOTHING: Final[Permission] = 1
"""DocMDP permissions (ISO 32000-2, 12.8.2.2). Archiving is no change (Table 257)."""

SEAL_LOCK: Final = Lock("exclude", ARCHIVE_FIELDS, NOTHING)
"""The seal can't certify: its lock is its permission."""
_SEAL_LOCK_BEHIND_VALUES: Final = Lock("exclude", (*LATER, *ARCHIVE_FIELDS), NOTHING)


def certified(procedure: Procedure) -> Permission:
    """Return what the head's certification permits: nothing where no seal follows."""
    return FILL_AND_SIGN if procedure.sealed else NOTHING


def head_lock(procedure: Procedure) -> Lock | None:
    """Return what the head's signature freezes: all but what is filled or signed after it, and archiving.

    Where nothing follows the certification forbids every change, and a lock would only make validators warn of archiving.
    """
    if not procedure.sealed:
        return None
    later = LATER if procedure.number_after else ()
    return Lock("exclude", (*later, SEAL, *ARCHIVE_FIELDS), FILL_AND_SIGN)


def seal_lock(procedure: Procedure) -> Lock:
    """Return what the seal freezes: everything, since it permits nothing but archiving.

    Values that an earlier update filled stand outside its lock: pyHanko takes their drawings under a later lock for a change.
    """
    return _SEAL_LOCK_BEHIND_VALUES if procedure.number_at_sign else SEAL_LOCK
