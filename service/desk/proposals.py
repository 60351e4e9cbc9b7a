"""What needs two people: one proposes, another one confirms, and only then it is carried out, in the same transaction."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select, update

from service.canonical import dumps
from service.clock import stamp
from service.desk import book
from service.errors import Conflict, NotFound
from service.store.desk_tables import Decision, proposals

if TYPE_CHECKING:
    from service.desk.accounts import Account
    from service.wiring import Teken

Carry = Callable[["Teken", Connection, "Proposal"], None]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody proposed. `payload` is the kind's own."""

    id: str
    office: str
    kind: str
    subject: str | None
    payload: Mapping[str, Any]
    proposed_by: str
    proposed_at: str
    state: str
    decided_by: str | None
    decided_at: str | None

    @classmethod
    def of(cls, row: Row[Any]) -> Proposal:
        """Return the proposal of a row."""
        return cls(**{**row._mapping, "payload": json.loads(row.payload)})  # noqa: SLF001 - SQLAlchemy's public name


def propose(teken: Teken, who: Account, kind: str, payload: Mapping[str, Any], *, subject: str | None = None) -> str:
    """Store a proposal of the person's own office; return its id."""
    row = {
        "id": f"pro_{secrets.token_hex(10)}",
        "office": who.office,
        "kind": kind,
        "subject": subject,
        "payload": dumps(dict(payload)),
        "proposed_by": who.id,
        "proposed_at": stamp(teken.clock.now()),
        "state": str(Decision.OPEN),
    }
    with teken.db.write() as connection:
        connection.execute(insert(proposals).values(**row))
        book.note(
            teken,
            office=who.office,
            account=who.id,
            action=f"{kind}.proposed",
            permit=_permit(kind, subject),
            connection=connection,
            proposal=row["id"],
        )
    return str(row["id"])


def confirm(teken: Teken, who: Account, proposal: str, carry: Carry) -> Proposal:
    """Confirm and carry out in one transaction.

    Raises NotFound, Conflict: "own_proposal" (whoever proposed can't confirm), "proposal_decided"; and what `carry` raises.
    """
    return _decide(teken, who, proposal, Decision.CONFIRMED, carry)


def refuse(teken: Teken, who: Account, proposal: str, carry: Carry | None = None) -> Proposal:
    """Decline, or take one's own proposal back. Raises NotFound, Conflict("proposal_decided"); and what `carry` raises."""
    return _decide(teken, who, proposal, Decision.REFUSED, carry)


def explained(reason: str) -> Carry:
    """Return what keeps a reason with a proposal that is declined, under "reason" in its payload."""

    def carry(_teken: Teken, connection: Connection, one: Proposal) -> None:
        payload = dumps({**one.payload, "reason": reason})
        connection.execute(update(proposals).where(proposals.c.id == one.id).values(payload=payload))

    return carry


def find(teken: Teken, office: str, proposal: str) -> Proposal:
    """Return a proposal of this office. Raises NotFound."""
    mine = (proposals.c.id == proposal) & (proposals.c.office == office)
    with teken.db.read() as connection:
        row = connection.execute(select(proposals).where(mine)).first()
    if row is None:
        raise NotFound("proposal_unknown")
    return Proposal.of(row)


def of_kinds(
    teken: Teken,
    office: str,
    kinds: Collection[str],
    *,
    state: Decision | None = None,
    subject: str | None = None,
    most: int = 200,
) -> list[Proposal]:
    """Return an office's proposals of these kinds, newest first."""
    query = select(proposals).where(proposals.c.office == office, proposals.c.kind.in_(kinds))
    if state is not None:
        query = query.where(proposals.c.state == str(state))
    if subject is not None:
        query = query.where(proposals.c.subject == subject)
    with teken.db.read() as connection:
        return [
            Proposal.of(row) for row in connection.execute(query.order_by(proposals.c.proposed_at.desc()).limit(most))
        ]


def _decide(teken: Teken, who: Account, proposal: str, to: Decision, carry: Carry | None) -> Proposal:
    with teken.db.write() as connection:
        mine = (proposals.c.id == proposal) & (proposals.c.office == who.office)
        row = connection.execute(select(proposals).where(mine).with_for_update()).first()
        if row is None:
            raise NotFound("proposal_unknown")
        if row.state != Decision.OPEN:
            raise Conflict("proposal_decided")
        if to is Decision.CONFIRMED and row.proposed_by == who.id:
            raise Conflict("own_proposal")
        decided = {"state": str(to), "decided_by": who.id, "decided_at": stamp(teken.clock.now())}
        connection.execute(update(proposals).where(proposals.c.id == proposal).values(**decided))
        found = Proposal.of(connection.execute(select(proposals).where(proposals.c.id == proposal)).one())
        if carry is not None:
            carry(teken, connection, found)
        action = f"{row.kind}.{to}"
        permit = _permit(row.kind, row.subject)
        book.note(
            teken,
            office=who.office,
            account=who.id,
            action=action,
            permit=permit,
            connection=connection,
            proposal=proposal,
        )
    return found


def _permit(kind: str, subject: str | None) -> str | None:
    """Return the permit that a proposal speaks of, for the desk's log."""
    return subject if kind.startswith("permit.") else None
