"""What became of a permit's notices, for whoever looks at the case."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from service.store import notices as store
from service.store.notice_tables import Outcome, notices

_MOST = 20


@dataclass(frozen=True, slots=True)
class Told:
    """One notice. `at`: when it ended, or is tried next. `failed`: somebody should tell the applicant himself."""

    kind: str
    channel: str
    outcome: Outcome
    at: str
    failed: bool


def of_permit(connection: Connection, permit: str) -> tuple[Told, ...]:
    """Return them, the newest first."""
    rows = store.listed(connection, notices.c.permit == permit, most=_MOST)
    return tuple(
        Told(row.kind, row.channel, Outcome(row.outcome), row.ended_at or row.due_at, row.outcome in UNTOLD)
        for row in rows
    )


UNTOLD = frozenset({*store.FAILED, Outcome.NO_ADDRESS})
