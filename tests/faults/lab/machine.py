"""A whole small office in one process and in a fixed order: upstream, workers, signing process and people take turns.

Nothing here depends on who was faster, so the passages of the named points can be counted in one run, and the n-th of them be
the last thing that happens in the next. The clock is the machine's own: it stands still, and moves when nobody has anything to do.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from service import failpoints, intake, journal, pipeline
from service.archive import ArchiveDamaged
from service.clients import Client
from service.clock import SetClock
from service.errors import TekenError
from service.settings import PROJECT, Settings
from service.store import StoreBusy, webhooks
from service.store.tables import events, permits
from service.verification import permit as verification
from service.webhooks import endpoints
from service.webhooks.delivery import deliver
from service.webhooks.network import network_of
from service.wiring import Teken, open_teken
from tests.faults.poster import append, lines
from tests.support.office import OFFICES, take_turn

AWAY = timedelta(minutes=2)
"""What passes between a death and the next start: every lease has ended."""
WAIT = timedelta(seconds=61)
PATIENCE = 60
STUCK, UNABLE = 3, 4


def main() -> int:
    """Bring every ordered case to its end; return STUCK if that can't be, UNABLE if it could not start."""
    folder = Path(os.environ["UJI_FOLDER"])
    clock = SetClock(datetime.fromisoformat((folder / "clock").read_text()))
    settings = Settings.from_environment()
    offices = OFFICES if settings.templates == PROJECT / "templates" else None
    try:
        teken = open_teken(settings, clock=clock, signing=True, offices=offices)
    except (OSError, StoreBusy) as refused:
        print(f"did not start: {refused!r}")
        return UNABLE
    passed = _counted(folder / os.environ["UJI_COUNT"]) if "UJI_COUNT" in os.environ else None
    town = Town(teken, folder)
    idle, stood = 0, town.standing()
    _set(folder, clock.at + AWAY)
    while idle < PATIENCE:
        if town.round():
            before, stood = stood, town.standing()
            idle = 0 if town.hooked or stood != before else idle  # tries that come to nothing are no progress
        elif town.over():
            town.listen()
            if passed is not None:
                passed()
            return 0
        else:
            idle += 1
            clock.at += timedelta(minutes=30) if town.hooked else WAIT
            _set(folder, clock.at + AWAY)
    print(f"stuck: {town.states()}")
    return STUCK


class Town:
    """Everybody of a small office, in turn."""

    def __init__(self, teken: Teken, folder: Path) -> None:
        self.teken, self.folder = teken, folder
        self.orders = lines(folder / "orders")
        self.answered = {ack["key"] for ack in lines(folder / "acks")}
        self.told: dict[str, str] = {}
        self.hooked = "UJI_WEBHOOK" in os.environ
        if self.hooked and not (folder / "hooked").exists():
            for client in dict.fromkeys(order["client"]["id"] for order in self.orders):
                endpoints.add(teken, client, os.environ["UJI_WEBHOOK"])
            (folder / "hooked").touch()
        self.heard: dict[str, int] = {}
        for event in lines(folder / "feed"):
            self.heard[event["client"]] = max(event["seq"], self.heard.get(event["client"], 0))

    def round(self) -> int:
        """One turn of everybody; how much was done."""
        done = sum(self._post(order) for order in self.orders if order["key"] not in self.answered)
        try:
            done += pipeline.drain(self.teken, "work") + pipeline.drain(self.teken, "sign")
            done += sum(self._act(permit) for permit in self._trays())
            done += self._send()
            self.ask()
            self.listen()
        except StoreBusy:
            return done
        return done

    def over(self) -> bool:
        """Everything is answered, and nothing is due to anybody."""
        with self.teken.db.read() as connection:
            query = select(func.count()).select_from(permits).where(permits.c.queue != "none")
            waiting = webhooks.due(connection, self.teken.clock.now() + timedelta(days=2), 1) if self.hooked else []
            return not connection.execute(query).scalar_one() + len(waiting) + len(self.orders) - len(self.answered)

    def standing(self) -> object:
        """What changes when a case comes further."""
        with self.teken.db.read() as connection:
            told = connection.execute(select(func.max(events.c.seq))).scalar()
        return told, len(self.answered), sorted(self.states())

    def states(self) -> list[tuple[str, ...]]:
        """Where every permit stands."""
        with self.teken.db.read() as connection:
            query = select(permits.c.state, permits.c.queue, permits.c.fault)
            return [tuple(map(str, row)) for row in connection.execute(query)]

    def listen(self) -> None:
        """The receivers write down what is new in their feeds."""
        for client in {order["client"]["id"] for order in self.orders}:
            with self.teken.db.read() as connection:
                found = journal.feed(connection, client, self.heard.get(client, 0), 500)
            for event in found:
                append(self.folder / "feed", {**event, "client": client})
                self.heard[client] = event["seq"]

    def ask(self) -> None:
        """Somebody looks up the code of every permit, also of those that nobody has heard of yet; what it was answered is kept."""
        with self.teken.db.read() as connection:
            known = connection.execute(select(permits.c.id, permits.c.code)).all()
        for permit, code in known:
            said = str(verification.by_code(self.teken, code, at=self.teken.clock.now()).state)
            if said != self.told.get(permit):
                self.told[permit] = said
                with self.teken.db.read() as connection:
                    length = connection.execute(select(func.max(events.c.seq))).scalar_one()
                append(self.folder / "asked", {"permit": permit, "said": said, "length": length})

    def _post(self, order: dict) -> int:
        raw = json.dumps(order["case"]).encode()
        try:
            reply = intake.accept(self.teken, Client(**order["client"]), json.loads(raw), raw, order["key"])
        except (TekenError, StoreBusy, ArchiveDamaged, OSError):
            return 0  # an answer that says no: upstream asks again
        append(self.folder / "acks", {"key": order["key"], "status": reply.status, "body": reply.body})
        self.answered.add(order["key"])
        return 1

    def _send(self) -> int:
        """Send what is due, one receiver after the other; how many took something."""
        if not self.hooked:
            return 0
        with self.teken.db.read() as connection:
            waiting = webhooks.due(connection, self.teken.clock.now(), 10)
        return sum(deliver(self.teken, network_of(self.teken), one) for one in waiting)

    def _trays(self) -> list[str]:
        with self.teken.db.read() as connection:
            query = select(permits.c.id).where(permits.c.queue == "person").order_by(permits.c.created_at, permits.c.id)
            return list(connection.execute(query).scalars())

    def _act(self, permit: str) -> bool:
        try:
            return take_turn(self.teken, permit)
        except (TekenError, ArchiveDamaged, OSError):
            return False  # he is told why not, and looks again later
        except LookupError:
            return False  # by this clock nobody holds that office yet


def _set(folder: Path, at: datetime) -> None:
    """When the next start is, should this process die."""
    (folder / "clock").write_text(at.isoformat())


def _counted(path: Path):
    """Count passages from now on; the returned function writes them down."""
    passed: list[str] = []
    real = failpoints.passing

    def passing(point: str) -> None:
        passed.append(point)
        real(point)

    failpoints.passing = passing
    return lambda: path.write_text(json.dumps(passed))
