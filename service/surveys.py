"""Step 9, the survey (SKM): taken of the holder at the counter or on his own phone, declined, postponed; stored apart from his permit."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, insert, select

from service import journal, moves
from service.canonical import dumps
from service.errors import Fault, Invalid, StateForbids
from service.people import local_day
from service.permits import State
from service.skm import ELEMENTS
from service.sop.model import Verb
from service.store.tables import events, surveys
from service.turn import Desk, answer, at_desk, locked

if TYPE_CHECKING:
    from service.wiring import Teken

SCALE = range(1, 5)
SURVEYED, DECLINED = "permit.surveyed", "permit.survey_declined"


def take(
    teken: Teken, official: str | None, permit: str, *, answers: Mapping[str, int], counted: bool = True
) -> dict[str, Any]:
    """Take the holder's SKM: nine answers, one to four. They are stored apart; the permit only knows that the form was filled.

    `official` None: the holder fills it in at his own phone, also before the paper is printed. `counted` False: who fetches several
    papers has answered with another one of them.
    """
    check_answers(answers)

    def act(desk: Desk) -> Row[Any]:
        if counted:
            _keep(desk, answers)
        return desk.finish(SURVEYED, **_by(desk))

    return _surveyed(teken, official, permit, act)


def decline(teken: Teken, official: str | None, permit: str, *, later: bool) -> dict[str, Any]:
    """Record that the holder won't answer, which opens the gate, or will later, which does not."""

    def act(desk: Desk) -> Row[Any]:
        if not later:
            return desk.finish(DECLINED, **_by(desk))
        moves.tell(desk.connection, teken, desk.row, "permit.survey_postponed", _by(desk).get("data", {}))
        return desk.row

    return _surveyed(teken, official, permit, act)


def volunteer(teken: Teken, permit: str, *, answers: Mapping[str, int]) -> None:
    """Take the holder's SKM where his SOP has no row for it; once for each permit. Raises Invalid, StateForbids."""
    check_answers(answers)
    bundle = moves.pinned(teken, permit)
    plan = bundle.permit_type.procedure.plan
    with teken.db.write() as connection:
        row = locked(connection, permit, bundle)
        if row.state != State.IN_FORCE or any(act.verb is Verb.SURVEY for act in plan) or told(connection, permit):
            raise StateForbids(state=row.state)
        _keep(Desk(connection, teken, row, bundle, plan[-1], None), answers)
        moves.tell(connection, teken, row, SURVEYED, {"by": "holder"})


def told(connection: Connection, permit: str) -> bool:
    """Tell whether the journal says that a form was filled for this permit, or declined."""
    mine = (events.c.permit == permit) & events.c.type.in_((SURVEYED, DECLINED))
    return connection.execute(select(events.c.seq).where(mine)).first() is not None


def _surveyed(teken: Teken, official: str | None, permit: str, act: Any) -> dict[str, Any]:
    if official is not None:
        return at_desk(teken, official, permit, Verb.SURVEY, act)
    bundle = moves.pinned(teken, permit)
    plan = bundle.permit_type.procedure.plan
    with teken.db.write() as connection:
        row = locked(connection, permit, bundle)
        at = next((at for at, one in enumerate(plan) if one.verb is Verb.SURVEY), None)
        if row.state != State.IN_FORCE or at is None or at in moves.fulfilled(connection, row):
            raise StateForbids(state=row.state)
        moved = act(Desk(connection, teken, row, bundle, plan[at], None))
    return answer(moved)


def _by(desk: Desk) -> dict[str, Any]:
    """Say that the holder did it himself, at the survey's place in the plan."""
    if desk.someone is not None:
        return {}
    plan = desk.bundle.permit_type.procedure.plan
    return {"data": {"by": "holder"}, "detail": {"by": "holder"}, "position": plan.index(desk.act)}


def _keep(desk: Desk, answers: Mapping[str, int]) -> None:
    """Store a form and write the month's others anew beside it, in random order: neither rows nor transactions tell whose is the last."""
    month = local_day(desk.bundle.office, desk.teken.clock.now()).strftime("%Y-%m")
    journal.hold(desk.connection)
    shelf = (surveys.c.office == desk.row.office) & (surveys.c.type == desk.row.type) & (surveys.c.month == month)
    forms = [dict(form._mapping) for form in desk.connection.execute(select(surveys).where(shelf))]  # noqa: SLF001 - SQLAlchemy's public name
    forms.append({"office": desk.row.office, "type": desk.row.type, "month": month, "answers": dumps(dict(answers))})
    secrets.SystemRandom().shuffle(forms)
    desk.connection.execute(delete(surveys).where(shelf))
    desk.connection.execute(insert(surveys), [{**form, "id": secrets.token_hex(12)} for form in forms])


def check_answers(answers: Mapping[str, int]) -> None:
    faults = [Fault(f"/answers/{element}", "required") for element in ELEMENTS if element not in answers]
    graded = (
        (element, type(value) is int and value in SCALE) for element, value in answers.items()
    )  # True is no grade
    faults += [Fault(f"/answers/{element}", "out_of_range") for element, sound in graded if not sound]
    faults += [Fault(f"/answers/{element}", "unknown_key") for element in answers if element not in ELEMENTS]
    if faults:
        raise Invalid(faults=tuple(faults))
