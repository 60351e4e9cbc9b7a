"""A house in which every kind of act waits for somebody, people with every kind of wrong mandate, and a look at all that is stored."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import insert, select, update

from service import acts, surveys
from service.clock import SetClock
from service.demo import SATISFIED
from service.permits import State
from service.sop.model import Verb
from service.store.tables import mandates, metadata, officials, tickets
from service.wiring import Teken
from tests.support.office import NOW, client_of, holder, open_office, payload, post, row, take_turn, work

TODAY = date(2026, 11, 20)
LONG_AGO = date(2024, 6, 3)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
ROHIL = ("rokan-hilir", "sip-perekam-medis")
ROHUL = ("rokan-hulu", "surat-izin-perekam-medik")
MALANG = ("malang", "sik-perekam-medis")
KUDUS = ("kudus", "sip-perekam-medis")

# every verb that a person does, where it waits: (office and type, SOP row)
WAITING = {
    "verify without a paper": (MALANG, 4, Verb.VERIFY),
    "verify": (KUDUS, 7, Verb.VERIFY),
    "paraf": (MALANG, 6, Verb.PARAF),
    "approve": (ROHUL, 8, Verb.APPROVE),
    "print a draft": (MALANG, 8, Verb.PRINT),
    "sign, number first": (ROHIL, 8, Verb.SIGN),
    "sign, number after": (MALANG, 9, Verb.SIGN),
    "print": (ROHIL, 9, Verb.PRINT),
    "survey": (ROHIL, 10, Verb.SURVEY),
    "handover": (ROHIL, 10, Verb.HANDOVER),
    "deliver": (KUDUS, 10, Verb.DELIVER),
    "receive": (KUDUS, 12, Verb.RECEIVE),
}

Do = Callable[[Teken, str, str], object]


def _seen(teken: Teken, permit: str) -> str | None:
    from service.queries import preview

    return preview(teken, permit)[1]


def ticket(teken: Teken, permit: str) -> str:
    with teken.db.read() as connection:
        return connection.execute(select(tickets.c.code).where(tickets.c.permit == permit)).scalar_one_or_none() or "0"


# each act as its person would do it rightly
RIGHTLY: dict[str, Do] = {
    "verify": lambda t, who, p: acts.read(t, who, p, Verb.VERIFY, seen_sha=_seen(t, p)),
    "paraf": lambda t, who, p: acts.read(t, who, p, Verb.PARAF, seen_sha=_seen(t, p)),
    "approve": lambda t, who, p: acts.read(t, who, p, Verb.APPROVE, seen_sha=_seen(t, p)),
    "sign": lambda t, who, p: acts.order_signature(t, who, p, seen_sha=_seen(t, p)),
    "return": lambda t, who, p: acts.give_back(t, who, p, reason="mohon diperbaiki"),
    "print": acts.print_paper,
    "deliver": acts.deliver,
    "survey": lambda t, who, p: surveys.take(t, who, p, answers=SATISFIED),
    "handover": lambda t, who, p: acts.hand_over(t, who, p, identity="ktp", ticket=ticket(t, p)),
    "receive": acts.receive,
}
DECISIONS: dict[str, Do] = {
    name: lambda t, who, p, to=to: acts.decide(t, who, p, to=to, decision="SK 1/2026", reason="pemeriksaan")
    for name, to in (("suspend", State.SUSPENDED), ("reinstate", State.IN_FORCE), ("revoke", State.REVOKED))
}


def everything(teken: Teken) -> dict[str, list[tuple]]:
    """Every row of every table: two that are equal prove that nothing was stored between them."""
    with teken.db.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table)).all()), key=repr)
            for table in metadata.sorted_tables
        }


def engage(teken: Teken, office: str, code: str, *held: tuple[str, str, date, date | None]) -> str:
    """Employ somebody: (role, kind, from, to)."""
    official = f"{office}/{code}"
    with teken.db.write() as connection:
        connection.execute(insert(officials).values(id=official, office=office, name=f"Contoh {code}", nip=None))
        for number, (role, kind, since, until) in enumerate(held, start=1):
            row_ = {"id": f"{official}/{number}", "official": official, "office": office, "role": role, "kind": kind}
            period = {"valid_from": since.isoformat(), "valid_to": until.isoformat() if until else None}
            connection.execute(insert(mandates).values(**row_, **period))
    return official


def end_mandate(teken: Teken, official: str, role: str, last_day: date) -> None:
    with teken.db.write() as connection:
        mine = (mandates.c.official == official) & (mandates.c.role == role)
        connection.execute(update(mandates).where(mine).values(valid_to=last_day.isoformat()))


def due(teken: Teken, permit: str):
    now = row(teken, permit)
    return teken.pins.open(now.pin).permit_type.procedure.plan[now.position]


def bring(teken: Teken, client, kind: tuple[str, str], upstream_id: str, number: int, verb: Verb) -> str:
    """Post a case and let everybody act until this act of this SOP row waits for its person."""
    permit = post(teken, client, payload(*kind, upstream_id)).body["id"]
    while True:
        work(teken)
        act = due(teken, permit)
        if row(teken, permit).queue == "person" and (act.row, act.verb) == (number, verb):
            return permit
        assert take_turn(teken, permit)


@dataclass
class House:
    teken: Teken
    clock: SetClock
    clients: dict[str, object]

    def bring(self, stage: str, upstream_id: str = "") -> str:
        kind, number, verb = WAITING[stage]
        wanted = upstream_id or f"UJI-{stage.replace(' ', '-').replace(',', '')}"
        return bring(self.teken, self.clients[kind[0]], kind, wanted, number, verb)

    def row(self, permit: str):
        return row(self.teken, permit)

    def rightful(self, permit: str) -> str:
        return holder(self.teken, self.row(permit).office, str(due(self.teken, permit).role))


def furnish(home: Path, keys: Path) -> Path:
    """Make a house in which nothing happened yet: the database is migrated, the offices' files are in the archive."""
    teken = open_office(home, keys)
    for kind in (ROHIL, ROHUL, MALANG, KUDUS):
        teken.pins.pin(*kind)
    teken.close()
    return home


def open_house(home: Path, keys: Path, furnished: Path) -> House:
    """Open a house of one's own, copied from the furnished one: forty files need no second fsync."""
    shutil.copytree(furnished, home)
    clock = SetClock(NOW)
    teken = open_office(home, keys, clock=clock)
    return House(teken, clock, {office: client_of(teken, office) for office in teken.offices.offices})
