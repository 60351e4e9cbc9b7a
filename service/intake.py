"""Step 1, accept: an approved case comes in once, whatever is lost on the way."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, case, insert, or_, select

from service import failpoints, idempotency, photos
from service.canonical import dumps
from service.cases import Case, address, parse_case
from service.clients import Client
from service.clock import instant, stamp
from service.codes import crockford, readable_url
from service.corrections import begin_again, manifest, newest
from service.document.errors import PhotoInvalid
from service.document.glyphs import coverage, fonts_of
from service.document.photo import clean_photo
from service.errors import CaseInvalid, Conflict, Fault, WrongOffice
from service.growing_ids import growing_id
from service.idempotency import Reply
from service.journal import Entry, append
from service.people import local_day
from service.permits import CORRECTION, MOVE, RELEASED, State
from service.pins import Bundle
from service.sop.model import By, Office, PermitType
from service.store import StoreBusy, names
from service.store.book_tables import earlier_entries
from service.store.cases import insert_case
from service.store.permits import change
from service.store.tables import permits, revisions

if TYPE_CHECKING:
    from service.wiring import Teken


@dataclass(frozen=True, slots=True)
class Ready:
    """A case with everything that had to be made before the transaction."""

    case: Case
    office: Office
    permit_type: PermitType
    warnings: tuple[Fault, ...]
    pin: str
    manifest_sha: str
    photo_sha: str | None


def accept(teken: Teken, client: Client, payload: object, raw: bytes, idempotency_key: str | None) -> Reply:
    """Validate and store a case; the same content under the same `upstream_id` answers with the same permit (§4.1).

    Raises CaseInvalid, WrongOffice, PhotoInvalid, IdempotencyRunning, IdempotencyMismatch, Conflict("case_differs")
    when other content comes for a permit that is not returned, Conflict("replaces_taken"), StoreBusy.
    After an error nothing is stored.
    """
    if idempotency_key is None:
        return _accept(teken, client, payload, None)
    stored_or_token = idempotency.begin(teken, client, idempotency_key, raw)
    if isinstance(stored_or_token, Reply):
        return stored_or_token
    try:
        return _accept(teken, client, payload, (idempotency_key, stored_or_token))
    except BaseException:
        with suppress(StoreBusy):  # the key then counts as running until it is taken for dead
            idempotency.forget(teken, client, idempotency_key, stored_or_token)
        raise


def _accept(teken: Teken, client: Client, payload: object, key: tuple[str, str] | None) -> Reply:
    try:
        ready = prepare(teken, client, payload)
    except CaseInvalid:
        known = _known(teken, client, payload)
        if known is None:
            raise
        with teken.db.write() as connection:
            if key is not None:
                idempotency.answer(connection, client, key, known)
        return known
    failpoints.passing("accept.after_archive")
    with teken.db.write() as connection:
        row = store(connection, teken, client, ready)
        reply = _reply(row, ready.warnings)
        if key is not None:
            idempotency.answer(connection, client, key, reply)
        failpoints.passing("accept.before_commit")
    failpoints.passing("accept.after_commit")
    teken.doorbell.ring(row.queue, row.id)
    return reply


def _known(teken: Teken, client: Client, payload: object) -> Reply | None:
    """Answer a case that is stored already, though it would not be accepted anew today: its STR ended meanwhile, say (§4.1)."""
    upstream_id = payload.get("upstream_id") if isinstance(payload, dict) else None
    mine = (permits.c.client == client.id) & (permits.c.upstream_id == str(upstream_id))
    with teken.db.read() as connection:
        row = connection.execute(select(permits).where(mine)).first()
        if row is None:
            return None
        last = newest(connection, row)
    bundle, then = teken.pins.open(row.pin), instant(last.accepted_at)
    try:
        again = parse_case(payload, bundle.permit_type, today=local_day(bundle.office, then), now=then)
    except CaseInvalid:
        return None
    return _reply(row, again.warnings) if again.case.content_sha == last.content_sha else None


def prepare(teken: Teken, client: Client, payload: object) -> Ready:
    """Judge a case and make what has to be made before it is stored. Raises CaseInvalid, WrongOffice."""
    office_code, type_code = address(payload)
    if office_code != client.office:
        raise WrongOffice
    try:
        office, permit_type = teken.offices.office(office_code), teken.offices.permit_type(office_code, type_code)
    except KeyError:
        raise CaseInvalid(faults=(Fault("/type", "type_unknown"),)) from None
    now = teken.clock.now()
    accepted = parse_case(payload, permit_type, today=local_day(office, now), now=now)
    pin = teken.pins.pin(office_code, type_code)
    _check_glyphs(teken.pins.open(pin), accepted.case)
    photo_sha = _clean_photo(teken, accepted.case, permit_type)
    manifest_sha = manifest(accepted.case.as_dict(), pin)
    return Ready(accepted.case, office, permit_type, accepted.warnings, pin, manifest_sha, photo_sha)


def _clean_photo(teken: Teken, case: Case, permit_type: PermitType) -> str | None:
    """Decode, re-encode and archive the photo: what the sender's file carried beside the picture is not kept."""
    if case.photo is None or case.photo.data is None or permit_type.photo is None:
        return None
    try:
        return photos.keep(teken, clean_photo(case.photo.data, ratio=permit_type.photo.ratio))
    except PhotoInvalid as error:
        raise CaseInvalid(faults=(Fault("/photo/data", error.code, error.params),)) from None


def _check_glyphs(bundle: Bundle, case: Case) -> None:
    """Refuse characters that the office's font can't print now, not after a 202."""
    known = coverage(tuple(fonts_of(bundle.files, bundle.office.paper.font).values()))
    faults = [
        Fault("/" + field.path.replace(".", "/"), "missing_glyph", {"character": f"U+{ord(char):04X}"})
        for field in bundle.permit_type.fields
        if field.printed
        for char in sorted(set(str(case.get(field.path) or "")))
        if ord(char) not in known
    ]
    if faults:
        raise CaseInvalid(faults=tuple(faults))


def store(connection: Connection, teken: Teken, client: Client, ready: Ready) -> Row[Any]:
    """Store a judged case in the caller's transaction, who rings the doorbell once it is committed.

    Raises CaseInvalid (replaces_unknown, replaces_not_in_force), Conflict as `accept` does.
    """
    now = teken.clock.now()
    old = replaced(connection, client, ready)
    row = insert_case(connection, _permit(teken, client, ready, old, now), _revision(1, ready, now))
    if row is not None:  # fifty threads may post it at once
        _tell(connection, teken, "case.accepted", row, ready)
        return row
    existing = connection.execute(
        select(permits)
        .where(permits.c.client == client.id, permits.c.upstream_id == ready.case.upstream_id)
        .with_for_update()
    ).one()
    if newest(connection, existing).content_sha == ready.case.content_sha:
        return existing
    if (
        existing.state != State.RETURNED
        or existing.type != ready.permit_type.code  # a number is of its type's series
        or CORRECTION in {existing.request_kind, ready.case.request_kind}  # made anew, not corrected
    ):
        raise Conflict("case_differs", state=existing.state)
    return _revise(connection, teken, existing, ready, old, now)


def _permit(teken: Teken, client: Client, ready: Ready, replaced: str | None, now: datetime) -> dict[str, Any]:
    code = crockford(16)
    procedure = ready.permit_type.procedure
    return {
        "id": growing_id("izn", 20, now),
        "office": ready.office.code,
        "type": ready.permit_type.code,
        "client": client.id,
        "upstream_id": ready.case.upstream_id,
        "request_kind": ready.case.request_kind,
        "replaces": replaced,
        "complete_at": stamp(ready.case.complete_at),
        "pin": ready.pin,
        "code": code,
        "verify_url": readable_url(teken.settings.public_url or ready.office.public_url, code),
        "state": State.RECEIVED,
        "position": 0,
        "queue": "person" if procedure.plan[0].by is By.PERSON else "work",
        "revision": 1,
        "due_at": stamp(now),
        "created_at": stamp(now),
        "updated_at": stamp(now),
    }


def _revise(
    connection: Connection, teken: Teken, row: Row[Any], ready: Ready, replaced: str | None, now: datetime
) -> Row[Any]:
    """Take a corrected case: it keeps its number, code and place; what it asks for and when it was complete are the case's own."""
    revision = _revision(row.revision + 1, ready, now)
    connection.execute(insert(revisions), revision | {"permit": row.id})
    names.forget(connection, row.id)
    names.note(connection, row.id, row.office, revision["body"])
    corrected = {"request_kind": ready.case.request_kind, "replaces": replaced}
    row = change(connection, row, now, **corrected, complete_at=stamp(ready.case.complete_at))
    changed, voided = begin_again(connection, teken, row, ready.permit_type.procedure, ready.manifest_sha, ready.pin)
    _tell(connection, teken, "case.corrected", changed, ready, acts_voided=voided)
    return changed


def _tell(connection: Connection, teken: Teken, event: str, row: Row[Any], ready: Ready, **more: Any) -> None:
    data = {
        "upstream_id": row.upstream_id,
        "revision": row.revision,
        "content_sha256": ready.case.content_sha,
        "state": row.state,
        **more,
    }
    append(connection, teken.notary, teken.clock.now(), Entry(event, row.office, row.client, row.id, data))


def _revision(revision: int, ready: Ready, now: datetime) -> dict[str, Any]:
    return {
        "revision": revision,
        "content_sha": ready.case.content_sha,
        "manifest_sha": ready.manifest_sha,
        "body": ready.case.canonical().decode(),
        "photo_sha": ready.photo_sha,
        "warnings": dumps([_plain(fault) for fault in ready.warnings]),
        "accepted_at": stamp(now),
    }


def replaced(connection: Connection, client: Client, ready: Ready) -> str | None:
    """Find the permit that this case replaces, by id or register number, in this office and for the same holder.

    Raises CaseInvalid (replaces_unknown, replaces_not_in_force), Conflict("replaces_taken").
    """
    wanted = ready.case.replaces
    if wanted is None:
        return None
    query = (
        select(permits)
        .where(permits.c.office == ready.office.code, or_(permits.c.id == wanted, permits.c.number == wanted))
        .with_for_update()
    )
    first = case((permits.c.state == State.REPLACED, 2), (permits.c.state.in_(sorted(RELEASED)), 0), else_=1)
    old = connection.execute(
        query.order_by(first, permits.c.created_at.desc())
    ).first()  # a corrected number is of two permits
    if old is None and _earlier(connection, ready.office.code, wanted):
        return None  # of before Teken: nothing here ends when the new permit is issued
    correction = ready.case.request_kind == CORRECTION  # of the holder's own data, perhaps
    if old is None or old.state not in RELEASED or not (correction or _same_holder(connection, old, ready.case)):
        raise CaseInvalid(faults=(Fault("/replaces", "replaces_unknown"),))
    if ready.case.request_kind == MOVE and old.state != State.IN_FORCE:
        raise CaseInvalid(faults=(Fault("/replaces", "replaces_not_in_force"),))
    rivals = select(permits.c.id).where(
        permits.c.replaces == old.id,
        permits.c.state != State.CLOSED,
        ~((permits.c.client == client.id) & (permits.c.upstream_id == ready.case.upstream_id)),
    )
    if connection.execute(rivals).first() is not None:
        raise Conflict("replaces_taken")
    return str(old.id)


def _earlier(connection: Connection, office: str, number: str) -> bool:
    mine = (earlier_entries.c.office == office) & (earlier_entries.c.number == number)
    return connection.execute(select(earlier_entries.c.number).where(mine)).first() is not None


def _same_holder(connection: Connection, old: Row[Any], case: Case) -> bool:
    body = json.loads(newest(connection, old).body)
    return bool(body["applicant"]["nik"] == case.get("applicant.nik"))


def _reply(row: Row[Any], warnings: tuple[Fault, ...]) -> Reply:
    url = f"/api/v1/permits/{row.id}"
    body = {
        "id": row.id,
        "url": url,
        "state": row.state,
        "upstream_id": row.upstream_id,
        "revision": row.revision,
        "warnings": [_plain(fault) for fault in warnings],
    }
    return Reply(202, body, url)


def _plain(fault: Fault) -> dict[str, Any]:
    return {"pointer": fault.pointer, "code": fault.code, "params": dict(fault.params)}
