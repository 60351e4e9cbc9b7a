"""What the counter gives along as PDF: the pick-up ticket, on which nothing of the holder stands, and the receipt of many hand-overs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from service.codes import grouped
from service.desk.access import own
from service.desk.sessions import Session
from service.document import sheets
from service.errors import NotFound
from service.store.tables import tickets

if TYPE_CHECKING:
    from service.desk.counter import Handover
    from service.wiring import Teken


def ticket(teken: Teken, who: Session, permit: str, words: Mapping[str, Any]) -> bytes:
    """Return the ticket of a permit of the person's own office.

    `words`: title, code_label, number_label, case_label, bring_title, bring (lines), foot (lines). Raises NotFound before the permit is
    issued: nothing can be fetched yet.
    """
    with teken.db.read() as connection:
        row = own(connection, who, permit)
        code = connection.execute(select(tickets.c.code).where(tickets.c.permit == row.id)).scalar_one_or_none()
    if code is None:
        raise NotFound("ticket_missing")
    office, kind = teken.offices.office(row.office), teken.pins.open(row.pin).permit_type
    given = {
        "office": office.short_name,
        "government": office.government,
        "brand": office.brand,
        "title": words["title"],
        "what": kind.name,
        "code_label": words["code_label"],
        "code": grouped(code),
        "facts": [[words["number_label"], row.number], [words["case_label"], row.upstream_id]],
        "bring_title": words["bring_title"],
        "bring": list(words["bring"]),
        "foot": list(words["foot"]),
    }
    return sheets.ticket(teken.settings.templates, given, code, timestamp=teken.clock.now())


def receipt(teken: Teken, who: Session, listed: Sequence[Handover], words: Mapping[str, Any]) -> bytes:
    """Return the receipt of what was handed over together.

    `words`: title, text, facts (pairs of label and value), heads, signed (who signs), page ("{n}" of "{all}").
    """
    office = teken.offices.office(who.account.office)
    given = {
        **words,
        "office": office.name,
        "government": office.government,
        "brand": office.brand,
        "size": office.paper.size,
        "rows": [[str(one.no), one.number, one.name, one.type] for one in listed],
    }
    return sheets.receipt(teken.settings.templates, given, timestamp=teken.clock.now())
