"""What happened to a case: the SOP's rows in their order with who did them and when, acts that no longer count and why, and the events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from service import flow
from service.sop.model import How
from service.sop.model import Row as SopSpec
from service.store.tables import acts, events, officials

if TYPE_CHECKING:
    from service.cases import Case
    from service.pins import Bundle

VOIDING = ("case.corrected", "case.re_pinned", "permit.number_voided", "permit.number_kept")
"""Events after which readings no longer count."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing done. `by` is None for the system, or an applicant without a name. `why`: the event that voided it."""

    verb: str
    by: str | None
    at: str
    voided_at: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class SopRow:
    """One row of the SOP, and how far it is."""

    no: int
    text: str
    actor: str
    how: How
    standard: str | None
    deeds: tuple[Deed, ...]
    done: bool
    now: bool
    replaced: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """One event, with the reason if somebody gave one, or the decision by its number."""

    type: str
    at: str
    reason: str | None
    role: str | None


def rows_of(connection: Connection, row: Row[Any], bundle: Bundle, case: Case) -> tuple[SopRow, ...]:
    """Return every row of the SOP in its order."""
    done = _acts(connection, row.id)
    voided = _voidings(connection, row.id)
    attested = {one.no: Deed("", one.name, one.at.isoformat()) for one in case.attested}
    procedure = bundle.permit_type.procedure
    due = flow.at(procedure, row.position) if row.queue == "person" else None
    return tuple(
        _row(one, bundle, [_deed(act, voided) for act in done if act.row == one.no], attested.get(one.no), due)
        for one in procedure.rows
    )


def events_of(connection: Connection, row: Row[Any], bundle: Bundle) -> tuple[Event, ...]:
    """Return the permit's events, newest first."""
    mine = select(events.c.type, events.c.at, events.c.data).where(events.c.permit == row.id)
    found = []
    for one in connection.execute(mine.order_by(events.c.seq.desc())).all():
        data = json.loads(one.data)
        role = bundle.office.roles.get(data.get("role"))
        why = data.get("reason") or data.get("decision")
        found.append(Event(one.type, one.at, why, role.title if role else None))
    return tuple(found)


def _acts(connection: Connection, permit: str) -> list[Row[Any]]:
    query = select(acts, officials.c.name).outerjoin(officials, officials.c.id == acts.c.official)
    return list(connection.execute(query.where(acts.c.permit == permit).order_by(acts.c.id)).all())


def _voidings(connection: Connection, permit: str) -> list[tuple[str, str]]:
    query = select(events.c.at, events.c.type).where(events.c.permit == permit, events.c.type.in_(VOIDING))
    return [(at, type_) for at, type_ in connection.execute(query.order_by(events.c.seq)).all()]


def _deed(act: Row[Any], voidings: list[tuple[str, str]]) -> Deed:
    why = None
    if act.voided_at is not None:
        why = next((type_ for at, type_ in voidings if at >= act.voided_at), None)
    return Deed(act.verb, act.name, act.at, act.voided_at, why)


def _row(spec: SopSpec, bundle: Bundle, deeds: list[Deed], attested: Deed | None, due: Any) -> SopRow:
    shown = (attested,) if attested else tuple(deeds)
    standing = [deed for deed in shown if deed.voided_at is None]
    wanted = {str(spec.verb), *map(str, spec.acts)} if not attested else {""}
    return SopRow(
        no=spec.no,
        text=spec.text,
        actor=bundle.office.roles[spec.actor].title,
        how=spec.how,
        standard=spec.standard,
        deeds=shown,
        done=bool(standing) and wanted <= {deed.verb for deed in standing},
        now=due is not None and due.row == spec.no,
        replaced=spec.replaced.sentence if spec.replaced else None,
    )
