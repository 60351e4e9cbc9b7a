"""Enters what was found: each lost permit in force again with its own number and document, each hole as a number for nobody.

One transaction for all of it, in the order of the numbers. Nothing is signed and no number is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select, update

from service import flow, gate, journal, moves, register
from service.archive import sha256
from service.canonical import dumps
from service.clients import desk_client
from service.clock import stamp
from service.codes import readable_url
from service.errors import Conflict
from service.growing_ids import growing_id
from service.journal import Entry
from service.longterm import level_of, raised
from service.permits import CORRECTION, State
from service.reconcile.plan import Hole, Lost, Plan, state_of
from service.sop.model import Verb
from service.store import names
from service.store.once import insert_once
from service.store.tables import acts, clients, documents, mandates, officials, permits, revisions

if TYPE_CHECKING:
    from service.pins import Bundle
    from service.reconcile.papers import Paper
    from service.reconcile.told import Event, Told
    from service.wiring import Teken

RECONCILED, ENTERED, HOLE = "permit.reconciled", "register.reconciled", "register.hole"


@dataclass(frozen=True, slots=True)
class Entered:
    """One permit that is in the register again."""

    number: str
    code: str
    office: str
    permit: str
    upstream_id: str
    sha256: str


def enter(teken: Teken, found: Plan, told: Told) -> tuple[Entered, ...]:
    """Write the plan.

    Raises Conflict("numbering_open"): somebody opened the gate meanwhile; then nothing is written.
    """
    bundles = {one.paper.code: _bundle(teken, one) for one in found.lost}
    for one in found.lost:
        desk_client(teken, one.paper.office)
    at = teken.clock.now()
    with teken.db.write() as connection:
        journal.hold(connection)
        if gate.closure(connection) is None:
            raise Conflict("numbering_open")
        gate.pass_over(connection, teken, told.length)
        entered: dict[str, Entered] = {}
        every: list[Lost | Hole] = [*found.lost, *found.holes]
        for each in sorted(every, key=lambda one: (one.found.series, one.found.no)):
            if isinstance(each, Hole):
                _hole(connection, teken, each, at)
            else:
                entered[each.paper.code] = _lost(connection, teken, each, bundles[each.paper.code], entered, at)
        for decision in found.decisions:
            _decide(connection, teken, decision, at)
        counts = {"permits": len(found.lost), "holes": len(found.holes), "decisions": len(found.decisions)}
        journal.append(connection, teken.notary, at, Entry(ENTERED, gate.EVERYBODY, None, None, counts))
    for one in found.lost:
        teken.archive.keep(one.paper.sha, at)
    return tuple(entered.values())


def _bundle(teken: Teken, one: Lost) -> Bundle:
    """The files to which its case is pinned; today's, where the case itself is lost."""
    return teken.pins.open(one.row.pin if one.row is not None else teken.pins.pin(one.paper.office, one.paper.type))


def _lost(
    connection: Connection, teken: Teken, one: Lost, bundle: Bundle, entered: dict[str, Entered], at: datetime
) -> Entered:
    paper = one.paper
    old = entered[one.corrects].permit if one.corrects in entered else one.corrects
    row: Row[Any] = one.row if one.row is not None else _made(connection, teken, one, bundle, old, at)
    told = _registered(connection, teken, one, row, old, at)
    shas = dict(_states(paper))
    connection.execute(
        update(permits)
        .where(permits.c.id == row.id)
        .values(
            state=State.IN_FORCE,
            fence=permits.c.fence + 1,
            lease_until="",
            attempts=0,
            fault=None,
            parked_from=None,
            series=one.found.series,
            number_no=one.found.no,
            number=paper.number,
            set_on=paper.set_on.isoformat(),
            valid_from=paper.set_on.isoformat(),
            valid_to=paper.valid_to.isoformat(),
            signatory=_signatory(connection, paper),
            released_sha=paper.sha,
            qr=paper.qr,
            **shas,
        )
    )
    _acts(connection, row, bundle, paper)
    _versions(connection, row.id, bundle, paper, at)
    procedure = bundle.permit_type.procedure
    fresh = connection.execute(select(permits).where(permits.c.id == row.id)).one()
    place = flow.position_of(procedure, Verb.ISSUE) + 1
    moved = moves.settle(connection, fresh, procedure, at, position=max(place, fresh.position))
    said = {
        **told,
        "number": paper.number,
        "sha256": _first_version(bundle, paper),
        "valid_from": moved.valid_from,
        "valid_to": moved.valid_to,
        "verify_url": moved.verify_url,
        "document_url": f"/api/v1/permits/{row.id}/document",
        "content_sha256": _content(connection, moved),
    }
    moves.tell(connection, teken, moved, RECONCILED, said)
    if old is not None:
        _end(connection, teken, old, moved, at)
    return Entered(paper.number, paper.code, paper.office, row.id, row.upstream_id, paper.sha)


def _made(connection: Connection, teken: Teken, one: Lost, bundle: Bundle, old: str | None, at: datetime) -> Row[Any]:
    """Make the permit whose case is lost, from what its paper says: under its own id and sender where an event tells them."""
    paper, told = one.paper, one.issued
    upstream_id = str(told.data["upstream_id"]) if told else f"REKONSILIASI/{paper.code}"
    client = told.client if told and told.client else _client(connection, paper.office)
    body = {
        "applicant": {"nik": ""},
        **paper.case,
        "office": paper.office,
        "type": paper.type,
        "upstream_id": upstream_id,
        "request_kind": CORRECTION if old else "BARU",
        "complete_at": paper.signatures[0]["at"],
        "attested": [],
        "requirements": [],
    }
    body["applicant"] = {"nik": "", **paper.case.get("applicant", {})}
    text = dumps(body)
    values = {
        "id": (told.permit if told else None) or growing_id("izn", 20, at),
        "office": paper.office,
        "type": paper.type,
        "client": client,
        "upstream_id": upstream_id,
        "request_kind": body["request_kind"],
        "replaces": old,
        "complete_at": paper.signatures[0]["at"],
        "pin": bundle.pin,
        "code": paper.code,
        "verify_url": readable_url(teken.settings.public_url or bundle.office.public_url, paper.code),
        "state": State.IN_FORCE,
        "position": 0,
        "queue": "none",
        "revision": 1,
        "due_at": stamp(at),
        "created_at": stamp(at),
        "updated_at": stamp(at),
    }
    row = insert_once(connection, permits, ("client", "upstream_id"), values)
    if row is None:  # upstream posted the lost case again meanwhile: that one stays, and this paper is told apart
        values["upstream_id"] = f"REKONSILIASI/{paper.code}"
        row = insert_once(connection, permits, ("client", "upstream_id"), values)
    assert row is not None, "a code is of one permit"
    content = sha256(text.encode())
    kept = {"content_sha": content, "manifest_sha": content, "body": text, "warnings": "[]", "accepted_at": stamp(at)}
    connection.execute(insert(revisions).values(permit=row.id, revision=1, photo_sha=None, **kept))
    names.note(connection, row.id, paper.office, text)
    return row


def _client(connection: Connection, office: str) -> str:
    """The office's only upstream system, or its own desk."""
    mine = select(clients.c.id).where(clients.c.office == office, clients.c.id.not_like("cli\\_meja\\_%", escape="\\"))
    found = list(connection.execute(mine).scalars())
    return str(found[0]) if len(found) == 1 else f"cli_meja_{office}"


def _registered(
    connection: Connection, teken: Teken, one: Lost, row: Row[Any], old: str | None, at: datetime
) -> dict[str, Any]:
    """Write the number in the register, unless the entry is older than the backup; return what the journal anchors."""
    if old is not None:
        passed = register.correct(connection, old=old, new=row.id, by="system", at=at, reconciling=True)
        return {"series": passed.series, "register_hash": passed.entry_hash, "corrects": old}
    if row.number == one.paper.number and register.of_permit(connection, row.id) is not None:
        return {"series": one.found.series}
    office = teken.offices.office(one.paper.office)
    given = register.reenter(
        connection, office, one.found, permit=row.id, reason=register.RECONCILED, by="system", at=at
    )
    return {"series": given.series, "no": given.no, "register_hash": given.entry_hash}


def _states(paper: Paper) -> dict[str, str]:
    """Which of the archived beginnings is what: first the ordered paper, then one for each signature."""
    by_end = {length: sha for sha, length in paper.chain}
    before = [sha for sha, length in paper.chain if length < paper.ends[0]]
    found = {"head_sha": by_end.get(paper.ends[0])}
    if before:
        found |= dict.fromkeys(("final_sha", "ordered_sha"), before[-1])
    if len(paper.ends) > 1:
        found["sealed_sha"] = by_end.get(paper.ends[1])
    return {name: sha for name, sha in found.items() if sha is not None}


def _released(bundle: Bundle, paper: Paper) -> list[tuple[str, str | None]]:
    """Return the versions with what each extends: as signed, unless the office issues nothing below B-LT, and every longer one."""
    complete = [sha for sha, length in paper.chain if length >= paper.ends[-1]]
    pairs = [(sha, complete[number - 1] if number else None) for number, sha in enumerate(complete)]
    return pairs[1:] if bundle.office.issue_at_least in {"B-LT", "B-LTA"} and len(pairs) > 1 else pairs


def _first_version(bundle: Bundle, paper: Paper) -> str:
    return _released(bundle, paper)[0][0]


def _versions(connection: Connection, permit: str, bundle: Bundle, paper: Paper, at: datetime) -> None:
    records = [dict(one) for one in paper.signatures]
    for number, (sha, extends) in enumerate(_released(bundle, paper), start=1):
        signatures = records if extends is None else raised(records, level_of(records))
        row = {"permit": permit, "version": number, "sha": sha, "signatures": dumps(signatures), "extends": extends}
        connection.execute(insert(documents).values(**row, released_at=stamp(at)))


def _acts(connection: Connection, row: Row[Any], bundle: Bundle, paper: Paper) -> None:
    """The signatures are acts of their rows, unless they stand already."""
    procedure = bundle.permit_type.procedure
    done = moves.fulfilled(connection, row)
    for verb, record in zip((Verb.SIGN, Verb.SEAL), paper.signatures, strict=False):
        place = flow.position_of(procedure, verb)
        if place in done:
            continue
        act = procedure.plan[place]
        connection.execute(
            insert(acts).values(
                permit=row.id,
                revision=row.revision,
                position=place,
                row=act.row,
                verb=str(verb),
                role=act.role,
                official=paper.official if verb is Verb.SIGN else None,
                mandate=None,
                at=record["at"],
                manifest_sha=moves.manifest(connection, row),
                document_sha=None,
                detail=dumps(dict(record)),
            )
        )


def _signatory(connection: Connection, paper: Paper) -> str:
    """Who the paper names, with the mandate that he held that day."""
    day = paper.set_on.isoformat()
    held = select(mandates).where(mandates.c.official == paper.official, mandates.c.valid_from <= day)
    mandate = connection.execute(held.order_by(mandates.c.valid_from.desc())).first()
    person = connection.execute(select(officials).where(officials.c.id == paper.official)).first()
    return dumps(
        {
            "official": paper.official,
            "mandate": mandate.id if mandate else "",
            "name": paper.named["name"],
            "nip": paper.named.get("nip"),
            "rank": person.rank if person else None,
            "title": paper.named["title"],
            "prefix": paper.named["prefix"],
            "certificate_sha256": paper.signatures[0]["certificate_sha256"],
        }
    )


def _content(connection: Connection, row: Row[Any]) -> str:
    query = select(revisions.c.content_sha).where(revisions.c.permit == row.id, revisions.c.revision == row.revision)
    return str(connection.execute(query).scalar_one())


def _end(connection: Connection, teken: Teken, old: str, row: Row[Any], at: datetime) -> None:
    """What was corrected is replaced."""
    values = {"state": State.REPLACED, "queue": "none", "fence": permits.c.fence + 1, "updated_at": stamp(at)}
    ended = connection.execute(update(permits).where(permits.c.id == old).values(**values).returning(*permits.c)).one()
    moves.tell(connection, teken, ended, "permit.replaced", {"by_permit": row.id, "by_number": row.number})


def _decide(connection: Connection, teken: Teken, decision: Event, at: datetime) -> None:
    """Repeat a proven decision of the lost time."""
    values = {"state": state_of(decision), "fence": permits.c.fence + 1, "updated_at": stamp(at)}
    mine = update(permits).where(permits.c.id == decision.permit)
    row = connection.execute(mine.values(**values, queue="none").returning(*permits.c)).first()
    if row is not None:
        kept = {
            name: value for name, value in decision.data.items() if name not in {"upstream_id", "state", "revision"}
        }
        moves.tell(connection, teken, row, decision.type, {**kept, "lost_event": decision.seq, "lost_at": decision.at})


def _hole(connection: Connection, teken: Teken, hole: Hole, at: datetime) -> None:
    office = teken.offices.office(hole.office)
    kept = register.reenter(connection, office, hole.found, permit=None, reason=register.HOLE, by="system", at=at)
    told = {"series": kept.series, "no": kept.no, "number": kept.number, "register_hash": kept.entry_hash}
    journal.append(connection, teken.notary, at, Entry(HOLE, hole.office, None, None, told))
