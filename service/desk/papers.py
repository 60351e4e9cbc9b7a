"""The paper as a picture of its exact bytes, and the values that stand on it. The mark across a draft is in the picture only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from service.desk.access import content, own
from service.desk.sessions import Session
from service.document.page import BIRTHDAY, BIRTHPLACE, NAME, date_words, facts
from service.document.preview import page_count, picture
from service.errors import Conflict, NotFound

if TYPE_CHECKING:
    from service.cases import Case
    from service.pins import Bundle
    from service.wiring import Teken

WIDTHS = (720, 1200)
"""Pixels: a phone's screen, and a column of a wide one."""


@dataclass(frozen=True, slots=True)
class Paper:
    """The bytes that are read now. `kind`: "draft" (says so itself), "final" (to be signed), or "released"."""

    sha: str
    kind: str
    pages: int


@dataclass(frozen=True, slots=True)
class Printed:
    """One value that the paper shows, with its label; `label` is None for the holder's name."""

    label: str | None
    value: str
    path: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that the person may see. Pictures with the same tag are the same, so that what he has needs no drawing again."""

    tag: str
    png: Callable[[], bytes] = field(repr=False)


def paper_of(teken: Teken, row: Row[Any]) -> Paper | None:
    """Return the paper as it is read now, None before it is made."""
    for kind, sha in (("released", row.released_sha), ("final", row.final_sha), ("draft", row.draft_sha)):
        if sha is not None:
            return Paper(sha, kind, page_count(teken.archive.get(sha)))
    return None


def printed(row: Row[Any], bundle: Bundle, case: Case, changed: frozenset[str]) -> tuple[Printed, ...]:
    """Return what differs from paper to paper of this type: the name, the printed facts, number and dates."""
    words, content = bundle.labels["paper"], case.as_dict()
    shown = [Printed(None, str(case.get(NAME)), NAME, NAME in changed)]
    for label, value, path in facts(bundle.permit_type.fields, content, bundle.labels):
        shown.append(Printed(label, value, path, _touched(path, changed)))
    if row.number:
        shown.append(Printed(words["number"], row.number, "number", changed=False))
    for label, day in ((words["valid_to"], row.valid_to), (words["set_on"], row.set_on)):
        if day:
            shown.append(Printed(label, date_words(date.fromisoformat(day), bundle.labels), "date", changed=False))
    return tuple(shown)


def image(teken: Teken, who: Session, permit: str, sha: str, page: int, width: int, *, marked: bool) -> Picture:
    """Return the picture of a page (from 1) of the paper with this SHA-256; `marked`: with frames around what differs between papers.

    Raises NotFound (permit, page, width), Conflict("seen_differs") when the paper is another one by now.
    """
    with teken.db.read() as connection:
        row = own(connection, who, permit)
        bundle = teken.pins.open(row.pin)
        case = content(connection, row, bundle)
    paper = paper_of(teken, row)
    if paper is None or not 1 <= page <= paper.pages or width not in WIDTHS:
        raise NotFound
    if paper.sha != sha:
        raise Conflict("seen_differs")
    values = tuple(one.value for one in printed(row, bundle, case, frozenset())) if marked else ()
    mark = bundle.labels["draft"]["mark"] if paper.kind == "final" else ""
    drawn = partial(picture, page=page - 1, width=width, mark=mark, frames=values)
    tag = hashlib.sha256(repr((sha, page, width, mark, values)).encode()).hexdigest()[:32]
    return Picture(tag, lambda: drawn(teken.archive.get(sha)))


def _touched(path: str, changed: frozenset[str]) -> bool:
    """Place and date of birth share a row."""
    return path in changed or (path == BIRTHPLACE and BIRTHDAY in changed)
