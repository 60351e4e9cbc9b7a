"""Re-walks every series, event and released document, and reports each violation of I2, I3, I4, I8 and I11."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ColumnElement, Connection, Row, Text, select, true, type_coerce

from service import journal, register
from service.archive import ArchiveDamaged, sha256
from service.checkpoint import CheckpointInvalid, read
from service.longterm import level_of
from service.permits import CORRECTION, RELEASED, State
from service.steps.number import carried_on
from service.steps.proving import prove_stored
from service.steps.qr import QrDiffers
from service.store.sealed import vault_of
from service.store.tables import chains, documents, events, permits, revisions, series
from service.vault import SealBroken
from signing import ExpectedExtension, Level, ProofFailed, prove_extension

if TYPE_CHECKING:
    from service.wiring import Teken

ERASED = "case.erased"
"""The event that tells that the content of a case that was given up is gone (service/retention.py)."""
CASE = "case_revisions.body"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken invariant: which, where, what was found."""

    invariant: str
    where: str
    what: str

    def as_dict(self) -> dict[str, str]:
        """Return the fields by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything found, and how much was walked."""

    violations: tuple[Violation, ...]
    walked: dict[str, int]


def audit(
    teken: Teken,
    *,
    checkpoint: str | None = None,
    office: str | None = None,
    told: Callable[[int, int], None] = lambda _proven, _all: None,
) -> Findings:
    """Walk everything in one consistent read. `checkpoint` is a signed note that left the machine earlier: it must lie on our chain.

    `office`: only its series, permits and documents, and the journal, which is everybody's. `told` hears before each document how many
    are proven and how many there are.
    """
    walked: Counter[str] = Counter()
    with teken.db.read() as connection:
        violations = [
            *_series(connection, walked, office),
            *_journal(connection, teken, walked),
            *_permits(connection, office),
            *(_against(connection, teken, checkpoint) if checkpoint is not None else ()),
        ]
        released = connection.execute(_RELEASED.where(_of(permits.c.office, office))).all()
    walked["documents"] = len(released)
    for proven, row in enumerate(released):
        told(proven, len(released))
        violations += _document(teken, row)
    return Findings(tuple(violations), dict(walked))


def _of(column: ColumnElement[str], office: str | None) -> ColumnElement[bool]:
    return true() if office is None else column == office


def _series(connection: Connection, walked: Counter[str], office: str | None) -> Iterator[Violation]:
    anchored, seen = _anchors(connection, office), set()
    for one in connection.execute(select(series).where(_of(series.c.office, office)).order_by(series.c.name)).all():
        walked["series"] += 1
        numbers: list[int] = []
        voids: list[int] = []
        head, length = None, 0
        for entry, sound in register.walk(connection, one.name):
            walked["register entries"] += 1
            if not sound:
                yield Violation("I11", f"{one.name} #{entry.seq}", "the entry or its link was changed")
            if entry.hash not in anchored:
                yield Violation("I11", f"{one.name} #{entry.seq}", "the journal does not know this entry")
            seen.add(entry.hash)
            if entry.kind == register.CORRECT:
                yield from _passed_on(connection, entry)
            else:
                (numbers if entry.kind in {"allot", register.RESERVE} else voids).append(entry.no)
            head, length = entry.hash, entry.seq
        if (length, head or one.head) != (one.entries, one.head):
            yield Violation("I11", one.name, "the last entries are missing")
        if numbers != list(range(one.first_no, one.last_no + 1)):
            yield Violation("I2", one.name, f"numbers are not {one.first_no}..{one.last_no}, each once, in order")
        if not set(voids) <= set(numbers) or len(voids) != len(set(voids)):
            yield Violation("I2", one.name, "a void has no number, or two")
    for lost in sorted(anchored.keys() - seen):
        yield Violation("I11", anchored[lost], "the journal knows an entry that the register has no more")


def _passed_on(connection: Connection, entry: Row[Any]) -> Iterator[Violation]:
    """A number goes on to a permit only from the one that it corrects, which is replaced and had it before."""
    new, old = (
        connection.execute(select(permits).where(permits.c.id == one)).first() for one in (entry.permit, entry.reason)
    )
    sound = new is not None and old is not None and (new.replaces, new.request_kind) == (old.id, CORRECTION)
    before = register.of_permit(connection, entry.reason)
    kept = before is not None and (before.series, before.no, before.number) == (entry.series, entry.no, entry.number)
    if not (sound and kept and old is not None and old.state == State.REPLACED):
        yield Violation(
            "I3", f"{entry.series} #{entry.seq}", "a number went on to a permit that does not correct its own"
        )


def _anchors(connection: Connection, office: str | None) -> dict[str, str]:
    """Return the series of every register entry whose hash an event carries."""
    mine = events.c.data.contains("register_hash") & _of(events.c.office, office)
    rows = connection.execute(select(events.c.data).where(mine)).scalars()
    told = [_fields(data) for data in rows]
    return {str(data["register_hash"]): str(data.get("series")) for data in told if "register_hash" in data}


def _fields(text: str) -> dict[str, Any]:
    """Read what an event says; what was made unreadable says nothing, and its hash shows it."""
    try:
        return dict(json.loads(text))
    except (TypeError, ValueError):
        return {}


def _journal(connection: Connection, teken: Teken, walked: Counter[str]) -> Iterator[Violation]:
    chain = connection.execute(select(chains).where(chains.c.name == journal.JOURNAL)).one()
    head, length = None, 0
    for event, sound in journal.walk(connection):
        walked["events"] += 1
        if not sound:
            yield Violation(
                "I11", f"journal #{event.seq}", "the event or its link was changed, or one before it is missing"
            )
        try:
            noted = read(event.checkpoint, teken.notary.verifier)
            if (noted.length, noted.head) != (event.seq, event.hash):
                yield Violation("I11", f"journal #{event.seq}", "its checkpoint says something else")
        except CheckpointInvalid:
            yield Violation("I11", f"journal #{event.seq}", "its checkpoint is not signed by us")
        head, length = event.hash, event.seq
    if (length, head or chain.head) != (chain.length, chain.head):
        yield Violation("I11", "journal", "the last events are missing")


def _permits(connection: Connection, office: str | None) -> Iterator[Violation]:
    told = _told(connection, office)
    for row in connection.execute(select(permits).where(_of(permits.c.office, office))).all():
        yield from _number(connection, row)
        known = told.get(row.id, _Told())
        if known.state != row.state:
            yield Violation("I11", row.id, f"it is {row.state}, but the journal says {known.state}")
        for one in connection.execute(_SEALED.where(revisions.c.permit == row.id)):
            yield from _content(connection, row, one, known)
        if row.state in RELEASED:
            yield from _released(connection, row, known.issued)


def _content(connection: Connection, row: Row[Any], one: Row[Any], known: _Told) -> Iterator[Violation]:
    """What was accepted, or, of a case that was given up, what the journal says was erased."""
    if one.content_sha not in known.contents:
        yield Violation("I11", row.id, "its case is not what was accepted")
    if one.erased_at is not None:
        if row.state != State.CLOSED or not known.erased:
            yield Violation("I11", row.id, "its case is erased, and the journal does not say so")
        return
    try:
        if sha256(vault_of(connection).open(one.body, CASE)) != one.content_sha:
            yield Violation("I11", row.id, "its case is not what was accepted")
    except SealBroken:
        yield Violation("I11", row.id, "its case cannot be opened: it is not what was sealed")


_SEALED = select(type_coerce(revisions.c.body, Text).label("body"), revisions.c.content_sha, revisions.c.erased_at)


def _number(connection: Connection, row: Row[Any]) -> Iterator[Violation]:
    allotted, voided = register.of_permit(connection, row.id), register.is_void(connection, row.id)
    if row.number is not None and allotted is None and row.state not in RELEASED:
        allotted = carried_on(connection, row)
    registered = (allotted.number, allotted.day.isoformat()) if allotted else (None, None)
    given_back = voided and row.number is None  # at new year, until it is numbered anew
    if (row.number, row.set_on) != registered and not given_back:
        yield Violation("I3", row.id, "its number or its date is not the register's")
    if register.standing(connection, row.id) > 1:
        yield Violation("I3", row.id, "it has two numbers that are not void")
    if voided and row.state != State.CLOSED and not given_back:
        yield Violation("I3", row.id, f"its number is void, but it is {row.state}")


def _released(connection: Connection, row: Row[Any], issued: Mapping[str, Any]) -> Iterator[Violation]:
    versions = select(documents.c.sha).where(documents.c.permit == row.id).order_by(documents.c.version)
    shas = list(connection.execute(versions).scalars())
    if not shas or row.released_sha != shas[-1]:
        yield Violation("I4", row.id, "released without a document, or with another one")
    recorded = {"number": row.number, "valid_from": row.valid_from, "valid_to": row.valid_to, "sha256": shas[:1]}
    told = {key: issued.get(key) for key in recorded} | {"sha256": [issued.get("sha256")]}
    if recorded != told:
        yield Violation("I4", row.id, "its number, validity or document is not what was issued")


_ISSUED = ("permit.issued", "permit.reconciled")
"""The second is of what was issued before the database was put back (ADR 0053)."""


@dataclass(slots=True)
class _Told:
    """What the journal says of one permit: its state, the content that was accepted, and how it was issued."""

    state: str | None = None
    contents: set[str] = field(default_factory=set)
    erased: bool = False
    issued: Mapping[str, Any] = field(default_factory=dict)


def _told(connection: Connection, office: str | None) -> dict[str, _Told]:
    told: dict[str, _Told] = {}
    mine = events.c.permit.is_not(None) & _of(events.c.office, office)
    for event in connection.execute(select(events).where(mine).order_by(events.c.seq)):
        known, data = told.setdefault(event.permit, _Told()), _fields(event.data)
        known.state = data.get("state", known.state)
        known.contents |= {data["content_sha256"]} if "content_sha256" in data else set()
        known.erased |= event.type == ERASED
        known.issued = data if event.type in _ISSUED else known.issued
    return told


def _document(teken: Teken, row: Row[Any]) -> Iterator[Violation]:
    """Prove the released file again, as at issue (I4, I7, I8)."""
    where = f"{row.id} v{row.version}"
    if row.state not in RELEASED:
        yield Violation("I5", where, f"a document is released, but the permit is {row.state}")
    signatures, signed = json.loads(row.signatures), row.sealed_sha or row.head_sha
    try:
        pdf = teken.archive.get(row.sha)
        base = pdf if row.extends is None else teken.archive.get(signed)
        prove_stored(teken, row, teken.pins.open(row.pin), signatures, base)
        if row.extends is not None:
            expected = ExpectedExtension(None, cast("Level", level_of(signatures)))
            prove_extension(pdf, teken.archive.get(row.extends), expected)
            prove_extension(pdf, base, expected)
    except ArchiveDamaged as damage:
        yield Violation("I8", where, str(damage))
    except ProofFailed as refusal:
        yield Violation("I7" if refusal.code == "proof_prefix" else "I4", where, refusal.code)
    except QrDiffers as refusal:
        yield Violation("I4", where, refusal.code)
    except (TypeError, ValueError, KeyError, AssertionError):
        yield Violation("I4", where, "what is recorded of it cannot be read")


_RELEASED = select(permits, documents.c.sha, documents.c.version, documents.c.signatures, documents.c.extends).join(
    documents, documents.c.permit == permits.c.id
)


def _against(connection: Connection, teken: Teken, note: str) -> Iterator[Violation]:
    try:
        noted = read(note, teken.notary.verifier)
    except CheckpointInvalid as error:
        yield Violation("I11", "checkpoint", str(error))
        return
    known = connection.execute(select(events.c.hash).where(events.c.seq == noted.length)).scalar_one_or_none()
    if known != noted.head:
        yield Violation(
            "I11",
            f"journal #{noted.length}",
            "it is not the journal that this checkpoint saw: it was rewritten or rolled back",
        )
