"""Step 1, accept: an approved case comes in once, whatever is lost on the way. Also its clients, and withdrawal."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service import failpoints, flow, moves, register
from service.archive import sha256
from service.canonical import digest, dumps
from service.cases import Case, address, parse_case
from service.clock import instant, stamp
from service.codes import crockford, readable_url
from service.document.errors import PhotoInvalid
from service.document.glyphs import coverage, fonts_of
from service.document.photo import clean_photo
from service.errors import (
    CaseInvalid,
    Conflict,
    Fault,
    IdempotencyMismatch,
    IdempotencyRunning,
    NotFound,
    ReasonRequired,
    StateForbids,
    Unauthenticated,
    WrongOffice,
)
from service.journal import Entry, append
from service.people import local_day
from service.permits import BEFORE_ISSUE, RELEASED, State
from service.pins import Bundle
from service.sop.model import By, Office, PermitType, Procedure, Verb
from service.store import StoreBusy
from service.store.permits import change, lock
from service.store.tables import acts, clients, idempotency, permits, revisions

if TYPE_CHECKING:
    from service.wiring import Teken

RUNNING_SECONDS = 60
"""A first request that has not answered after this long is taken for dead; the upstream id still keeps the case single."""
KEY_LENGTH = 255
REASON_LENGTH = 500
REPINNABLE = frozenset({State.RECEIVED, State.DRAFTED, State.IN_PARAF, State.NUMBERED})
BOOKKEEPING = frozenset({"attested", "complete_at", "upstream_id"})
"""Parts of a case that no paraf binds: upstream's own record of who did what when."""


@dataclass(frozen=True, slots=True)
class Client:
    """An upstream system, tied to one office."""

    id: str
    office: str
    name: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to an accepted case; `replayed` when it was stored under the same idempotency key before."""

    status: int
    body: dict[str, Any]
    location: str | None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Ready:
    """A case with everything that had to be made before the transaction."""

    case: Case
    office: Office
    permit_type: PermitType
    warnings: tuple[Fault, ...]
    pin: str
    manifest_sha: str
    photo_sha: str | None


def add_client(teken: Teken, office: str, name: str) -> tuple[Client, str]:
    """Make a client of an office; return it with its API key `prefix.secret`, which is shown this once and stored hashed."""
    teken.offices.office(office)
    client = Client(f"cli_{secrets.token_hex(6)}", office, name)
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    with teken.db.write() as connection:
        row = {"id": client.id, "office": office, "name": name, "key_prefix": prefix, "key_hash": _key_hash(secret)}
        connection.execute(insert(clients).values(**row, created_at=stamp(teken.clock.now())))
    return client, f"{prefix}.{secret}"


def authenticate(teken: Teken, bearer: str) -> Client:
    """Return the client whose key this is.

    Raises Unauthenticated, after the same work whether the prefix or the secret is wrong.
    """
    prefix, _, secret = bearer.partition(".")
    with teken.db.read() as connection:
        row = connection.execute(
            select(clients).where(clients.c.key_prefix == prefix, clients.c.disabled_at.is_(None))
        ).first()
    known = row.key_hash if row else _key_hash("")
    if not hmac.compare_digest(known, _key_hash(secret)) or row is None or not secret:
        raise Unauthenticated
    return Client(row.id, row.office, row.name)


def accept(teken: Teken, client: Client, payload: object, raw: bytes, idempotency_key: str | None) -> Reply:
    """Validate and store a case; the same content under the same `upstream_id` answers with the same permit (§4.1).

    Raises CaseInvalid, WrongOffice, PhotoInvalid, IdempotencyRunning, IdempotencyMismatch, Conflict("case_differs")
    when other content comes for a permit that is not returned, Conflict("replaces_taken"), StoreBusy.
    After an error nothing is stored.
    """
    if idempotency_key is None:
        return _accept(teken, client, payload, None)
    stored_or_token = _begin(teken, client, idempotency_key, raw)
    if isinstance(stored_or_token, Reply):
        return stored_or_token
    try:
        return _accept(teken, client, payload, (idempotency_key, stored_or_token))
    except BaseException:
        with suppress(StoreBusy):  # the key then counts as running until it is taken for dead
            _forget(teken, client, idempotency_key, stored_or_token)
        raise


def withdraw(teken: Teken, client: Client, permit_id: str, reason: str) -> dict[str, Any]:
    """Close a case before issue at upstream's wish; its number, if any, is voided. Withdrawing twice is one withdrawal.

    Raises NotFound, ReasonRequired, StateForbids (issued already).
    """
    reason = " ".join(reason.split())[:REASON_LENGTH]
    if not reason:
        raise ReasonRequired
    with teken.db.write() as connection:
        row = lock(connection, permit_id)
        if row is None or row.client != client.id:
            raise NotFound("permit_unknown")
        if row.state != State.CLOSED:
            row = _close(connection, teken, row, by=f"client:{client.id}", reason=reason)
    return {"id": row.id, "state": row.state, "upstream_id": row.upstream_id}


def repin(teken: Teken, permit_id: str) -> dict[str, Any]:
    """Move a case that nobody signed yet to the office's files of today, on the record: what was read of the old paper is voided (§4.1).

    Raises NotFound, StateForbids.
    """
    with teken.db.read() as connection:
        found = connection.execute(select(permits).where(permits.c.id == permit_id)).first()
    if found is None:
        raise NotFound("permit_unknown")
    pin = teken.pins.pin(found.office, found.type)
    procedure = teken.pins.open(pin).permit_type.procedure
    with teken.db.write() as connection:
        row = lock(connection, permit_id)
        assert row is not None, "permits are never deleted"
        if row.state not in REPINNABLE or row.pin == pin:
            raise StateForbids(state=row.state)
        body = json.loads(_newest(connection, row).body)
        manifest_sha = _manifest(body, pin)
        _copy_revision(connection, row, manifest_sha, teken.clock.now())
        moved, voided = _begin_again(connection, teken, row, procedure, manifest_sha, pin)
        moves.tell(connection, teken, moved, "case.re_pinned", {"pin": pin, "before": row.pin, "acts_voided": voided})
    teken.doorbell.ring(moved.queue, moved.id)
    return {"id": moved.id, "state": moved.state, "revision": moved.revision}


def _copy_revision(connection: Connection, row: Row[Any], manifest_sha: str, now: datetime) -> None:
    """The same content under another pin is another revision: readings bind both."""
    old = dict(_newest(connection, row)._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    fresh = old | {"revision": row.revision + 1, "manifest_sha": manifest_sha, "accepted_at": stamp(now)}
    connection.execute(insert(revisions).values(**fresh))


def _manifest(body: Mapping[str, Any], pin: str) -> str:
    """Hash what a reading binds: the case without upstream's own bookkeeping, and the pinned files."""
    return digest({"content": {k: v for k, v in body.items() if k not in BOOKKEEPING}, "pin": pin})


def _close(connection: Connection, teken: Teken, row: Row[Any], *, by: str, reason: str) -> Row[Any]:
    if row.state not in BEFORE_ISSUE:
        raise StateForbids(state=row.state)
    now = teken.clock.now()
    voided = register.void(connection, permit=row.id, by=by, reason="withdrawn", at=now)
    closed = change(connection, row, now, state=State.CLOSED, queue="none")
    data = {"state": State.CLOSED, "upstream_id": row.upstream_id, "by": by, "reason_sha256": sha256(reason.encode())}
    if voided:
        data |= {"voided": voided.number, "series": voided.series, "register_hash": voided.entry_hash}
    append(connection, teken.notary, now, Entry("permit.withdrawn", row.office, row.client, row.id, data))
    return closed


def _accept(teken: Teken, client: Client, payload: object, key: tuple[str, str] | None) -> Reply:
    try:
        ready = _prepare(teken, client, payload)
    except CaseInvalid:
        known = _known(teken, client, payload)
        if known is None:
            raise
        with teken.db.write() as connection:
            if key is not None:
                _answer(connection, client, key, known)
        return known
    failpoints.passing("accept.after_archive")
    with teken.db.write() as connection:
        row = _store(connection, teken, client, ready)
        reply = _reply(row, ready.warnings)
        if key is not None:
            _answer(connection, client, key, reply)
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
        newest = _newest(connection, row)
    bundle, then = teken.pins.open(row.pin), instant(newest.accepted_at)
    try:
        again = parse_case(payload, bundle.permit_type, today=local_day(bundle.office, then), now=then)
    except CaseInvalid:
        return None
    return _reply(row, again.warnings) if again.case.content_sha == newest.content_sha else None


def _prepare(teken: Teken, client: Client, payload: object) -> _Ready:
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
    manifest_sha = _manifest(accepted.case.as_dict(), pin)
    return _Ready(accepted.case, office, permit_type, accepted.warnings, pin, manifest_sha, photo_sha)


def _clean_photo(teken: Teken, case: Case, permit_type: PermitType) -> str | None:
    """Decode, re-encode and archive the photo: what the sender's file carried beside the picture is not kept."""
    if case.photo is None or case.photo.data is None or permit_type.photo is None:
        return None
    try:
        return teken.archive.put(clean_photo(case.photo.data, ratio=permit_type.photo.ratio))
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


def _store(connection: Connection, teken: Teken, client: Client, ready: _Ready) -> Row[Any]:
    now = teken.clock.now()
    replaced = _replaced(connection, ready, client)
    row = _insert(connection, teken, client, ready, replaced, now)
    if row is not None:
        _insert_revision(connection, row.id, 1, ready, now)
        _tell(connection, teken, "case.accepted", row, ready)
        return row
    existing = connection.execute(
        select(permits)
        .where(permits.c.client == client.id, permits.c.upstream_id == ready.case.upstream_id)
        .with_for_update()
    ).one()
    newest = _newest(connection, existing)
    if newest.content_sha == ready.case.content_sha:
        return existing
    if existing.state != State.RETURNED or existing.type != ready.permit_type.code:  # a number is of its type's series
        raise Conflict("case_differs", state=existing.state)
    return _revise(connection, teken, existing, ready, replaced, now)


def _insert(
    connection: Connection, teken: Teken, client: Client, ready: _Ready, replaced: str | None, now: datetime
) -> Row[Any] | None:
    """Insert the permit, or return None if this upstream case has one (fifty threads may post it at once)."""
    code = crockford(16)
    procedure = ready.permit_type.procedure
    values: dict[str, Any] = {
        "id": f"izn_{secrets.token_hex(10)}",
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
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(permits).values(**values).on_conflict_do_nothing(index_elements=["client", "upstream_id"])
    if connection.execute(fresh.returning(permits.c.id)).first() is None:  # no rowcount: psycopg gives -1 here
        return None
    return connection.execute(select(permits).where(permits.c.id == values["id"])).one()


def _revise(
    connection: Connection, teken: Teken, row: Row[Any], ready: _Ready, replaced: str | None, now: datetime
) -> Row[Any]:
    """Take a corrected case: it keeps its number, code and place; what it asks for and when it was complete are the case's own."""
    _insert_revision(connection, row.id, row.revision + 1, ready, now)
    corrected = {"request_kind": ready.case.request_kind, "replaces": replaced}
    row = change(connection, row, now, **corrected, complete_at=stamp(ready.case.complete_at))
    changed, voided = _begin_again(connection, teken, row, ready.permit_type.procedure, ready.manifest_sha, ready.pin)
    _tell(connection, teken, "case.corrected", changed, ready, acts_voided=voided)
    return changed


def _begin_again(
    connection: Connection, teken: Teken, row: Row[Any], procedure: Procedure, manifest_sha: str, pin: str
) -> tuple[Row[Any], int]:
    """Void the readings of other content and everything made from it; the number and readings of the same content stay."""
    now = teken.clock.now()
    readings = [str(verb) for verb in flow.READINGS]
    outdated = acts.c.verb.not_in([*readings, str(Verb.NUMBER)]) | (
        acts.c.verb.in_(readings) & (acts.c.manifest_sha != manifest_sha)
    )
    mine = (acts.c.permit == row.id) & acts.c.voided_at.is_(None)
    voided = connection.execute(update(acts).where(mine, outdated).values(voided_at=stamp(now))).rowcount
    made = dict.fromkeys(("draft_sha", "final_sha", "ordered_sha", "signatory"))
    newest = connection.execute(select(func.max(revisions.c.revision)).where(revisions.c.permit == row.id)).scalar_one()
    again = moves.settle(
        connection, row, procedure, now, state=State.RECEIVED, position=0, revision=newest, pin=pin, **made
    )
    return again, voided


def _tell(connection: Connection, teken: Teken, event: str, row: Row[Any], ready: _Ready, **more: Any) -> None:
    data = {
        "upstream_id": row.upstream_id,
        "revision": row.revision,
        "content_sha256": ready.case.content_sha,
        "state": row.state,
        **more,
    }
    append(connection, teken.notary, teken.clock.now(), Entry(event, row.office, row.client, row.id, data))


def _insert_revision(connection: Connection, permit: str, revision: int, ready: _Ready, now: datetime) -> None:
    connection.execute(
        insert(revisions).values(
            permit=permit,
            revision=revision,
            content_sha=ready.case.content_sha,
            manifest_sha=ready.manifest_sha,
            body=ready.case.canonical().decode(),
            photo_sha=ready.photo_sha,
            warnings=dumps([_plain(fault) for fault in ready.warnings]),
            accepted_at=stamp(now),
        )
    )


def _newest(connection: Connection, row: Row[Any]) -> Row[Any]:
    return connection.execute(
        select(revisions).where(revisions.c.permit == row.id, revisions.c.revision == row.revision)
    ).one()


def _replaced(connection: Connection, ready: _Ready, client: Client) -> str | None:
    """Find the permit that this case replaces, by id or register number, in this office and for the same holder."""
    wanted = ready.case.replaces
    if wanted is None:
        return None
    query = (
        select(permits)
        .where(permits.c.office == ready.office.code, or_(permits.c.id == wanted, permits.c.number == wanted))
        .with_for_update()
    )
    old = connection.execute(query).first()
    if old is None or old.state not in RELEASED or not _same_holder(connection, old, ready.case):
        raise CaseInvalid(faults=(Fault("/replaces", "replaces_unknown"),))
    rivals = select(permits.c.id).where(
        permits.c.replaces == old.id,
        permits.c.state != State.CLOSED,
        ~((permits.c.client == client.id) & (permits.c.upstream_id == ready.case.upstream_id)),
    )
    if connection.execute(rivals).first() is not None:
        raise Conflict("replaces_taken")
    return str(old.id)


def _same_holder(connection: Connection, old: Row[Any], case: Case) -> bool:
    body = json.loads(_newest(connection, old).body)
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


def _begin(teken: Teken, client: Client, key: str, raw: bytes) -> Reply | str:
    """Claim the key for this request; return the stored answer, or the token of the claim."""
    body_sha, token, now = sha256(raw), secrets.token_hex(8), teken.clock.now()
    until = stamp(now + timedelta(seconds=RUNNING_SECONDS))
    with teken.db.write() as connection:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        row = {"client": client.id, "key": key, "body_sha": body_sha, "token": token, "running_until": until}
        fresh = dialect.insert(idempotency).values(**row).on_conflict_do_nothing().returning(idempotency.c.token)
        if connection.execute(fresh).first() is not None:
            return token
        mine = (idempotency.c.client == client.id) & (idempotency.c.key == key)
        known = connection.execute(select(idempotency).where(mine).with_for_update()).one()
        if known.body_sha != body_sha:
            raise IdempotencyMismatch
        if known.running_until is None:
            return Reply(known.status, json.loads(known.reply), known.location, replayed=True)
        if instant(known.running_until) > now:
            raise IdempotencyRunning
        connection.execute(update(idempotency).where(mine).values(token=token, running_until=until))
    return token


def _answer(connection: Connection, client: Client, key: tuple[str, str], reply: Reply) -> None:
    mine = (idempotency.c.client == client.id) & (idempotency.c.key == key[0]) & (idempotency.c.token == key[1])
    answered = {"running_until": None, "status": reply.status, "reply": dumps(reply.body), "location": reply.location}
    if connection.execute(update(idempotency).where(mine).values(**answered)).rowcount != 1:
        raise IdempotencyRunning


def _forget(teken: Teken, client: Client, key: str, token: str) -> None:
    """An error is not stored: the corrected body may come under the same key."""
    mine = (idempotency.c.client == client.id) & (idempotency.c.key == key) & (idempotency.c.token == token)
    with teken.db.write() as connection:
        connection.execute(delete(idempotency).where(mine, idempotency.c.running_until.is_not(None)))


def _key_hash(secret: str) -> str:
    """SHA-256 is enough for 256 random bits; a slow hash would only slow every request."""
    return hashlib.sha256(secret.encode()).hexdigest()
