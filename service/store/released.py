"""Finds a permit by its code as the public may: through an index that holds released permits and no others.

A code that exists and is not issued is looked for exactly as one that does not exist: no clock tells them apart (ADR 48).
"""

from __future__ import annotations

from sqlalchemy import BindParameter, ColumnElement, Index, and_, func, text

from service.permits import RELEASED
from service.store.tables import permits

_STATES = ", ".join(f"'{state}'" for state in sorted(RELEASED))
ONLY = text(f"state IN ({_STATES})")
"""In the words of the index: with other words, or through the column's own index, the row behind the code would be read."""
Index("permits_released_code", func.lower(permits.c.code), unique=True, sqlite_where=ONLY, postgresql_where=ONLY)


def has_code(code: str | BindParameter[str]) -> ColumnElement[bool]:
    """Return the condition that a permit is released and has this code; the value of a parameter must be in lower case."""
    wanted = code.lower() if isinstance(code, str) else code
    return and_(func.lower(permits.c.code) == wanted, text(f"permits.state IN ({_STATES})"))
