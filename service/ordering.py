"""Orders the signature of many papers in one transaction: the same as `acts.order_signature`, where nothing speaks against it.

Whatever is not plain stays as it was: that function then finds the refusal, or what has to be done first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from service import flow, journal, moves
from service.errors import TekenError
from service.people import Actor, actor, local_day, signatory
from service.permits import State, may_become
from service.pins import Bundle
from service.sop.model import Verb
from service.store import batches, dispatches
from service.store.permits import at_desk, order_all
from service.store.tables import acts

if TYPE_CHECKING:
    from service.wiring import Teken


def order_plain(
    connection: Connection, teken: Teken, official: str, batch: str, papers: Mapping[str, tuple[Bundle, str]]
) -> set[str]:
    """Order each permit whose paper is, unchanged, what was read (`papers`: its bundle and that hash); return their ids."""
    who, now = _Signatory(connection, teken, official), teken.clock.now()
    rows = [row for row in at_desk(connection, papers.keys()) if who.may_order(row, *papers[row.id])]
    ids = [row.id for row in rows]
    stuck = _signed_already(connection, ids) | dispatches.unsettled_among(connection, ids)
    rows = [row for row in rows if row.id not in stuck]
    if not rows:
        return set()
    moved = order_all(connection, rows, now)
    assert all(flow.queue(row, papers[row.id][0].permit_type.procedure) == "sign" for row in moved)
    told = [moves.entry(row, "permit.sign_ordered", who.told(row, papers[row.id][0])) for row in moved]
    journal.append_all(connection, teken.notary, now, told)
    ordered = {row.id for row in moved}
    batches.order_all(connection, batch, ordered)
    return ordered


@dataclass(slots=True)
class _Signatory:
    """One official: in which role of which bundle he may act, and whether the papers of today name him. Asked once each."""

    connection: Connection
    teken: Teken
    official: str
    _known: dict[tuple[str, str], tuple[Actor, str] | None] = field(default_factory=dict)

    def may_order(self, row: Row[Any], bundle: Bundle, seen_sha: str) -> bool:
        """Tell whether nothing at all speaks against his order."""
        procedure = bundle.permit_type.procedure
        due = flow.at(procedure, row.position)
        if row.pin != bundle.pin or due is None or due.verb is not Verb.SIGN or procedure.number_at_sign:
            return False
        if row.final_sha is None or row.final_sha != seen_sha or not may_become(State(row.state), State.SIGNING):
            return False
        known = self._as(bundle, str(due.role))
        return known is not None and known[1] == row.signatory

    def told(self, row: Row[Any], bundle: Bundle) -> dict[str, Any]:
        due = flow.at(bundle.permit_type.procedure, row.position)
        known = self._as(bundle, str(due.role)) if due else None
        assert known is not None, "asked before"
        return {"sha256": row.ordered_sha, "mandate": known[0].mandate}

    def _as(self, bundle: Bundle, role: str) -> tuple[Actor, str] | None:
        """Return him as actor with the text that papers name him by today, or None if he is not the one who signs."""
        if (bundle.pin, role) not in self._known:
            self._known[bundle.pin, role] = self._found(bundle, role)
        return self._known[bundle.pin, role]

    def _found(self, bundle: Bundle, role: str) -> tuple[Actor, str] | None:
        now = self.teken.clock.now()
        try:
            who = actor(self.connection, bundle.office, self.official, role, local_day(bundle.office, now))
            today = signatory(self.connection, bundle.office, role, now)
        except TekenError:
            return None
        return (who, today.as_json()) if today.official == self.official else None


def _signed_already(connection: Connection, ids: list[str]) -> set[str]:
    """A correction may have kept the signature's act: then the permit passes over it, which is not plain."""
    kept = select(acts.c.permit).where(
        acts.c.permit.in_(ids), acts.c.verb == str(Verb.SIGN), acts.c.voided_at.is_(None)
    )
    return set(connection.execute(kept).scalars())
