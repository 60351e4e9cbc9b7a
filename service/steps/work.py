"""What a step gets: the claim, the row as claimed, and the pinned office and type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, select

from service import photos
from service.clock import instant
from service.document.page import Signatory, compose
from service.pins import Bundle
from service.sop.model import Procedure
from service.store.permits import Claim
from service.store.tables import revisions

if TYPE_CHECKING:
    from datetime import datetime

    from service.wiring import Teken


@dataclass(frozen=True, slots=True)
class Work:
    """One claimed step."""

    claim: Claim
    row: Row[Any]
    bundle: Bundle

    @property
    def procedure(self) -> Procedure:
        """The pinned procedure."""
        return self.bundle.permit_type.procedure


@dataclass(frozen=True, slots=True)
class Content:
    """The newest revision: the case as posted, and its photo."""

    case: dict[str, Any]
    photo: bytes | None
    accepted_at: datetime


def content(teken: Teken, row: Row[Any]) -> Content:
    """Read the newest revision of a permit's case."""
    query = select(revisions).where(revisions.c.permit == row.id, revisions.c.revision == row.revision)
    with teken.db.read() as connection:
        found = connection.execute(query).one()
    photo = photos.read(teken, found.photo_sha) if found.photo_sha else None
    return Content(json.loads(found.body), photo, instant(found.accepted_at).replace(microsecond=0))


def page(
    bundle: Bundle,
    known: Mapping[str, Any],
    case: Mapping[str, Any],
    signatory: Mapping[str, Any],
    today: date,
    *,
    draft_mark: bool = False,
) -> dict[str, Any]:
    """Return the strings of the paper. `known` is the permit's row as a mapping: number and dates are there once they are fixed.

    Besides the row's own it may have `revokes` and `corrects`, which `compose` takes.
    """
    return compose(
        bundle.office,
        bundle.permit_type,
        labels=bundle.labels,
        case=case,
        signatory=on_paper(signatory),
        number=known["number"],
        set_on=_day(known["set_on"]),
        valid_to=_day(known["valid_to"]),
        code=known["code"],
        verify_url=known["verify_url"],
        draft_mark=draft_mark,
        today=today,
        revokes=known.get("revokes"),
        corrects=known.get("corrects"),
    )


def on_paper(named: Mapping[str, Any]) -> Signatory:
    """Return who signs as the paper names him."""
    return Signatory(
        name=named["name"], title=named["title"], nip=named["nip"], rank=named["rank"], prefix=named["prefix"]
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
