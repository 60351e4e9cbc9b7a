"""What a correction changed, field by field, as a reader of the paper would say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.cases import diff
from service.document.page import Labels, write

if TYPE_CHECKING:
    from service.cases import Case

OTHERS = ("request_kind", "complete_at", "replaces", "attested", "requirements", "photo")
"""Parts of a case that are no field of the type; each is named once, whatever changed in it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after. `label` is None for a part of the case that has no field; then `path` names it."""

    path: str
    label: str | None
    before: str
    after: str


def changes(old: Case, new: Case, labels: Labels) -> tuple[Change, ...]:
    """Return what differs, in the order of the type's fields."""
    fields = new.permit_type.fields
    found = [
        Change(one.path, one.label, *(write(one.kind, case.get(one.path), labels) for case in (old, new)))
        for one in fields
        if old.get(one.path) != new.get(one.path)
    ]
    touched = {place.split("/")[1] for place in diff(old, new)}
    found += [_other(part, old, new) for part in OTHERS if part in touched]
    return tuple(found)


def _other(part: str, old: Case, new: Case) -> Change:
    if part == "requirements":
        texts = {one.code: one.text for one in new.permit_type.requirements}
        before, after = ({one.code for one in case.requirements} for case in (old, new))
        gone, came = ([texts.get(code, code) for code in sorted(some)] for some in (before - after, after - before))
        return Change(part, None, "; ".join(gone), "; ".join(came))
    if part == "request_kind":
        return Change(part, None, old.request_kind, new.request_kind)
    return Change(part, None, "", "")
