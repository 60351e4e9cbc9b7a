"""The plan compiler: rows of an SOP to the acts in the order in which they happen. Refuses orders that cannot work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from service.sop.model import Act, By, How, Row, Verb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A person presses `sign`, and the signing process then does its cryptography; nobody presses `seal`.
BY: Final = {
    Verb.VERIFY: By.PERSON,
    Verb.ASSEMBLE: By.WORKER,
    Verb.PARAF: By.PERSON,
    Verb.APPROVE: By.PERSON,
    Verb.NUMBER: By.WORKER,
    Verb.SIGN: By.PERSON,
    Verb.SEAL: By.SIGNER,
    Verb.ISSUE: By.WORKER,
    Verb.NOTIFY: By.WORKER,
    Verb.ARCHIVE: By.WORKER,
    Verb.PRINT: By.PERSON,
    Verb.DELIVER: By.PERSON,
    Verb.SURVEY: By.PERSON,
    Verb.HANDOVER: By.PERSON,
    Verb.RECEIVE: By.PERSON,
}
UPSTREAM_ONLY: Final = frozenset(Verb) - BY.keys()
HERE_ONLY: Final = frozenset({Verb.NUMBER, Verb.SIGN, Verb.SEAL, Verb.ISSUE})

_MANY: Final = frozenset({Verb.VERIFY, Verb.PARAF, Verb.APPROVE, Verb.PRINT, Verb.DELIVER})
_NEEDS_DRAFT: Final = (Verb.PARAF, Verb.APPROVE, Verb.NUMBER, Verb.SIGN, Verb.PRINT)
_CHECKS: Final = (Verb.VERIFY, Verb.PARAF, Verb.APPROVE)
_AFTER_ISSUE: Final = (Verb.NOTIFY, Verb.ARCHIVE, Verb.DELIVER, Verb.SURVEY, Verb.HANDOVER, Verb.RECEIVE)


@dataclass(frozen=True, slots=True)
class Plan:
    acts: tuple[Act, ...]
    number_first: bool
    sealed: bool
    number_at_sign: bool


@dataclass(frozen=True, slots=True)
class PlanFault:
    """`row` is the SOP's row number, None when no row is to blame; `code` and `params` are of `faults.MESSAGES`."""

    row: int | None
    verb: Verb
    code: str
    params: dict[str, object]


class PlanRefused(Exception):
    """These rows cannot be played in this order."""

    def __init__(self, faults: Sequence[PlanFault]) -> None:
        self.faults = tuple(faults)
        super().__init__(", ".join(fault.code for fault in faults))


def compile_plan(rows: Sequence[Row], *, number_at_sign: bool = False) -> Plan:
    """The plan of rows that are sound one by one and numbered in order. Raises PlanRefused with every fault.

    With `number_at_sign` a number after the signature only records what the head's signature covers already.
    """
    named = tuple(_in_sop_order(rows))
    faults = [*_count_faults(named)] or [
        *_order_faults(named, number_at_sign=number_at_sign)
    ]  # an order is only blamed where the acts are right
    if faults:
        raise PlanRefused(faults)
    verbs = [act.verb for act in named]
    number_first = verbs.index(Verb.NUMBER) < verbs.index(Verb.SIGN)
    return Plan(
        acts=_with_ending(_with_draft(named)),
        number_first=number_first,
        sealed=Verb.SEAL in verbs,
        number_at_sign=number_at_sign and not number_first,
    )


def _in_sop_order(rows: Sequence[Row]) -> Iterator[Act]:
    """Each row's own acts, then what earlier rows left for after it."""
    for row in rows:
        if row.how is not How.ATTESTED:
            yield from (_act(row, verb) for verb in row.acts)
        for earlier in rows:
            yield from (_act(earlier, verb) for verb, after in earlier.later if after == row.no)


def _act(row: Row, verb: Verb) -> Act:
    return Act(verb, row.no, BY[verb], row.by_role)


def _own(verb: Verb) -> Act:
    """A step of Teken's own, which no row names."""
    return Act(verb, None, BY[verb], None)


def _with_draft(acts: tuple[Act, ...]) -> tuple[Act, ...]:
    return acts if _first(acts, Verb.ASSEMBLE) is not None else (_own(Verb.ASSEMBLE), *acts)


def _with_ending(acts: tuple[Act, ...]) -> tuple[Act, ...]:
    """Issue right after the last of number, signature and seal, then notify and archive, each only if no row names it."""
    ending = [_own(verb) for verb in (Verb.ISSUE, Verb.NOTIFY, Verb.ARCHIVE) if _first(acts, verb) is None]
    named = _first(acts, Verb.ISSUE)
    after = (_complete(acts) if named is None else named) + 1
    return (*acts[:after], *ending, *acts[after:])


def _first(acts: Sequence[Act], *verbs: Verb) -> int | None:
    return next((index for index, act in enumerate(acts) if act.verb in verbs), None)


def _complete(acts: Sequence[Act]) -> int:
    return max(index for index, act in enumerate(acts) if act.verb in {Verb.NUMBER, Verb.SIGN, Verb.SEAL})


def _fault(act: Act, code: str, **params: object) -> PlanFault:
    return PlanFault(act.row, act.verb, code, params)


def _count_faults(acts: Sequence[Act]) -> Iterator[PlanFault]:
    """Number and sign exactly once; what is not for several officials at most once."""
    seen: dict[Verb, Act] = {}
    for act in acts:
        if act.verb in seen and act.verb not in _MANY:
            yield _fault(act, "act_twice", verb=act.verb, row=seen[act.verb].row)
        seen.setdefault(act.verb, act)
    for verb in (Verb.NUMBER, Verb.SIGN):
        if verb not in seen:
            yield PlanFault(None, verb, "act_missing", {"verb": verb})


def _order_faults(acts: Sequence[Act], *, number_at_sign: bool) -> Iterator[PlanFault]:
    for index, act in enumerate(acts):
        yield from _draft_faults(acts, index, act)
        yield from _signing_faults(acts, index, act, number_at_sign=number_at_sign)
        yield from _ending_faults(acts, index, act)


def _draft_faults(acts: Sequence[Act], index: int, act: Act) -> Iterator[PlanFault]:
    """What is read, numbered or printed is the draft, so it exists; and nobody checks what is already numbered."""
    draft = _first(acts, Verb.ASSEMBLE)
    if act.verb in _NEEDS_DRAFT and draft is not None and index < draft:
        yield _fault(act, "early_assemble", verb=act.verb, row=acts[draft].row)
    fixed = _first(acts, Verb.NUMBER, Verb.SIGN)
    if act.verb in _CHECKS and fixed is not None and index > fixed:
        yield _fault(act, "late_check", verb=act.verb, first=acts[fixed].verb, row=acts[fixed].row)


def _signing_faults(acts: Sequence[Act], index: int, act: Act, *, number_at_sign: bool) -> Iterator[PlanFault]:
    """A number after the signature is protected by the seal alone: one update fills it and seals (ADR 0003).

    Unless the office allots it with the head's order: then his signature protects it (ADR 0032).
    """
    signed = _first(acts, Verb.SIGN)
    if signed is None:
        return
    if act.verb is Verb.SEAL and index < signed:
        yield _fault(act, "early_seal")
    unsealed = index > signed and _verb_at(acts, index + 1) is not Verb.SEAL
    if act.verb is Verb.NUMBER and unsealed and not number_at_sign:
        yield _fault(act, "number_unsealed")


def _ending_faults(acts: Sequence[Act], index: int, act: Act) -> Iterator[PlanFault]:
    issued = _first(acts, Verb.ISSUE)
    signed = _first(acts, Verb.SIGN)
    complete = _complete(acts) if signed is not None else len(acts)
    if act.verb is Verb.ISSUE and index < complete:
        yield _fault(act, "early_issue")
    if act.verb in _AFTER_ISSUE and signed is not None and index < (complete if issued is None else issued):
        yield _fault(act, "early_act", verb=act.verb)
    handed = _first(acts, Verb.HANDOVER)
    if handed is not None and act.verb is Verb.SURVEY and index > handed:
        yield _fault(act, "late_survey")
    if handed is not None and act.verb is Verb.RECEIVE and index < handed:
        yield _fault(act, "early_receive")


def _verb_at(acts: Sequence[Act], index: int) -> Verb | None:
    return acts[index].verb if index < len(acts) else None
