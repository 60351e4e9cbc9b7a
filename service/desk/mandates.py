"""Mandates: who holds a role from one day to another. Two admins decide; whoever signs is one person at a time."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select, update

from service.desk import proposals
from service.desk.forms import Form, refuse, told
from service.errors import Conflict, Fault, NotFound
from service.people import PREFIX, local_day
from service.sop.model import Office, RoleCode
from service.store.tables import mandates, officials

if TYPE_CHECKING:
    from service.desk.accounts import Account
    from service.desk.proposals import Proposal
    from service.wiring import Teken

GIVE, END = "mandate.give", "mandate.end"


def roles_of(office: Office) -> dict[str, str]:
    """Return the titles of the roles that somebody can hold here, by code."""
    return {str(code): role.title for code, role in office.roles.items() if role.internal}


def propose(teken: Teken, who: Account, form: Form) -> str:
    """Propose a mandate: fields `pejabat`, `jabatan`, `jenis`, `mulai`, `sampai`, `keputusan`. Raises Invalid."""
    faults: list[Fault] = []
    payload = {
        "official": form.text("pejabat", faults, 120),
        "role": form.choice("jabatan", faults, roles_of(teken.offices.office(who.office))),
        "kind": form.choice("jenis", faults, tuple(PREFIX)),
        "valid_from": form.day("mulai", faults),
        "valid_to": form.day("sampai", faults, required=form.fields.get("jenis") == "plh"),
        "decision": form.text("keputusan", faults, 120),
    }
    if not faults:
        with teken.db.read() as connection:
            faults += _faults(connection, teken, who.office, payload)
    refuse(faults)
    return proposals.propose(teken, who, GIVE, payload, subject=payload["official"])


def propose_end(teken: Teken, who: Account, form: Form) -> str:
    """Propose the last day of a mandate: fields `mandat`, `sampai`, `keputusan`. Yesterday ends it at once. Raises Invalid, NotFound."""
    faults: list[Fault] = []
    place = teken.offices.office(who.office)
    last, decision = form.day("sampai", faults), form.text("keputusan", faults, 120)
    with teken.db.read() as connection:
        row = _of(connection, who.office, form.fields.get("mandat", ""))
    yesterday = local_day(place, teken.clock.now()) - timedelta(days=1)
    if last is not None and date.fromisoformat(last) < yesterday:
        faults.append(Fault("/sampai", "date_past"))
    if last is not None and row.valid_to is not None and last >= row.valid_to:
        faults.append(Fault("/sampai", "mandate_ends_sooner"))
    refuse(faults)
    payload = {
        "mandate": row.id,
        "official": row.official,
        "role": row.role,
        "kind": row.kind,
        "valid_to": last,
        "decision": decision,
    }
    return proposals.propose(teken, who, END, payload, subject=row.official)


def give(teken: Teken, connection: Connection, found: Proposal) -> None:
    """Carry out. Raises Invalid if another mandate is in its way by now."""
    connection.execute(select(officials.c.id).where(officials.c.office == found.office).with_for_update()).all()
    refuse(_faults(connection, teken, found.office, found.payload))
    row = {key: found.payload[key] for key in ("official", "role", "kind", "valid_from", "valid_to", "decision")}
    mandate = f"man_{secrets.token_hex(8)}"
    connection.execute(insert(mandates).values(id=mandate, office=found.office, **row))
    told(teken, connection, found, mandate=mandate, **row)


def end(teken: Teken, connection: Connection, found: Proposal) -> None:
    """Carry out. Raises NotFound, Conflict if it ends sooner by now."""
    given = found.payload
    row = _of(connection, found.office, given["mandate"])
    if row.valid_to is not None and row.valid_to <= given["valid_to"]:
        raise Conflict("mandate_over")
    connection.execute(update(mandates).where(mandates.c.id == row.id).values(valid_to=given["valid_to"]))
    told(teken, connection, found, mandate=row.id, valid_to=given["valid_to"], decision=given["decision"])


def _faults(connection: Connection, teken: Teken, office: str, given: Mapping[str, Any]) -> list[Fault]:
    """Whoever signs is one person at a time: a second mandate of the same kind for a signing role waits for the first's end."""
    mine = (officials.c.id == given["official"]) & (officials.c.office == office)
    if connection.execute(select(officials.c.id).where(mine)).first() is None:
        return [Fault("/pejabat", "official_not_here")]
    start, end = given["valid_from"], given["valid_to"]
    if end is not None and end < start:
        return [Fault("/sampai", "period_backwards")]
    role = teken.offices.office(office).roles[RoleCode(given["role"])]
    same = (mandates.c.office == office) & (mandates.c.role == given["role"]) & (mandates.c.kind == given["kind"])
    if not role.signs:
        same &= mandates.c.official == given["official"]
    overlaps = same & ((mandates.c.valid_to.is_(None)) | (mandates.c.valid_to >= start))
    if end is not None:
        overlaps &= mandates.c.valid_from <= end
    if connection.execute(select(mandates.c.id).where(overlaps)).first() is not None:
        return [Fault("/mulai", "mandate_overlaps")]
    return []


def _of(connection: Connection, office: str, mandate: str) -> Row[Any]:
    row = connection.execute(select(mandates).where(mandates.c.id == mandate, mandates.c.office == office)).first()
    if row is None:
        raise NotFound("mandate_unknown")
    return row
