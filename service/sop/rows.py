"""`sop.toml` to `Procedure`: each row sound by itself, then the plan of every branch, of which one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.sop.model import How, Procedure, Replacement, RoleCode, Row, Verb
from service.sop.office import refuse_repeated
from service.sop.plan import HERE_ONLY, UPSTREAM_ONLY, PlanRefused, compile_plan
from service.sop.standard import StandardInvalid, minutes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.sop.faults import Faults
    from service.sop.model import Office
    from service.sop.office import OfficeRead
    from service.sop.plan import Plan
    from service.sop.schema import RowTable, SopFile


def procedure(table: SopFile, read: OfficeRead, chosen: str | None, found: Faults) -> Procedure | None:
    """The procedure with the chosen branch (None: the SOP's own), or None with faults added."""
    before = len(found.found)
    _check_branches(table, found)
    if len(found.found) == before:  # an order is only blamed where the branches are right
        _check_order(table, found)
    if table.sop.total is not None:
        _check_standard(table.sop.total, "sop", "total", found)
    for index, row in enumerate(table.row, 1):
        _check_row(row, f"row[{index}]", table, read.office, found)
    if len(found.found) > before:
        return None
    plans = {branch: _plan(table, branch, read.office, found) for branch in _branches(table)}
    branch = chosen if chosen in plans else table.sop.branch
    plan = plans[branch]
    return None if plan is None or len(found.found) > before else _procedure(table, branch, plan, read.office)


def _check_branches(table: SopFile, found: Faults) -> None:
    known = table.sop.branches
    refuse_repeated(known or [], "sop", "branches", found)
    if known and table.sop.branch is None:
        found.add("sop", "branch", "branch_missing")
    places = [("sop", table.sop.branch), *((f"row[{index}]", row.branch) for index, row in enumerate(table.row, 1))]
    for where, branch in places:
        if branch is not None and known is None:
            found.add(where, "branch", "branch_needless")
        elif branch is not None and branch not in (known or []):
            found.add(where, "branch", "branch_unknown", branch=branch)


def _check_order(table: SopFile, found: Faults) -> None:
    """Row numbers are 1..n in every branch, and upstream's rows come before ours."""
    for branch in _branches(table):
        ours = False
        for expected, (index, row) in enumerate(_of_branch(table, branch), 1):
            if row.no != expected:
                found.add(f"row[{index}]", "no", "row_order", expected=expected)
                break
            if row.how == "attested" and ours:
                found.add(f"row[{index}]", "how", "attested_late")
            ours = ours or row.how != "attested"


def _branches(table: SopFile) -> list[str | None]:
    """Return the names of the SOP's branches, or a single None for an SOP without any."""
    return [None] if table.sop.branches is None else [*table.sop.branches]


def _of_branch(table: SopFile, branch: str | None) -> list[tuple[int, RowTable]]:
    return [(index, row) for index, row in enumerate(table.row, 1) if row.branch in {None, branch}]


def _check_row(row: RowTable, where: str, table: SopFile, office: Office, found: Faults) -> None:
    _check_actors(row, where, office, found)
    _check_verbs(row, where, found)
    for order in range(1, len(row.later or []) + 1):
        _check_later(row, f"{where}.later[{order}]", order, table, found)
    if row.standard is not None:
        _check_standard(row.standard, where, "standard", found)
    if row.how == "replaced" and row.replaced is None:
        found.add(where, "replaced", "replaced_missing")
    if row.how == "attested":
        for key in ("by", "later", "replaced"):
            if getattr(row, key) is not None:
                found.add(where, key, "attested_key")


def _check_actors(row: RowTable, where: str, office: Office, found: Faults) -> None:
    for key in ("actor", "by"):
        role = getattr(row, key)
        if role is not None and RoleCode(role) not in office.roles:
            found.add(where, key, "role_unknown", role=role)
    worker = office.roles.get(RoleCode(row.by or row.actor))
    if row.how == "attested" or worker is None:
        return
    key = "actor" if row.by is None else "by"
    holders = {role for person in office.people for role, *_ in person.roles}
    if not worker.internal:
        found.add(where, key, "role_external", role=worker.code)
    elif worker.code not in holders:
        found.add(where, key, "no_holder", role=worker.code)
    if Verb.SIGN in _verbs(row) and not worker.signs:
        found.add(where, key, "not_signer", role=worker.code)


def _verbs(row: RowTable) -> list[str]:
    return [*(row.acts or [row.verb]), *(later.verb for later in row.later or [])]


def _check_verbs(row: RowTable, where: str, found: Faults) -> None:
    if row.acts is not None:
        refuse_repeated(row.acts, where, "acts", found)
        if row.verb not in row.acts:
            found.add(where, "acts", "acts_verb", verb=row.verb)
    named = {f"acts[{order}]": verb for order, verb in enumerate(row.acts or [], 1) if verb != row.verb}
    for key, verb in {"verb": row.verb, **named}.items():
        if row.how == "attested" and verb in HERE_ONLY:
            found.add(where, key, "verb_here", verb=verb)
        elif row.how != "attested" and verb in UPSTREAM_ONLY:
            found.add(where, key, "verb_attested", verb=verb)


def _check_later(row: RowTable, where: str, order: int, table: SopFile, found: Faults) -> None:
    later = (row.later or [])[order - 1]
    branches = _branches(table) if row.branch is None else [row.branch]
    last = min(max((other.no for _, other in _of_branch(table, branch)), default=0) for branch in branches)
    if not row.no < later.after <= last:
        found.add(where, "after", "later_row", row=row.no, last=last)
    if later.verb in _verbs(row)[: order - 1 + len(row.acts or [row.verb])]:
        found.add(where, "verb", "later_verb", verb=later.verb)
    if Verb(later.verb) in UPSTREAM_ONLY:
        found.add(where, "verb", "verb_attested", verb=later.verb)


def _check_standard(text: str, where: str, key: str, found: Faults) -> None:
    try:
        minutes_of(text)
    except StandardInvalid:
        found.add(where, key, "standard_shape")


def _plan(table: SopFile, branch: str | None, office: Office, found: Faults) -> Plan | None:
    places = {row.no: (f"row[{index}]", row) for index, row in _of_branch(table, branch)}
    try:
        return compile_plan(_rows(table, branch, office), number_at_sign=office.signing.number_at_sign)
    except PlanRefused as refused:
        for fault in refused.faults:
            where, key = ("row", "verb") if fault.row is None else _blame(*places[fault.row], fault.verb)
            found.add(where, key, fault.code, **fault.params)
        return None


def _blame(where: str, row: RowTable, verb: Verb) -> tuple[str, str]:
    """The key of a row that names the verb."""
    if verb == row.verb:
        return where, "verb"
    return where, "acts" if verb in (row.acts or []) else "later"


def _procedure(table: SopFile, branch: str | None, plan: Plan, office: Office) -> Procedure:
    sop = table.sop
    return Procedure(
        sop=sop.code,
        number=sop.number,
        title=sop.title,
        branch=branch,
        rows=tuple(_rows(table, branch, office)),
        plan=plan.acts,
        total=sop.total,
        total_minutes=_minutes(sop.total, office),
        clock=sop.clock,
        number_first=plan.number_first,
        sealed=plan.sealed,
        number_at_sign=plan.number_at_sign,
    )


def _rows(table: SopFile, branch: str | None, office: Office) -> Sequence[Row]:
    return [_row(row, office) for _, row in _of_branch(table, branch)]


def _row(row: RowTable, office: Office) -> Row:
    return Row(
        no=row.no,
        text=row.text,
        actor=RoleCode(row.actor),
        verb=Verb(row.verb),
        how=How(row.how),
        by_role=RoleCode(row.by or row.actor),
        standard=row.standard,
        standard_minutes=_minutes(row.standard, office),
        output=row.output,
        acts=tuple(Verb(verb) for verb in row.acts or [row.verb]),
        later=tuple((Verb(later.verb), later.after) for later in row.later or []),
        replaced=None if row.replaced is None else Replacement(row.replaced.sentence, row.replaced.adr),
    )


def _minutes(text: str | None, office: Office) -> int | None:
    return None if text is None else minutes_of(text, office.calendar.hours_per_day)
