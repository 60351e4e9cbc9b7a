"""What may be asked: a client's permits, documents and events; an office's waiting list; whether the service is ready. Writes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select, text

from service import flow, journal
from service.archive import ArchiveDamaged, ArchiveUnreachable
from service.archive_standing import standing
from service.clients import Client
from service.deadlines import deadlines
from service.errors import NotFound, NotIssued
from service.permits import RELEASED, State
from service.pins import Bundle
from service.sop.model import How
from service.store import StoreBusy
from service.store.tables import acts, permits, revisions, tickets

if TYPE_CHECKING:
    from service.wiring import Teken

MOST_EVENTS = 500


@dataclass(frozen=True, slots=True)
class Document:
    """A released document: exactly the stored bytes."""

    pdf: bytes
    sha256: str
    filename: str


def permit(teken: Teken, client: Client, permit_id: str) -> dict[str, Any]:
    """Return a client's permit: where it stands and, once known, its number, validity, document and ticket.

    Raises NotFound, also for another client's permit.
    """
    with teken.db.read() as connection:
        row = _own(connection, client, permit_id)
        ticket = connection.execute(select(tickets.c.code).where(tickets.c.permit == row.id)).scalar_one_or_none()
    released = row.state in RELEASED
    due = flow.at(teken.pins.open(row.pin).permit_type.procedure, row.position) if row.queue != "none" else None
    return {
        "id": row.id,
        "office": row.office,
        "type": row.type,
        "upstream_id": row.upstream_id,
        "request_kind": row.request_kind,
        "replaces": row.replaces,
        "state": row.state,
        "revision": row.revision,
        "due": {"row": due.row, "verb": str(due.verb), "role": due.role} if due else None,
        "fault": row.fault,
        "number": row.number,
        "set_on": row.set_on,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "verify_url": row.verify_url if released else None,
        "document": f"/api/v1/permits/{row.id}/document" if released else None,
        "sha256": row.released_sha,
        "ticket": ticket,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def document(teken: Teken, client: Client, permit_id: str) -> Document:
    """Return the released document of a client's permit.

    Raises NotFound, NotIssued, ArchiveDamaged.
    """
    with teken.db.read() as connection:
        row = _own(connection, client, permit_id)
    return released(teken, row)


def released(teken: Teken, row: Row[Any]) -> Document:
    """Return a permit's released document; its file name says the code of the permit, nothing of the person.

    Raises NotIssued.
    """
    if row.state not in RELEASED:
        raise NotIssued(state=row.state)
    return Document(teken.archive.get(row.released_sha), row.released_sha, f"izin-{row.id}.pdf")


def events(teken: Teken, client: Client, after: int, limit: int) -> dict[str, Any]:
    """Return the client's events after a sequence number, and the number to ask after next: the pull feed."""
    with teken.db.read() as connection:
        found = journal.feed(connection, client.id, after, min(limit, MOST_EVENTS))
    return {"events": found, "next": found[-1]["seq"] if found else after}


def preview(teken: Teken, permit_id: str) -> tuple[bytes | None, str | None]:
    """Return the paper as it is read now (final, or draft before the number) and its SHA-256; for people of the office."""
    with teken.db.read() as connection:
        row = _any(connection, permit_id)
    sha = row.final_sha or row.draft_sha
    return (teken.archive.get(sha), sha) if sha else (None, None)


def waiting(teken: Teken, office: str) -> list[dict[str, Any]]:
    """Return what waits for a person of the office, soonest due first; parked and returned permits are listed too (I1)."""
    with teken.db.read() as connection:
        query = select(permits).where(permits.c.office == office, permits.c.queue.in_(["person", "none"]))
        rows = connection.execute(
            query.where(permits.c.state.not_in([State.CLOSED, State.REVOKED, State.REPLACED]))
        ).all()
        listed = [
            _waiting(connection, row, teken.pins.open(row.pin))
            for row in rows
            if row.queue == "person" or row.state in _STUCK or row.parked_from is not None
        ]
    return sorted(listed, key=lambda one: (one["due"]["row"] or one["due"]["total"] or "9", one["id"]))


_STUCK = frozenset({State.PARKED, State.RETURNED})


def _waiting(connection: Connection, row: Row[Any], bundle: Bundle) -> dict[str, Any]:
    act = flow.at(bundle.permit_type.procedure, row.position) if row.queue == "person" else None
    return {
        "id": row.id,
        "upstream_id": row.upstream_id,
        "state": row.state,
        "row": act.row if act else None,
        "verb": str(act.verb) if act else None,
        "role": act.role if act else None,
        "number": row.number,
        "fault": row.fault,
        "due": deadlines(connection, row, bundle),
    }


def steps(teken: Teken, permit_id: str) -> list[dict[str, Any]]:
    """Return every row of the SOP, in its order, with how and when it was done in this case."""
    with teken.db.read() as connection:
        row = _any(connection, permit_id)
        query = select(revisions.c.body).where(revisions.c.permit == row.id, revisions.c.revision == row.revision)
        case = json.loads(connection.execute(query).scalar_one())
        done = connection.execute(
            select(acts).where(acts.c.permit == row.id, acts.c.voided_at.is_(None)).order_by(acts.c.position)
        ).all()
    attested = {item["no"]: item["at"] for item in case["attested"]}
    listed = []
    for step in teken.pins.open(row.pin).permit_type.procedure.rows:
        mine = [act for act in done if act.row == step.no]
        at = (
            attested.get(step.no)
            if step.how is How.ATTESTED
            else next((act.at for act in mine if act.verb == step.verb), None)
        )
        listed.append(
            {
                "no": step.no,
                "verb": str(step.verb),
                "how": str(step.how),
                "actor": step.actor,
                "standard_minutes": step.standard_minutes,
                "done_at": at,
                "acts": [{"verb": act.verb, "done_at": act.at} for act in mine],
                "replaced": step.replaced.sentence if step.replaced else None,
            }
        )
    return listed


def ready(teken: Teken) -> dict[str, bool | str]:
    """Tell whether database and archive can be used now, and what the archive's store does not refuse though it should."""
    state: dict[str, bool | str] = {"database": False, "archive": False}
    try:
        with teken.db.read() as connection:
            connection.execute(text("SELECT 1"))
            state["database"] = True
        sample = teken.archive.put(b"teken ready\n")
        state["archive"] = teken.archive.get(sample) == b"teken ready\n"
        if (tried := standing(teken)) is not None:
            state["archive_lacks"] = ", ".join(tried.lacking)
    except (StoreBusy, ArchiveDamaged, ArchiveUnreachable, OSError):
        pass
    return state


def _own(connection: Connection, client: Client, permit_id: str) -> Row[Any]:
    row = connection.execute(select(permits).where(permits.c.id == permit_id, permits.c.client == client.id)).first()
    if row is None:
        raise NotFound("permit_unknown")
    return row


def _any(connection: Connection, permit_id: str) -> Row[Any]:
    row = connection.execute(select(permits).where(permits.c.id == permit_id)).first()
    if row is None:
        raise NotFound("permit_unknown")
    return row
