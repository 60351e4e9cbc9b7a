"""Compares the register with the archive, with delivered events and with marks. Decides, writes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from service import gate, highwater, register
from service.errors import Conflict
from service.permits import RELEASED
from service.reconcile.papers import Paper, unknown
from service.register import Found
from service.sop.pattern import render
from service.store.tables import documents, events, permits, series
from service.store.tables import register as entries

if TYPE_CHECKING:
    from service.reconcile.told import Event, Told
    from service.sop.model import Office, PermitType
    from service.wiring import Teken

_DECISIONS = {
    "permit.suspended": "suspended",
    "permit.resumed_in_force": "in_force",
    "permit.revoked": "revoked",
    "permit.replaced": "replaced",
}


@dataclass(frozen=True, slots=True)
class Lost:
    """One issued permit that the register does not know, or not as issued. `row`: what the database has of its case."""

    paper: Paper
    found: Found
    row: Row[Any] | None
    issued: Event | None
    corrects: str | None = None  # the permit that has this number, or the code of the lost one that has it


@dataclass(frozen=True, slots=True)
class Hole:
    """A number that was given, and no issued document bears it."""

    found: Found
    office: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be entered, in the order of the numbers, and what a person has to look at."""

    lost: tuple[Lost, ...]
    holes: tuple[Hole, ...]
    decisions: tuple[Event, ...]
    """Proven decisions on permits that the database has, oldest first."""
    claimed: tuple[Event, ...]
    """Decisions that no checkpoint proves word by word: somebody decides at the desk."""
    unposted: tuple[str, ...]
    """Upstream ids of cases that were accepted in the lost time and not issued: they must be posted again."""
    doubtful: tuple[tuple[str, str], ...]
    """(why, SHA-256) of documents that can't be entered without a person: `several`, `order_unknown`, `number_taken`, `number_strange`."""

    @property
    def nothing(self) -> bool:
        """Nothing is to be entered."""
        return not (self.lost or self.holes or self.decisions)

    @property
    def undecided(self) -> bool:
        """Documents bear a number that would become a hole for good, were the rest entered now: events may still tell them apart."""
        return any(why in {"several", "order_unknown"} for why, _ in self.doubtful) and bool(self.holes)


def plan(teken: Teken, told: Told) -> Plan:
    """Return what the database lacks.

    Raises Conflict("numbering_open"): there is nothing to reconcile. ArchiveUnreachable.
    """
    with teken.db.read() as connection:
        if gate.closure(connection) is None:
            raise Conflict("numbering_open")
    papers, doubtful = _chosen(list(unknown(teken)), told)
    with teken.db.read() as connection:
        lost, strange = _placed(teken, connection, papers, told)
        holes = _holes(teken, connection, lost, told)
        decisions = [one for one in told.events if one.type in _DECISIONS and _matters(connection, one, lost)]
        known = set(connection.execute(select(permits.c.id)).scalars())
    issued = {one.issued.permit for one in lost if one.issued}
    accepted = [one for one in told.events if one.type == "case.accepted" and one.permit not in known | issued]
    return Plan(
        lost=tuple(lost),
        holes=tuple(holes),
        decisions=tuple(one for one in decisions if one.proven),
        claimed=tuple(one for one in decisions if not one.proven),
        unposted=tuple(sorted(str(one.data.get("upstream_id")) for one in accepted)),
        doubtful=tuple(doubtful + strange),
    )


def state_of(event: Event) -> str:
    """Return what a decision made of the permit."""
    return _DECISIONS[event.type]


def _chosen(papers: Sequence[Paper], told: Told) -> tuple[list[Paper], list[tuple[str, str]]]:
    """Keep one document of each code: the longest, or the one that was told as issued, where two were signed."""
    by_code: dict[str, list[Paper]] = {}
    for paper in papers:
        by_code.setdefault(paper.code, []).append(paper)
    issued = {str(one.data.get("sha256")) for one in told.events if one.type == "permit.issued"}
    chosen, doubtful = [], []
    for several in by_code.values():
        inner = {sha for one in several for sha, _ in one.chain if sha != one.sha}
        longest = [one for one in several if one.sha not in inner]
        told_of = [one for one in longest if issued & {sha for sha, _ in one.chain}]
        best = told_of if len(told_of) == 1 else longest
        if len(best) == 1:
            chosen += best
        else:
            doubtful += [("several", one.sha) for one in longest]
    return chosen, doubtful


def _placed(
    teken: Teken, connection: Connection, papers: Sequence[Paper], told: Told
) -> tuple[list[Lost], list[tuple[str, str]]]:
    """Find each document's place in its series; of documents that share a number each corrects the one before it."""
    issued = {sha: one for one in told.events if one.type == "permit.issued" and (sha := str(one.data.get("sha256")))}
    strange: list[tuple[str, str]] = []
    sharing: dict[tuple[str, int], list[Lost]] = {}
    for paper in papers:
        if connection.execute(select(documents.c.sha).where(documents.c.sha == paper.sha)).first() is not None:
            continue
        row = connection.execute(select(permits).where(permits.c.code == paper.code)).first()
        found = _found(teken, paper)
        if row is not None and row.state in RELEASED:
            strange.append(("several", paper.sha))
        elif found is None:
            strange.append(("number_strange", paper.sha))
        else:
            event = next((issued[sha] for sha, _ in reversed(paper.chain) if sha in issued), None)
            sharing.setdefault((found.series, found.no), []).append(Lost(paper, found, row, event))
    lost: list[Lost] = []
    for _, several in sorted(sharing.items()):
        bearer, ordered = _bearer(connection, several[0].found), in_order(several)
        if bearer == "" or ordered is None:
            why = "number_taken" if bearer == "" else "order_unknown"
            strange += [(why, one.paper.sha) for one in several]
            continue
        for one in ordered:
            mine = bearer is None or (one.row is not None and bearer == one.row.id)
            lost.append(one if mine else replace(one, corrects=bearer))
            bearer = one.paper.code
    return lost, strange


def in_order(several: Sequence[Lost]) -> list[Lost] | None:
    """Papers that share a number, each behind the one that it corrects: as itself says, or its case, or an event that was delivered.

    Where nothing says it (older papers don't), the time of their signatures does, as far as a clock can be believed;
    None: nor can that tell.
    """
    left = sorted(several, key=_signed_at)
    ordered: list[Lost] = []
    while left:
        ready = [one for one in left if not any(_corrects(one, other) for other in left)]
        if not ready or (len(ready) > 1 and _signed_at(ready[0]) == _signed_at(ready[1])):
            return None
        ordered.append(ready[0])
        left.remove(ready[0])
    return ordered


def _signed_at(one: Lost) -> str:
    return str(one.paper.signatures[0]["at"])


def _corrects(one: Lost, other: Lost) -> bool:
    """Tell whether `one` is known to correct `other`."""
    if one.paper.corrects is not None:
        return one.paper.corrects in {sha for sha, _ in other.paper.chain}
    named = {one.row.replaces if one.row is not None else None, one.issued.data.get("corrects") if one.issued else None}
    known = {other.row.id if other.row is not None else None, other.issued.permit if other.issued else None}
    return bool((named & known) - {None})


def _bearer(connection: Connection, found: Found) -> str | None:
    """Return the permit that has this number in the register, or an empty text for a number that none has."""
    mine = (entries.c.series == found.series) & (entries.c.no == found.no)
    row = connection.execute(select(entries).where(mine).order_by(entries.c.seq.desc())).first()
    return None if row is None else str(row.permit or "")


def _found(teken: Teken, paper: Paper) -> Found | None:
    """Read the running number out of the number's text: the one that the office's pattern renders so."""
    office, kind = teken.offices.office(paper.office), teken.offices.permit_type(paper.office, paper.type)
    name = register.series_name(office, kind, paper.set_on)
    for digits in dict.fromkeys(re.findall(r"\d+", paper.number)):
        for place in range(1, 13):
            if int(digits) and _text(office, kind, int(digits), place, paper.set_on) == paper.number:
                return Found(name, kind.series, int(digits), paper.number, paper.set_on)
    return None


def _text(office: Office, kind: PermitType, no: int, place: int, day: date) -> str:
    pattern = office.series[kind.series].pattern
    return render(pattern, seq=no, klas=kind.classification, type=kind.document_code, place=place, day=day)


def _holes(teken: Teken, connection: Connection, lost: Sequence[Lost], told: Told) -> list[Hole]:
    """Every number up to the highest that anybody knows of, which neither the register nor a document has."""
    highest = dict(told.last)
    numbers: dict[tuple[str, int], str] = {}
    for event in told.events:
        if "series" in event.data and "no" in event.data:
            place = (str(event.data["series"]), int(event.data["no"]))
            numbers[place] = str(event.data["number"])
            highest[place[0]] = max(place[1], highest.get(place[0], 0))
    for known in [*_marks(teken, connection), *({one.found.series: one.found.no} for one in lost)]:
        for name, no in known.items():
            highest[name] = max(no, highest.get(name, 0))
    last = {row.name: row.last_no for row in connection.execute(select(series))}
    borne = {(one.found.series, one.found.no) for one in lost}
    holes = []
    for name, no in sorted(highest.items()):
        begin = last.get(name, _first(teken, name) - 1) + 1
        holes += [
            _hole(teken, connection, name, one, numbers) for one in range(begin, no + 1) if (name, one) not in borne
        ]
    return holes


def _marks(teken: Teken, connection: Connection) -> list[Mapping[str, int]]:
    """What this host's mark and the archive's say; those of an era that was opened since are no matter."""
    era = highwater.era(connection)
    found = [highwater.at_home(teken), highwater.in_archive(teken)]
    return [one.last for one in found if one is not None and one.era >= era]


def _first(teken: Teken, name: str) -> int:
    office, code, *_ = name.split("/")
    return teken.offices.office(office).series[code].start


def _hole(teken: Teken, connection: Connection, name: str, no: int, numbers: Mapping[tuple[str, int], str]) -> Hole:
    """A hole's number as it was told, or as the series' first type would have it."""
    code, rules, *kinds, _ = name.split("/")
    office = teken.offices.office(code)
    kind = next(one for one in teken.offices.types(code) if one.series == rules and (not kinds or one.code == kinds[0]))
    day = connection.execute(select(series.c.last_day).where(series.c.name == name)).scalar_one_or_none()
    closed = gate.closure(connection)
    on = date.fromisoformat(day or str(closed.closed_at if closed else "")[:10])
    return Hole(Found(name, rules, no, numbers.get((name, no)) or _text(office, kind, no, 1, on), on), code)


def _matters(connection: Connection, one: Event, lost: Sequence[Lost]) -> bool:
    """A decision on a permit that is or will be there, and that the journal does not tell yet."""
    there = connection.execute(select(permits.c.state).where(permits.c.id == one.permit)).scalar_one_or_none()
    coming = any(each.issued is not None and each.issued.permit == one.permit for each in lost)
    again = select(events.c.seq).where(events.c.permit == one.permit, events.c.data.contains(f'"lost_event":{one.seq}'))
    return (there is not None or coming) and connection.execute(again).first() is None
