"""Notes in the database what a round came to, so that whoever looks sees it from any host: the newest of each, no history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects import postgresql, sqlite

from service.canonical import dumps
from service.clock import stamp
from service.store.standing_tables import standings

if TYPE_CHECKING:
    from service.wiring import Teken


@dataclass(frozen=True, slots=True)
class Standing:
    """One round: of what, when it ended, the number that counts, and more of it."""

    name: str
    place: str
    at: str
    number: int
    detail: Mapping[str, Any]


def note(teken: Teken, name: str, place: str, number: int, **detail: Any) -> None:
    """Note the newest round. `detail` never holds personal data. Raises StoreBusy."""
    values = {"at": stamp(teken.clock.now()), "number": number, "detail": dumps(detail)}
    dialect: Any = postgresql if teken.db.dialect == "postgresql" else sqlite
    fresh = dialect.insert(standings).values(name=name, place=place, **values)
    with teken.db.write() as connection:
        connection.execute(fresh.on_conflict_do_update(index_elements=["name", "place"], set_=values))


def noted(connection: Connection, name: str, place: str | None = None) -> list[Standing]:
    """Return the newest round of each place, or of one."""
    query = select(standings).where(standings.c.name == name).order_by(standings.c.place)
    if place is not None:
        query = query.where(standings.c.place == place)
    return [_read(row) for row in connection.execute(query)]


def _read(row: Row[Any]) -> Standing:
    return Standing(row.name, row.place, row.at, row.number, json.loads(row.detail))
