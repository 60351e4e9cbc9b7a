"""Decisions on a permit that two people take: suspend, reinstate, revoke; void before issue; correct wrong data (ADR 0041).

An official of the office proposes with reason and decision number; who signs for the office confirms, and it is carried out in
that moment. Reasons stay in the office: the journal gets their hash.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, select

from service import acts, corrections, intake, photos
from service.canonical import dumps
from service.cases import Case, restore
from service.clients import Client
from service.clock import stamp
from service.desk import proposals
from service.desk.access import content, own
from service.desk.changes import Change, changes
from service.desk.forms import Form
from service.errors import CaseInvalid, Conflict, Fault, Invalid, NotFound, RoleForbids, StateForbids
from service.people import local_day
from service.permits import BEFORE_ISSUE, CORRECTION, RELEASED, State
from service.sop.model import Field, FieldKind
from service.store.desk_tables import Decision
from service.store.desk_tables import accounts as account_rows
from service.store.tables import permits
from service.turn import REASON_LENGTH

if TYPE_CHECKING:
    from service.desk.proposals import Proposal
    from service.desk.sessions import Session
    from service.document.page import Labels
    from service.pins import Bundle
    from service.wiring import Teken

SUSPEND, REINSTATE, REVOKE, VOID, CORRECT = (
    "permit.suspend",
    "permit.reinstate",
    "permit.revoke",
    "permit.void",
    "permit.correct",
)
GROUNDS = ("moved", "own_wish", "died", "str_over", "sanction", "other")
"""Why a permit is revoked; `moved`: to where another office issues. Within the region it is CABUT_PINDAH (ADR 0043)."""
_TO = {SUSPEND: State.SUSPENDED, REINSTATE: State.IN_FORCE, REVOKE: State.REVOKED}
_WAYS = {State.IN_FORCE: (SUSPEND, REVOKE, CORRECT), State.SUSPENDED: (REINSTATE, REVOKE)}
_MOST_CORRECTIONS = 99


@dataclass(frozen=True, slots=True)
class Told:
    """One proposal with names, for whoever reads it."""

    proposal: Proposal
    by: str
    decider: str
    own: bool
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One permit of a chain of corrections."""

    id: str
    state: str
    number: str | None
    sha256: str | None  # of the released document; None before issue
    this: bool


@dataclass(frozen=True, slots=True)
class Matter:
    """What was and may be decided about one permit."""

    id: str
    name: str
    type: str
    number: str | None
    state: str
    ways: tuple[str, ...]  # kinds that may be proposed in this state
    proposes: bool
    confirms: bool
    waiting: tuple[Told, ...]
    past: tuple[Told, ...]
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list of what waits for the head."""

    told: Told
    permit: str
    name: str
    number: str | None


def may_propose(who: Session) -> bool:
    """Whoever confirms does not propose: an official with a role today, or the head's aide."""
    return not who.signs and (bool(who.roles) or "ajudan" in who.account.duties)


def of_permit(teken: Teken, who: Session, permit: str) -> Matter:
    """Return what was and may be decided about a permit of the person's office. Raises NotFound."""
    with teken.db.read() as connection:
        row = own(connection, who, permit)
        bundle = teken.pins.open(row.pin)
        case = content(connection, row, bundle)
        versions = _versions(connection, row)
    told = _told(teken, who, proposals.of_kinds(teken, who.account.office, KINDS, subject=permit))
    told = [replace(one, changes=_changes(case, one.proposal, bundle.labels)) for one in told]
    return Matter(
        row.id,
        str(case.get("applicant.nama")),
        bundle.permit_type.name,
        row.number,
        row.state,
        _ways(row),
        may_propose(who),
        who.signs,
        tuple(one for one in told if one.proposal.state == Decision.OPEN),
        tuple(one for one in told if one.proposal.state != Decision.OPEN),
        versions if len(versions) > 1 else (),
    )


def waiting(teken: Teken, who: Session) -> list[Entry]:
    """Return what waits for the head of the person's office, newest first."""
    found = proposals.of_kinds(teken, who.account.office, KINDS, state=Decision.OPEN)
    with teken.db.read() as connection:
        rows = connection.execute(select(permits).where(permits.c.id.in_([one.subject for one in found]))).all()
        cases = {row.id: content(connection, row, teken.pins.open(row.pin)) for row in rows}
    numbers = {row.id: row.number for row in rows}
    labels = {row.id: teken.pins.open(row.pin).labels for row in rows}
    entries = []
    for one in _told(teken, who, found):
        permit = str(one.proposal.subject)
        told = replace(one, changes=_changes(cases[permit], one.proposal, labels[permit]))
        entries.append(Entry(told, permit, str(cases[permit].get("applicant.nama")), numbers[permit]))
    return entries


def count(teken: Teken, who: Session) -> int:
    """Return how many proposals wait for this head."""
    found = proposals.of_kinds(teken, who.account.office, KINDS, state=Decision.OPEN)
    return sum(one.proposed_by != who.account.id for one in found)


def propose(teken: Teken, who: Session, permit: str, kind: str, form: Form) -> str:
    """Propose one of `ways`: fields `keputusan` (not for a void), `alasan`, and `dasar` for a revocation.

    Raises NotFound, RoleForbids, StateForbids, Invalid, Conflict("decision_waits").
    """
    faults: list[Fault] = []
    payload = {"reason": form.text("alasan", faults, REASON_LENGTH)}
    if kind != VOID:
        payload["decision"] = form.text("keputusan", faults, 120)
    if kind == REVOKE:
        payload["ground"] = form.choice("dasar", faults, GROUNDS)
    with teken.db.read() as connection:
        row = own(connection, who, permit)
    _check_way(teken, who, row, kind)
    if kind == CORRECT:
        raise NotFound
    if faults:
        raise Invalid(faults=tuple(faults))
    return proposals.propose(teken, who.account, kind, payload, subject=permit)


@dataclass(frozen=True, slots=True)
class Draft:
    """A case as its correction's form shows it: fields of the type with what is typed."""

    name: str
    number: str | None
    fields: tuple[tuple[Field, str], ...]


def draft(teken: Teken, who: Session, permit: str, typed: Mapping[str, str] | None = None) -> Draft:
    """Return the form of a correction. Raises NotFound, RoleForbids, StateForbids, Conflict("decision_waits")."""
    with teken.db.read() as connection:
        row = own(connection, who, permit)
        bundle = teken.pins.open(row.pin)
        case = content(connection, row, bundle)
    _check_way(teken, who, row, CORRECT)
    shown = tuple((one, (typed or {}).get(one.path, _plain(case, one))) for one in bundle.permit_type.fields)
    return Draft(str(case.get("applicant.nama")), row.number, shown)


def propose_correction(teken: Teken, who: Session, permit: str, form: Form) -> str:
    """Propose a new version of a permit with right data: a field for each of the type's, and `alasan`.

    It is judged as any case of today. Raises as `propose`; Invalid and CaseInvalid name the fields by their path.
    """
    faults: list[Fault] = []
    reason = form.text("alasan", faults, REASON_LENGTH)
    with teken.db.read() as connection:
        row = own(connection, who, permit)
        bundle = teken.pins.open(row.pin)
        case = content(connection, row, bundle)
    _check_way(teken, who, row, CORRECT)
    changed = {
        one.path: typed
        for one in bundle.permit_type.fields
        if (typed := form.fields.get(one.path, "").strip()) != _plain(case, one)
    }
    if not changed:
        faults.append(Fault("/isian", "nothing_changed"))
    if faults:
        raise Invalid(faults=tuple(faults))
    payload = {"reason": reason, "changes": changed}
    try:
        _ready(teken, row, changed)
    except CaseInvalid as unfit:
        raise Invalid(faults=tuple(replace(one, pointer=_path(one.pointer)) for one in unfit.faults)) from unfit
    return proposals.propose(teken, who.account, CORRECT, payload, subject=permit)


def confirm(teken: Teken, who: Session, permit: str, proposal: str) -> Proposal:
    """Carry out what was proposed, as the head's decision, in the confirming transaction.

    Raises NotFound, RoleForbids, MandateExpired, StateForbids (the permit moved on), Conflict, CaseInvalid.
    """
    found = _own(teken, who, permit, proposal)
    if not who.signs or who.account.official is None:
        raise RoleForbids
    with teken.db.read() as connection:
        row = own(connection, who, str(found.subject))
    bundle = teken.pins.open(row.pin)
    ready = _ready(teken, row, found.payload["changes"]) if found.kind == CORRECT else None
    moved: list[Row[Any]] = []

    def carry(teken: Teken, connection: Connection, confirmed: Proposal) -> None:
        act = _Act(teken, connection, bundle, str(who.account.official), confirmed, ready)
        moved.append(KINDS[confirmed.kind](act))

    confirmed = proposals.confirm(teken, who.account, proposal, carry)
    for one in moved:
        if one.queue in {"work", "sign"}:
            teken.doorbell.ring(one.queue, one.id)
    return confirmed


def refuse(teken: Teken, who: Session, permit: str, proposal: str) -> Proposal:
    """Decline as the head, or take one's own proposal back. Raises NotFound, RoleForbids, Conflict."""
    found = _own(teken, who, permit, proposal)
    if not who.signs and found.proposed_by != who.account.id:
        raise RoleForbids
    return proposals.refuse(teken, who.account, proposal)


@dataclass(frozen=True, slots=True)
class _Act:
    teken: Teken
    connection: Connection
    bundle: Bundle
    official: str
    proposal: Proposal
    ready: intake.Ready | None

    @property
    def permit(self) -> str:
        return str(self.proposal.subject)

    def check_head(self) -> None:
        day = local_day(self.bundle.office, self.teken.clock.now())
        acts.head_of(self.connection, self.bundle, self.official, day)


def _decide(act: _Act) -> Row[Any]:
    given = act.proposal.payload
    told = {"ground": given["ground"]} if "ground" in given else {}
    return acts.decide_in(
        act.connection,
        act.teken,
        act.bundle,
        act.official,
        act.permit,
        to=_TO[act.proposal.kind],
        decision=given["decision"],
        reason=given["reason"],
        **told,
    )


def _void(act: _Act) -> Row[Any]:
    act.check_head()
    reason = act.proposal.payload["reason"]
    return corrections.withdraw_in(act.connection, act.teken, act.permit, official=act.official, reason=reason)


def _correct(act: _Act) -> Row[Any]:
    act.check_head()
    assert act.ready is not None, "made before the transaction"
    old = act.connection.execute(select(permits).where(permits.c.id == act.permit).with_for_update()).one()
    if old.state != State.IN_FORCE:
        raise StateForbids(state=old.state)
    return intake.store(act.connection, act.teken, Client(old.client, old.office, ""), act.ready)


KINDS: Mapping[str, Callable[[_Act], Row[Any]]] = {
    SUSPEND: _decide,
    REINSTATE: _decide,
    REVOKE: _decide,
    VOID: _void,
    CORRECT: _correct,
}


def _own(teken: Teken, who: Session, permit: str, proposal: str) -> Proposal:
    found = proposals.find(teken, who.account.office, proposal)
    if found.kind not in KINDS or found.subject != permit:
        raise NotFound("proposal_unknown")
    return found


def _ways(row: Row[Any]) -> tuple[str, ...]:
    state = State(row.state)
    return (VOID,) if state in BEFORE_ISSUE else _WAYS.get(state, ())


def _check_way(teken: Teken, who: Session, row: Row[Any], kind: str) -> None:
    if not may_propose(who):
        raise RoleForbids
    if kind not in _ways(row):
        raise StateForbids(state=row.state)
    if proposals.of_kinds(teken, who.account.office, KINDS, state=Decision.OPEN, subject=row.id):
        raise Conflict("decision_waits")


def _told(teken: Teken, who: Session, found: list[Proposal]) -> list[Told]:
    with teken.db.read() as connection:
        query = select(account_rows.c.id, account_rows.c.name).where(account_rows.c.office == who.account.office)
        names = {row.id: row.name for row in connection.execute(query)}
    return [
        Told(
            one, names.get(one.proposed_by, ""), names.get(one.decided_by or "", ""), one.proposed_by == who.account.id
        )
        for one in found
    ]


def _versions(connection: Connection, row: Row[Any]) -> tuple[Version, ...]:
    """Return the permits that correct one another, oldest first: the register shows both, so does the case."""
    first = row
    while first.request_kind == CORRECTION and first.replaces:
        first = connection.execute(select(permits).where(permits.c.id == first.replaces)).one()
    chain, corrects = [first], (permits.c.request_kind == CORRECTION) & (permits.c.state != State.CLOSED)
    while (
        following := connection.execute(select(permits).where(permits.c.replaces == chain[-1].id, corrects)).first()
    ) is not None:
        chain.append(following)
    return tuple(
        Version(one.id, one.state, one.number, one.released_sha if one.state in RELEASED else None, one.id == row.id)
        for one in chain
    )


def _ready(teken: Teken, old: Row[Any], changed: Mapping[str, str]) -> intake.Ready:
    """Judge the corrected case as if it came today, with the old one's attested rows, requirements and photo."""
    client, kind = Client(old.client, old.office, ""), teken.offices.permit_type(old.office, old.type)
    with teken.db.read() as connection:
        revision = corrections.newest(connection, old)
        mine = (permits.c.client == old.client) & (permits.c.upstream_id.like(f"{_stem(old)}/P%"))
        number = connection.execute(select(func.count()).where(mine)).scalar_one() + 1
    if number > _MOST_CORRECTIONS:
        raise Conflict("corrections_many")
    payload = json.loads(revision.body)
    payload |= {"upstream_id": f"{_stem(old)}/P{number}", "request_kind": kind.request_kinds[0]}
    payload |= {"complete_at": _second(teken)}
    payload.pop("replaces", None)
    if payload["request_kind"] != "BARU":
        payload["replaces"] = old.id
    photo = payload.pop("photo", None)
    if photo is not None:
        payload["photo"] = _photo(teken, revision.photo_sha)
    for field in kind.fields:
        if field.path in changed:
            _put(payload, field, changed[field.path])
    ready = intake.prepare(teken, client, payload)
    case = replace(ready.case, request_kind=CORRECTION, replaces=old.id)
    if case.photo is not None and photo is not None:
        case = replace(case, photo=replace(case.photo, sha256=photo["sha256"], media_type=photo["media_type"]))
    manifest_sha = corrections.manifest(case.as_dict(), ready.pin)
    return replace(ready, case=case, manifest_sha=manifest_sha, photo_sha=revision.photo_sha)


def _stem(old: Row[Any]) -> str:
    """Return upstream's id of the case that was corrected first, shortened so that `/P99` fits behind it."""
    stem = str(old.upstream_id)
    if old.request_kind == CORRECTION:
        stem = stem.rpartition("/P")[0]
    return stem[:75]


def _second(teken: Teken) -> str:
    return stamp(teken.clock.now())[:19] + "Z"


def _photo(teken: Teken, sha: str) -> dict[str, str]:
    return {"media_type": "image/jpeg", "data": base64.b64encode(photos.read(teken, sha)).decode()}


def _put(payload: dict[str, Any], field: Field, typed: str) -> None:
    *groups, leaf = field.path.split(".")
    place = payload
    for group in groups:
        place = place.setdefault(group, {})
    if not typed:
        place.pop(leaf, None)
        return
    whole = field.kind is FieldKind.INTEGER and typed.isascii() and typed.isdigit()
    place[leaf] = int(typed[:9]) if whole else typed


def _plain(case: Case, field: Field) -> str:
    value = case.get(field.path)
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


def _path(pointer: str) -> str:
    return "/" + pointer.strip("/").replace("/", ".")


def _changes(case: Case, found: Proposal, labels: Labels) -> tuple[Change, ...]:
    """Return what a proposed correction changes, in words; nothing once the case itself has moved on."""
    if found.kind != CORRECT or found.state != Decision.OPEN:
        return ()
    body = json.loads(case.canonical())
    for field in case.permit_type.fields:
        if field.path in found.payload["changes"]:
            _put(body, field, found.payload["changes"][field.path])
    corrected = restore(dumps(body).encode(), case.permit_type)
    return changes(case, corrected, labels)
