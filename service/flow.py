"""Where a permit stands in its plan: which step is due, on whose queue, and what is already fulfilled. Decides, writes nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from service.permits import State
from service.sop.model import Act, By, Procedure, Verb

READINGS = frozenset({Verb.VERIFY, Verb.PARAF, Verb.APPROVE})
"""Acts that bind the content that was read: a correction voids them unless that content is the same."""
_RESTING = frozenset(
    {State.RETURNED, State.PARKED, State.CLOSED, State.SUSPENDED, State.REVOKED, State.REPLACED}
)  # nobody prints or hands over what is not in force
RENDER = "render"
_AFTER = {Verb.ASSEMBLE: State.DRAFTED, Verb.SIGN: State.SIGNED, Verb.SEAL: State.SEALED, Verb.ISSUE: State.IN_FORCE}


def at(procedure: Procedure, position: int) -> Act | None:
    """Return the act at a position of the plan, None at its end."""
    return procedure.plan[position] if position < len(procedure.plan) else None


def _rests(row: Row[Any]) -> bool:
    """Tell whether nothing goes on by itself: somebody has to correct, resume or reinstate first, or it is over."""
    return row.state in _RESTING or row.parked_from is not None


def position_of(procedure: Procedure, verb: Verb) -> int:
    """Return the position of the plan's only act with this verb (assemble, number, sign, seal or issue)."""
    return next(index for index, act in enumerate(procedure.plan) if act.verb is verb)


def needs_render(row: Row[Any], procedure: Procedure) -> bool:
    """Tell whether the paper that the head reads must be made (again): there is none, and all that it prints is known."""
    if row.final_sha is not None or row.draft_sha is None or row.head_sha is not None:
        return False
    return not procedure.number_first or row.position > position_of(procedure, Verb.NUMBER)


def due_step(row: Row[Any], procedure: Procedure) -> str | None:
    """Return the name of the step that a worker or the signing process has to do, None if a person is due or nothing is."""
    if _rests(row):
        return None
    if needs_render(row, procedure):
        return RENDER
    act = at(procedure, row.position)
    if act is None or (act.by is By.PERSON and not (act.verb is Verb.SIGN and row.state == State.SIGNING)):
        return None
    return str(act.verb)


def queue(row: Row[Any], procedure: Procedure) -> str:
    """Return where the permit waits: `work`, `sign`, `person`, or `none` at the end."""
    step = due_step(row, procedure)
    if step is None:
        return "none" if _rests(row) or at(procedure, row.position) is None else "person"
    return "sign" if step in {Verb.SIGN, Verb.SEAL} else "work"


def after(act: Act, state: str, procedure: Procedure) -> State:
    """Return the state of a permit once the act is done."""
    now = State(state)
    if act.verb in READINGS:
        return now if now is State.RECEIVED else State.IN_PARAF
    if act.verb is Verb.NUMBER:
        return State.NUMBERED if procedure.number_first else now
    return _AFTER.get(act.verb, now)
