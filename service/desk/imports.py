"""Many applications from one sheet: every row judged as an entered case is, the report laid before a second person with the sound rows.

A row has its own id, or one derived from its content, so the same sheet twice gives the same permits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from service import intake
from service.archive import sha256
from service.canonical import dumps
from service.clients import Client, desk_client, desk_client_id
from service.desk import book, entry, proposals, questions, sheets, tables
from service.desk.accounts import desk_key
from service.desk.entry import Draft
from service.desk.entrylist import IMPORT
from service.desk.proposals import Proposal
from service.desk.questions import GIVEN, PHOTO, REFERENCE, Question
from service.desk.sessions import Session
from service.errors import CaseInvalid, Conflict, Fault, Invalid
from service.permits import State
from service.sop.model import FieldKind, PermitType
from service.store.desk_tables import Decision
from service.store.tables import permits, revisions

if TYPE_CHECKING:
    from service.wiring import Teken

ID, SAMPLE_ID = "upstream_id", "CONTOH"
YES, NO = frozenset({"ya", "y", "x", "v", "ada", "1", "√", "✓"}), frozenset({"tidak", "t", "-", "0", "tidak ada"})
DIGITS = frozenset({FieldKind.NIK, FieldKind.NIP, FieldKind.STR, FieldKind.PHONE})
"""Numbers whose every digit counts: a spreadsheet keeps fifteen, and no leading zero."""
_NAMED = re.compile(r"(?:.*\()?([a-z0-9_]+(?:\.[a-z0-9_]+)*)\)?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class RowRead:
    """One row of the sheet: what it says, and what is wrong with it by column. A faulty row keeps no more than the name."""

    line: int
    upstream_id: str
    answers: Mapping[str, str] = field(repr=False)
    photo: str | None
    faults: tuple[tuple[str, Fault], ...]
    warnings: tuple[tuple[str, Fault], ...]
    known: bool = False  # accepted before with the same content: it stays that permit

    def payload(self) -> dict[str, Any]:
        """Return it as a proposal keeps it."""
        kept = self.answers if not self.faults else {k: v for k, v in self.answers.items() if k == "applicant.nama"}
        return {
            "line": self.line,
            "upstream_id": self.upstream_id,
            "answers": dict(kept),
            "photo": self.photo if not self.faults else None,
            "faults": [[name, one.pointer, one.code, dict(one.params)] for name, one in self.faults],
            "warnings": [[name, one.pointer, one.code, dict(one.params)] for name, one in self.warnings],
            "known": self.known,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> RowRead:
        """Return the row that a proposal keeps."""
        told = {
            key: tuple((name, Fault(pointer, code, params)) for name, pointer, code, params in kept[key])
            for key in ("faults", "warnings")
        }
        return cls(kept["line"], kept[ID], kept["answers"], kept["photo"], known=kept["known"], **told)


@dataclass(frozen=True, slots=True)
class Report:
    """What a sheet holds, row by row."""

    kind: PermitType
    subject: str
    rows: tuple[RowRead, ...]

    @property
    def sound(self) -> tuple[RowRead, ...]:
        """Return the rows that can be accepted."""
        return tuple(row for row in self.rows if not row.faults)


@dataclass(frozen=True, slots=True)
class Found:
    """A proposed import: its report, and by id what became of its rows."""

    proposal: Proposal
    report: Report
    by: str
    mine: bool
    permits: Mapping[str, str]
    reason: str  # why somebody declined it


def columns(kind: PermitType) -> tuple[Question, ...]:
    """Return the columns of a type's sheet: its questions, a requirement with its reference in one, and the sender's own id first."""
    own = Question(ID, "head", FieldKind.TEXT, required=False, sample=SAMPLE_ID)
    return (own, *(one for one in questions.questions(kind) if not one.name.endswith(REFERENCE)))


def template(kind: PermitType, form: str, title: Callable[[Question], str]) -> bytes:
    """Return an empty sheet ("csv" or "xlsx") with its columns and one invented row, which is never imported."""
    asked = columns(kind)
    rows = [[f"{title(one)} ({one.name})" for one in asked], [_sample(one, kind) for one in asked]]
    return tables.workbook(rows, spare=sheets.MOST_ROWS) if form == "xlsx" else tables.comma_separated(rows)


def judge(teken: Teken, who: Session, code: str, data: bytes, photos: Mapping[str, bytes]) -> Report:
    """Judge every row of a sheet. `photos` are the uploaded pictures by file name. Stores nothing but pictures made safe.

    Raises NotFound, RoleForbids, Invalid (the sheet as a whole).
    """
    kind = entry.type_of(teken, who, code)
    client = desk_client(teken, who.account.office)
    head, *rows = sheets.read(data)
    asked = _asked(kind, head)
    pictures = {_plain_name(name): picture for name, picture in photos.items()}
    reader = _Reader(teken, kind, client, asked, pictures)
    read = [reader.read(line, row) for line, row in enumerate(rows, 2) if not _is_sample(asked, row)]
    if not read:
        raise Invalid(faults=(Fault(sheets.POINTER, "sheet_empty"),))
    return Report(kind, f"IMPOR-{sha256(data)[:12].upper()}", tuple(_compared(teken, client, read, reader.shas)))


def propose(teken: Teken, who: Session, report: Report) -> str:
    """Lay the sound rows before a second person; the same sheet again is the same proposal while it waits."""
    payload = {"type": str(report.kind.code), "rows": [row.payload() for row in report.rows]}
    open_ones = proposals.of_kinds(teken, who.account.office, {IMPORT}, state=Decision.OPEN, subject=report.subject)
    for one in open_ones:
        if one.proposed_by == who.account.id and one.payload == payload:
            return one.id
    return proposals.propose(teken, who.account, IMPORT, payload, subject=report.subject)


def found(teken: Teken, who: Session, proposal: str) -> Found:
    """Return a proposed import of the person's office. Raises NotFound, RoleForbids."""
    with teken.db.read() as connection:
        one = entry.own_proposal(connection, who, proposal, IMPORT)
        by = entry.writer(connection, one.proposed_by)
        rows = tuple(RowRead.of(row) for row in one.payload["rows"])
        known = _permits(connection, who.account.office, [row.upstream_id for row in rows if not row.faults])
    kind = entry.type_of(teken, who, one.payload["type"])
    became = {row.upstream_id: row.id for row in known} if one.state == Decision.CONFIRMED else {}
    return Found(
        one,
        Report(kind, str(one.subject), rows),
        by,
        one.proposed_by == who.account.id,
        became,
        one.payload.get("reason", ""),
    )


def confirm(teken: Teken, who: Session, proposal: str) -> int:
    """Accept the sound rows of somebody else's import, each by itself; return how many are accepted.

    Raises NotFound, RoleForbids, Conflict: "own_proposal", "proposal_decided".
    """
    seen = found(teken, who, proposal)
    client = desk_client(teken, who.account.office)
    ready = list(_ready(teken, client, seen.report))
    stored: list[Row[Any]] = []

    def carry(teken: Teken, connection: Connection, one: Proposal) -> None:
        for each in ready:
            try:
                row = intake.store(connection, teken, client, each)
            except (CaseInvalid, Conflict):  # told before anything is written; the report shows the row as not accepted
                continue
            stored.append(row)
            by = {"office": one.office, "account": who.account.id, "permit": row.id, "proposal": one.id}
            book.note(teken, action="case.entered", connection=connection, **by)

    proposals.confirm(teken, who.account, proposal, carry)
    for row in stored:
        teken.doorbell.ring(row.queue, row.id)
    return len(stored)


class _Reader:
    """Reads the rows of one sheet; knows which ids it has seen."""

    def __init__(
        self, teken: Teken, kind: PermitType, client: Client, asked: Sequence[Question], pictures: Mapping[str, bytes]
    ) -> None:
        self.teken, self.kind, self.client, self.asked, self.pictures = teken, kind, client, asked, pictures
        self.shas: dict[str, str] = {}  # content by id, of sound rows
        self._seen: set[str] = set()
        self._names = {one.name for one in columns(kind)}

    def read(self, line: int, row: Sequence[str]) -> RowRead:
        """Judge one row."""
        answers: dict[str, str] = {}
        wrong: list[tuple[str, Fault]] = []
        for one, text in zip(self.asked, row, strict=False):
            _take(one, text, answers, wrong)
        picture = self._picture(answers.pop(PHOTO, ""), wrong)
        upstream_id = answers.pop(ID, "") or self._derived(answers, picture)
        if upstream_id in self._seen:
            wrong.append((ID, Fault(f"/{ID}", "repeated")))
        self._seen.add(upstream_id)
        faults, warnings = self._judged(Draft(str(self.kind.code), upstream_id, answers, picture))
        spoken = {name for name, _ in wrong}
        faults = [(name, fault) for name, fault in faults if name not in spoken]
        return RowRead(line, upstream_id, answers, picture, (*wrong, *faults), tuple(warnings))

    def _judged(self, draft: Draft) -> tuple[list[tuple[str, Fault]], list[tuple[str, Fault]]]:
        body = entry.body_of(self.teken, self.kind, draft)
        try:
            ready = intake.prepare(self.teken, self.client, body)
        except CaseInvalid as refused:
            return self._placed(body, refused.faults), []
        self.shas[draft.upstream_id] = ready.case.content_sha
        return [], self._placed(body, ready.warnings)

    def _placed(self, body: Mapping[str, Any], faults: Sequence[Fault]) -> list[tuple[str, Fault]]:
        placed = questions.placed(self.kind, body, faults)
        return [
            (name.removesuffix(REFERENCE) if name.removesuffix(REFERENCE) in self._names else ID, fault)
            for name, each in placed.items()
            for fault in each
        ]

    def _picture(self, name: str, wrong: list[tuple[str, Fault]]) -> str | None:
        if not name or self.kind.photo is None:
            return None
        data = self.pictures.get(_plain_name(name))
        if data is None:
            wrong.append((PHOTO, Fault("/photo", "photo_not_sent")))
            return None
        try:
            return entry.keep_photo(self.teken, self.kind, data)
        except CaseInvalid as refused:
            wrong.extend((PHOTO, fault) for fault in refused.faults)
            return None

    def _derived(self, answers: Mapping[str, str], picture: str | None) -> str:
        """Name a row by its content, by a key of ours: an id tells nothing of the person."""
        parts = (self.client.office, str(self.kind.code), dumps(dict(answers)), picture or "")
        return "IMP-" + desk_key(self.teken).hidden("entry/import", *parts)[:20].upper()


def _asked(kind: PermitType, head: Sequence[str]) -> list[Question]:
    known = {one.name: one for one in columns(kind)}
    names = [_name_of(cell) for cell in head]
    faults = []
    for place, name in enumerate(names, 1):
        if name not in known:
            faults.append(Fault(sheets.POINTER, "column_unknown", {"column": str(place)}))
        elif name in names[: place - 1]:
            faults.append(Fault(sheets.POINTER, "column_twice", {"column": str(place)}))
    if faults:
        raise Invalid(faults=tuple(faults[:10]))
    return [known[name] for name in names]


def _name_of(cell: str) -> str:
    found = _NAMED.fullmatch(cell.strip())
    return found[1] if found else ""


def _is_sample(asked: Sequence[Question], row: Sequence[str]) -> bool:
    return any(one.name == ID and text == SAMPLE_ID for one, text in zip(asked, row, strict=False))


def _take(one: Question, text: str, answers: dict[str, str], wrong: list[tuple[str, Fault]]) -> None:
    """Take one cell as an answer."""
    pointer = "/" + one.name.replace(".", "/")
    if text == sheets.FORMULA:
        wrong.append((one.name, Fault(pointer, "formula_cell")))
        return
    if text.startswith(sheets.NUMBER):
        text = text.removeprefix(sheets.NUMBER)
        if one.kind in DIGITS:
            wrong.append((one.name, Fault(pointer, "number_cell")))
            return
    if len(text) > sheets.LONGEST_CELL:
        wrong.append((one.name, Fault(pointer, "too_long", {"limit": str(sheets.LONGEST_CELL)})))
    elif one.kind == "tick":
        if text and text.casefold() not in NO:
            answers[one.name] = GIVEN
            answers |= {} if text.casefold() in YES else {one.name + REFERENCE: text}
    elif text:
        answers[one.name] = text


def _compared(teken: Teken, client: Client, rows: Sequence[RowRead], shas: Mapping[str, str]) -> Iterator[RowRead]:
    """Tell the rows that are accepted already: the same content stays that permit, other content is none of it."""
    with teken.db.read() as connection:
        known = {one.upstream_id: one for one in _permits(connection, client.office, [row.upstream_id for row in rows])}
    for row in rows:
        before = known.get(row.upstream_id)
        same = before is not None and before.content_sha == shas.get(row.upstream_id)
        if before is None or row.faults or before.state == State.RETURNED:
            yield row
            continue
        differs = () if same else ((ID, Fault(f"/{ID}", "row_differs")),)
        yield RowRead(row.line, row.upstream_id, row.answers, row.photo, differs, row.warnings, known=same)


def _permits(connection: Connection, office: str, ids: Sequence[str]) -> Sequence[Row[Any, Any, Any, Any]]:
    now = (revisions.c.permit == permits.c.id) & (revisions.c.revision == permits.c.revision)
    query = select(permits.c.id, permits.c.upstream_id, permits.c.state, revisions.c.content_sha).join(revisions, now)
    mine = (permits.c.client == desk_client_id(office)) & permits.c.upstream_id.in_(ids)
    return connection.execute(query.where(mine)).all()


def _ready(teken: Teken, client: Client, report: Report) -> Iterator[intake.Ready]:
    for row in report.sound:
        draft = Draft(str(report.kind.code), row.upstream_id, row.answers, row.photo)
        try:
            yield intake.prepare(teken, client, entry.body_of(teken, report.kind, draft))
        except CaseInvalid:  # since it was proposed: an STR that ended, say
            continue


def _sample(one: Question, kind: PermitType) -> str:
    if one.sample:
        return one.sample
    given = {
        "request_kind": kind.request_kinds[0],
        "instant": "20/11/2026 08.30",
        "person": "Contoh Petugas",
        "tick": "ya",
    }
    return given.get(one.kind, "foto-contoh.jpg" if one.kind == PHOTO else "")


def _plain_name(name: str) -> str:
    """Return a file's name as people compare them: without folders, in any case."""
    return unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1].strip()).casefold()
