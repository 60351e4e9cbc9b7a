"""Fills a database with permits that are over and done: copies of one that was really issued, each chained anew."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from service import journal, register
from service.canonical import digest
from service.codes import crockford
from service.sop.model import PermitType
from service.sop.pattern import render
from service.store import tables
from service.wiring import Teken

CHUNK = 250
OF_A_PERMIT = (tables.revisions, tables.acts, tables.documents, tables.tickets, tables.prints, tables.handovers)
Rows = dict[Table, list[dict[str, Any]]]


@dataclass(slots=True)
class _Ends:
    """Where the journal, the series and the handover register end by now."""

    journal: dict[str, Any]
    series: dict[str, Any]
    handovers: int


def fill(teken: Teken, kind: PermitType, model: str, count: int) -> None:
    """Add `count` copies of the permit `model`. The journal's checkpoints are the model's own: they are not signed anew."""
    with teken.db.read() as connection:
        original = _rows(connection, model)
    for start in range(0, count, CHUNK):
        with teken.db.write() as connection:
            ends = _ends(connection, original)
            copies: Rows = {table: [] for table in original}
            for _ in range(min(CHUNK, count - start)):
                for table, row in _copy(teken, kind, original, ends):
                    copies[table].append(row)
            for table, rows in copies.items():
                if rows:
                    connection.execute(insert(table), rows)
            _move_ends(connection, ends)


def _rows(connection: Connection, model: str) -> Rows:
    found: Rows = {tables.permits: _select(connection, tables.permits, tables.permits.c.id == model)}
    for table in (*OF_A_PERMIT, tables.register, tables.events):
        found[table] = _select(connection, table, table.c.permit == model)
    return found


def _select(connection: Connection, table: Table, which: Any) -> list[dict[str, Any]]:
    query = select(table).where(which).order_by(*table.primary_key.columns)
    return [dict(row._mapping) for row in connection.execute(query)]


def _ends(connection: Connection, original: Rows) -> _Ends:
    name, office = original[tables.register][0]["series"], original[tables.permits][0]["office"]
    chain = _select(connection, tables.chains, tables.chains.c.name == journal.JOURNAL)[0]
    series = _select(connection, tables.series, tables.series.c.name == name)[0]
    handed = _select(connection, tables.handovers, tables.handovers.c.office == office)
    return _Ends(chain, series, max((row["no"] for row in handed), default=0))


def _move_ends(connection: Connection, ends: _Ends) -> None:
    for table, row in ((tables.chains, ends.journal), (tables.series, ends.series)):
        connection.execute(update(table).where(table.c.name == row["name"]).values(**row))


def _copy(teken: Teken, kind: PermitType, original: Rows, ends: _Ends) -> Iterator[tuple[Table, dict[str, Any]]]:
    permit, sha = f"izn_{secrets.token_hex(10)}", secrets.token_hex(32)
    entry = _entry(teken, kind, original[tables.register][0], permit, ends)
    fresh = {"permit": permit, "code": crockford(16), "sha": sha, "number": entry["number"]}
    old = original[tables.permits][0]
    yield (
        tables.permits,
        old
        | {
            "id": permit,
            "upstream_id": secrets.token_hex(8),
            "code": fresh["code"],
            "number": entry["number"],
            "number_no": entry["no"],
            "released_sha": sha,
        },
    )
    yield tables.register, entry
    for table in OF_A_PERMIT:
        for row in original[table]:
            yield table, _of_another(row, fresh, ends)
    names = {old["number"]: entry["number"], original[tables.register][0]["hash"]: entry["hash"]}
    for row in original[tables.events]:
        yield tables.events, _event(row, permit, names, ends)


def _of_another(row: dict[str, Any], fresh: dict[str, Any], ends: _Ends) -> dict[str, Any]:
    row = {key: fresh.get(key, value) for key, value in row.items() if key != "id"}
    if "identity" in row:  # a row of the handover register
        ends.handovers += 1
        row["no"] = ends.handovers
    return row


def _entry(teken: Teken, kind: PermitType, model: dict[str, Any], permit: str, ends: _Ends) -> dict[str, Any]:
    rules = teken.offices.office(kind.office).series[kind.series]
    no, day = ends.series["last_no"] + 1, date.fromisoformat(model["day"])
    number = render(rules.pattern, seq=no, klas=kind.classification, type=kind.document_code, place=1, day=day)
    seq, head = ends.series["entries"] + 1, ends.series["head"]
    entry = model | {"seq": seq, "no": no, "number": number, "permit": permit, "prev": head}
    entry["hash"] = digest({key: value for key, value in entry.items() if key != "hash"})
    ends.series |= {"last_no": no, "entries": seq, "head": entry["hash"]}
    return entry


def _event(model: dict[str, Any], permit: str, names: dict[str, str], ends: _Ends) -> dict[str, Any]:
    data = model["data"]
    for old, new in names.items():
        data = data.replace(old, new)
    fresh = {"seq": ends.journal["length"] + 1, "id": f"evt_{secrets.token_hex(12)}", "prev": ends.journal["head"]}
    event = model | fresh | {"permit": permit, "data": data}
    event["hash"] = digest({key: value for key, value in event.items() if key not in {"hash", "checkpoint"}})
    ends.journal |= {"length": event["seq"], "head": event["hash"]}
    return event


def sound(teken: Teken) -> bool:
    """Tell whether the journal and every series are whole and chained."""
    with teken.db.read() as connection:
        names = list(connection.execute(select(tables.series.c.name)).scalars())
        walks = [journal.walk(connection), *(register.walk(connection, name) for name in names)]
        return all(holds for walk in walks for _, holds in walk)
