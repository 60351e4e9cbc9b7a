"""Is the permit in force? One question by code, answered from the database alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, literal, literal_column, select
from sqlalchemy.exc import SQLAlchemyError

from service.archive import ArchiveDamaged, ArchiveUnreachable
from service.clock import instant
from service.codes import normalised
from service.document.page import NAME, at, plain, write
from service.people import local_day
from service.permits import CORRECTION, MOVE, RELEASED, State, standing
from service.pins import Bundle
from service.sop.model import FieldKind, Office
from service.store import StoreBusy
from service.store.gate_tables import is_closed
from service.store.released import has_code
from service.store.tables import documents, events, permits, revisions
from service.verification import holder, offices
from service.verification.answers import (
    BYTES,
    Certificate,
    Happening,
    PermitAnswer,
    PermitState,
    PublicPermit,
    Signature,
    TimeStamp,
    Version,
)
from service.verification.evidence import enrolled, known

if TYPE_CHECKING:
    from service.wiring import Teken

UNREACHABLE = (StoreBusy, SQLAlchemyError, ArchiveDamaged, ArchiveUnreachable, OSError)
"""What makes an answer `undetermined`: it says nothing about the permit."""
_NOBODY = "0" * 16
"""Asked for in place of what can be no code, so that every question costs the same."""
_PLACE = "practice."
_SPEAKS_FOR_ITSELF = frozenset({FieldKind.TEXT, FieldKind.ADDRESS})
_PUBLIC_KINDS = _SPEAKS_FOR_ITSELF | {FieldKind.INTEGER, FieldKind.CHOICE}
_FOLLOWED = frozenset({State.REPLACED, State.REVOKED})
_BECAME = {CORRECTION: "corrected", MOVE: "moved"}
_HAPPENED = {
    "permit.suspended": "suspended",
    "permit.resumed_in_force": "resumed",
    "permit.revoked": "revoked",
    "permit.replaced": "replaced",
}
_TOLD: list[ColumnElement[str]] = [literal_column(f"'{one}'") for one in sorted(_HAPPENED)]
"""In the question's own words: a list of values would be written into it anew each time."""
_OF_PERMIT = (
    "id",
    "state",
    "pin",
    "code",
    "number",
    "signatory",
    "valid_from",
    "valid_to",
    "request_kind",
    "verify_url",
    "qr",
)
_BY_CODE: Select[Any] = (
    select(
        *(permits.c[name] for name in _OF_PERMIT),
        revisions.c.body,
        *(documents.c[name] for name in ("version", "sha", "signatures", "released_at")),
        events.c.seq,
        events.c.type,
        events.c.at.label("happened_at"),
        is_closed.label("closed"),
    )
    .select_from(select(literal(1).label("one")).subquery("asked"))
    .outerjoin(permits, has_code(bindparam("code")))
    .outerjoin(revisions, and_(revisions.c.permit == permits.c.id, revisions.c.revision == permits.c.revision))
    .outerjoin(documents, documents.c.permit == permits.c.id)
    .outerjoin(events, and_(events.c.permit == permits.c.id, events.c.type.in_(_TOLD)))
)
"""Everything in one question, made once: a row for each version of the document and each thing that happened to the permit.

There is a row for what is not found too, with nothing in it but whether numbering is closed: known or not, a code costs one question.
"""


@dataclass(frozen=True, slots=True)
class _Record:
    """What the database holds of one released permit."""

    row: Row[Any]
    case: dict[str, Any]
    documents: Sequence[Version]
    happened: Sequence[tuple[str, str]]
    successor: Row[Any] | None
    is_example: bool


def by_code(teken: Teken, typed: str, *, at: datetime) -> PermitAnswer:
    """Answer a code as somebody typed it. Never raises for a database that can't be reached: that is `undetermined`.

    A permit that is not issued is not found by the very query that finds no unknown code: same answer, same work (I5).
    """
    try:
        rows = teken.db.ask(_BY_CODE, {"code": (normalised(typed) or _NOBODY).lower()})
        if rows[0].version is None:  # a register that was put back doesn't know what it lost
            return PermitAnswer(PermitState.UNDETERMINED if rows[0].closed else PermitState.UNKNOWN, at)
        record = _record(teken, rows)
        bundle = teken.pins.open(record.row.pin)
        return PermitAnswer(state_of(record.row, bundle.office, at), at, _public(teken, record, bundle))
    except UNREACHABLE:
        return PermitAnswer(PermitState.UNDETERMINED, at)


def state_of(row: Row[Any], office: Office, at: datetime) -> PermitState:
    """Return what a released permit is worth at an instant, by the calendar of its office."""
    day = local_day(office, at)
    valid = date.fromisoformat(row.valid_from), date.fromisoformat(row.valid_to)
    return PermitState(standing(State(row.state), *valid, day))


def _record(teken: Teken, rows: Sequence[Row[Any]]) -> _Record:
    row, versions = rows[0], {one.version: one for one in rows}
    happened = {one.seq: (one.type, one.happened_at) for one in rows if one.seq is not None}
    signatures = {number: json.loads(versions[number].signatures) for number in sorted(versions)}
    used = {one["certificate_sha256"] for each in signatures.values() for one in each}
    successor, certificates = None, known(teken.db.engine, used)
    if certificates is None or row.state in _FOLLOWED:
        with teken.db.read() as connection:
            successor, certificates = _successor(connection, row), enrolled(connection, used)
    return _Record(
        row=row,
        case=json.loads(row.body),
        documents=[_version(versions[number], made, certificates) for number, made in signatures.items()],
        happened=[happened[seq] for seq in sorted(happened)],
        successor=successor,
        is_example=any(one.is_example for one in certificates.values()),
    )


def _successor(connection: Connection, row: Row[Any]) -> Row[Any] | None:
    """The released permit that took its place: of what was revoked, only where the holder moved."""
    if row.state not in _FOLLOWED:
        return None
    query = select(permits).where(permits.c.replaces == row.id, permits.c.state.in_(sorted(RELEASED)))
    if row.state == State.REVOKED:
        query = query.where(permits.c.request_kind == MOVE)
    return connection.execute(query.order_by(permits.c.created_at.desc())).first()


def _public(teken: Teken, record: _Record, bundle: Bundle) -> PublicPermit:
    row, kind, office = record.row, bundle.permit_type, offices.today(teken, bundle)
    signatory, successor = json.loads(row.signatory), record.successor
    return PublicPermit(
        code=row.code,
        number=row.number,
        type_name=kind.name,
        profession=kind.profession,
        holder=holder.shown(plain(at(record.case, NAME)), office.holder_name),
        place=_place(bundle, record.case),
        valid_from=date.fromisoformat(row.valid_from),
        valid_to=date.fromisoformat(row.valid_to),
        office=offices.face(teken, office, bundle),
        official=signatory["name"],
        official_title=f"{signatory['prefix']} {signatory['title']}".strip(),
        versions=tuple(record.documents),
        history=_history(record),
        replaced_by=successor.code if successor else None,
        became=_BECAME.get(successor.request_kind, "renewed") if successor else None,
        corrects=row.request_kind == CORRECTION,
        address=offices.address(row.verify_url),
        is_example=record.is_example,
        own_data=row.qr is not None,
    )


def _place(bundle: Bundle, case: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The practice place, in the type's own order: fields that the office calls public, and no others whatever it says."""
    shown = []
    for field in bundle.permit_type.fields:
        if not (field.public and field.path.startswith(_PLACE) and field.kind in _PUBLIC_KINDS):
            continue
        value = write(field.kind, at(case, field.path), bundle.labels)
        if value:
            shown.append(("" if field.kind in _SPEAKS_FOR_ITSELF else field.label, value))
    return tuple(shown)


def _version(row: Row[Any], made: Sequence[dict[str, Any]], known: Mapping[str, Certificate]) -> Version:
    signatures = tuple(_signature(one, known) for one in made)
    return Version(row.version, row.sha, instant(row.released_at), signatures)


def _signature(one: dict[str, Any], known: Mapping[str, Certificate]) -> Signature:
    stamps = (TimeStamp(stamp["what"], stamp["by"], instant(stamp["at"])) for stamp in one.get("stamps", ()))
    return Signature(
        field=one["field"],
        by=one["by"],
        level=one["level"],
        at=instant(one["at"]),
        proof=one.get("proof", BYTES),
        certificate=known.get(one["certificate_sha256"]),
        stamps=tuple(stamps),
    )


def _history(record: _Record) -> tuple[Happening, ...]:
    issued = [Happening("issued", one.released_at) for one in record.documents[:1]]
    return (*issued, *(Happening(_HAPPENED[what], instant(at)) for what, at in record.happened))
