"""Step 2, assemble: typeset the draft and rehearse the final. A number is never spent on a paper that can't be issued."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, select

from service import failpoints, flow, moves
from service.corrections import newest
from service.document.errors import RehearsalFailed
from service.document.fields import final
from service.document.rehearse import rehearse
from service.moves import Done
from service.people import NamedSignatory, local_day
from service.permits import CORRECTION, MOVE, State
from service.sop.model import Verb
from service.steps.fitness import fit_signatory
from service.steps.number import period
from service.steps.work import Content, Work, content, page
from service.store.permits import change, fenced
from service.store.tables import documents, permits

if TYPE_CHECKING:
    from service.wiring import Teken


def assemble(teken: Teken, work: Work) -> Row[Any]:
    """Typeset the draft of the newest revision; a case that can't be issued as it stands goes back to upstream with the reasons."""
    case = content(teken, work.row)
    named, dates = _signatory(teken, work), _dates(work, case)
    strings = _strings(teken, work, case, named, dates)
    try:
        rehearse(work.bundle.typesetter, work.bundle.permit_type, strings, photo=case.photo, timestamp=case.accepted_at)
    except RehearsalFailed as refusal:
        return _return(teken, work, refusal)
    draft_sha = _draft(teken, work, case, named, **dates)
    # Where the number comes after the signature, the paper that the head will sign is complete already.
    final_sha = None if work.procedure.number_first else _final(teken, work, case, named)
    failpoints.passing("assemble.after_archive")
    with teken.db.write() as connection:
        row = fenced(connection, work.claim)
        made = {"draft_sha": draft_sha, "final_sha": final_sha, "signatory": named.as_json()}
        done = Done("permit.drafted", document_sha=draft_sha, data={"draft_sha256": draft_sha})
        moved = moves.finish(connection, teken, row, work.procedure, done, **made, **dates)
        failpoints.passing("assemble.before_commit")
    failpoints.passing("assemble.after_commit")
    return moved


def render(teken: Teken, work: Work) -> Row[Any]:
    """Typeset the paper that the head reads and signs: with its number where that comes first, and with who signs today."""
    case = content(teken, work.row)
    named, dates = _signatory(teken, work), _dates(work, case)
    made = {"final_sha": _final(teken, work, case, named, **dates)}
    if _printed_before_signature(work):
        made["draft_sha"] = _draft(teken, work, case, named, **dates)
    failpoints.passing("render.after_archive")
    with teken.db.write() as connection:
        row = fenced(connection, work.claim)
        moved = moves.settle(
            connection, row, work.procedure, teken.clock.now(), signatory=named.as_json(), **made, **dates
        )
        moves.tell(connection, teken, moved, "permit.rendered", {"final_sha256": made["final_sha"]})
    failpoints.passing("render.after_commit")
    return moved


def _dates(work: Work, case: Content) -> dict[str, str]:
    """Return the validity of a numbered case: its correction may have another STR, never another date."""
    set_on = work.row.set_on
    return {} if set_on is None else period(work.bundle.permit_type, case.case, date.fromisoformat(set_on))


def _final(teken: Teken, work: Work, case: Content, named: NamedSignatory, **dates: str) -> str:
    """Typeset and prepare the fields. The revision's own time goes into the file: equal content gives equal bytes."""
    strings = _strings(teken, work, case, named, dates)
    paper = final(work.bundle.typesetter, work.procedure, strings, photo=case.photo, timestamp=case.accepted_at)
    return teken.archive.put(paper.pdf)


def _draft(teken: Teken, work: Work, case: Content, named: NamedSignatory, **dates: str) -> str:
    """Typeset the DRAF copy: the same content, marked, without fields, code or QR."""
    strings = _strings(teken, work, case, named, dates, draft_mark=True)
    return teken.archive.put(work.bundle.typesetter.typeset(strings, photo=case.photo, timestamp=case.accepted_at).pdf)


def _printed_before_signature(work: Work) -> bool:
    plan = work.procedure.plan
    return any(act.verb is Verb.PRINT for act in plan[: flow.position_of(work.procedure, Verb.SIGN)])


def _strings(
    teken: Teken,
    work: Work,
    case: Content,
    named: NamedSignatory,
    dates: Mapping[str, str],
    *,
    draft_mark: bool = False,
) -> dict[str, Any]:
    today = local_day(work.bundle.office, teken.clock.now())
    more = {"revokes": _revokes(teken, work.row), "corrects": _corrects(teken, work.row)}
    known = {**work.row._mapping, **dates, **more}  # noqa: SLF001 - SQLAlchemy's public name
    return page(work.bundle, known, case.case, named.as_dict(), today, draft_mark=draft_mark)


def _revokes(teken: Teken, row: Row[Any]) -> str | None:
    """Return the number of the permit that this one revokes; a correction says again what the corrected paper said."""
    with teken.db.read() as connection:
        first = row
        while first.request_kind == CORRECTION:
            first = connection.execute(select(permits).where(permits.c.id == first.replaces)).one()
        if first.request_kind != MOVE:
            return None
        if first.replaces is None:  # a number of before Teken
            return str(json.loads(newest(connection, first).body)["replaces"])
        old = select(permits.c.number).where(permits.c.id == first.replaces)
        return str(connection.execute(old).scalar_one())


def _corrects(teken: Teken, row: Row[Any]) -> str | None:
    """Return the SHA-256 of the document that this one corrects, as it was first issued: two papers with one number tell their order."""
    if row.request_kind != CORRECTION:
        return None
    first = (documents.c.permit == row.replaces) & (documents.c.version == 1)
    with teken.db.read() as connection:
        return str(connection.execute(select(documents.c.sha).where(first)).scalar_one())


def _signatory(teken: Teken, work: Work) -> NamedSignatory:
    """Find who signs now, and that his certificate and the office's seal, if the procedure needs it, may sign today."""
    return fit_signatory(teken, work.bundle)


def _return(teken: Teken, work: Work, refusal: RehearsalFailed) -> Row[Any]:
    """Send the case back to upstream, naming each place that the rehearsal refused."""
    with teken.db.write() as connection:
        row = fenced(connection, work.claim)
        faults = [{"pointer": fault.pointer, "code": fault.code} for fault in refusal.faults]
        moved = change(connection, row, teken.clock.now(), state=State.RETURNED, queue="none", fault=refusal.code)
        moves.tell(
            connection, teken, moved, "case.returned", {"by": "system", "reason": refusal.code, "faults": faults}
        )
    return moved
