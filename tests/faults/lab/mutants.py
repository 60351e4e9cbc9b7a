"""Tempting faults of the program, each put into a process before it starts: the laboratory must find every one of them."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from contextlib import contextmanager, suppress

from sqlalchemy import select, update

from service import demo, failpoints, journal, pipeline, register, turn
from service.archive import ArchiveDamaged, local
from service.people import Actor
from service.permits import State
from service.steps import STEPS
from service.store.database import Database
from service.store.permits import fenced, lock
from service.store.tables import permits, series
from service.verification import permit as verification
from service.verification.answers import PermitState

issue, number, quarantine, sign = (
    importlib.import_module(f"service.steps.{name}") for name in ("issue", "number", "quarantine", "sign")
)


def counter_alone() -> None:
    """I2: the counter is committed by itself, before the number's own transaction."""
    real = number.allot

    def step(teken, work):
        with teken.db.write() as connection:
            mine = series.c.name.like(f"{work.bundle.office.code}%")
            before = connection.execute(select(series.c.name, series.c.last_no).where(mine)).all()
            for one in before:
                connection.execute(update(series).where(series.c.name == one.name).values(last_no=one.last_no + 1))
        if before:
            failpoints.passing("number.before_commit")

        def allot(connection, *given):
            for one in before:
                connection.execute(update(series).where(series.c.name == one.name).values(last_no=one.last_no))
            return real(connection, *given)

        number.allot = allot
        return plain(teken, work)

    plain = STEPS["number"]
    STEPS["number"] = step


def attempts_after() -> None:
    """I1: a try is counted when it has failed, not before it begins."""
    real = pipeline.claim

    def claim(connection, *given, **more):
        taken = real(connection, *given, **more)
        if taken is not None:
            mine = permits.c.id == taken[0].permit
            connection.execute(update(permits).where(mine).values(attempts=taken[1].attempts))
        return taken

    pipeline.claim = claim


def no_fence() -> None:
    """I3 to I6: whoever finishes a step writes, though the claim is another's by now."""
    _everywhere("fenced", fenced, lambda connection, claim: lock(connection, claim.permit))


def lease_ignored() -> None:
    """Two workers may take one permit at once. The fence keeps what they write right, so only the double work shows."""
    from sqlalchemy import and_

    from service.store import permits as store

    store._is_due = lambda queue, now: and_(permits.c.queue == queue, permits.c.due_at <= store.stamp(now))


def late_event(which: str) -> None:
    """I6: events are written in a transaction of their own, after the change; the process dies between the two, at the n-th."""
    real, write, left = journal.append, Database.write, [int(which)]
    pending: list[tuple] = []

    def append(_connection, *given):
        pending.append(given)

    @contextmanager
    def writing(self):
        with write(self) as connection:
            yield connection
        told, pending[:] = pending[:], []
        for given in told:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            with write(self) as connection:
                real(connection, *given)

    _everywhere("append", real, append)
    Database.write = writing


def half_written() -> None:
    """I8: files are written under their names."""

    def place(path, data):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            failpoints.passing("archive.after_temporary")
            file.write(data[len(data) // 2 :])

    local._place = place


def unread() -> None:
    """I4: what is released was not read back."""
    real = local.LocalArchive.get

    def get(self, name):
        with suppress(ArchiveDamaged):
            return real(self, name)
        return self._path(name).read_bytes()

    local.LocalArchive.get = get
    issue.prove_stored = lambda *_: None


def verified_early() -> None:
    """I5: the public is told of a permit as soon as it is signed."""
    real = verification.by_code

    def by_code(teken, code, *given, **more):
        answer = real(teken, code, *given, **more)
        with teken.db.read() as connection:
            row = connection.execute(select(permits.c.state).where(permits.c.code == code)).first()
        if row is not None and row.state in {State.SIGNED, State.NUMBERED}:
            object.__setattr__(answer, "state", PermitState.IN_FORCE)
        return answer

    verification.by_code = by_code


def late_released() -> None:
    """I4: of two signatures the later one stands."""

    def keep(teken, permit, sha, why):
        with teken.db.write() as connection:
            connection.execute(update(permits).where(permits.c.id == permit).values(head_sha=sha))

    quarantine.keep = keep


def acknowledged_early(which: str) -> None:
    """I1: the n-th case is answered although its transaction was not committed."""
    passing, write, left = failpoints.passing, Database.write, [int(which)]

    class Undone(Exception):
        pass

    def noticed(point):
        left[0] -= point == "accept.before_commit"
        passing(point)

    @contextmanager
    def writing(self):
        before = left[0]
        with suppress(Undone), write(self) as connection:
            yield connection
            if left[0] == 0 < before:
                raise Undone

    failpoints.passing, Database.write = noticed, writing


def anybody() -> None:
    """I10: whoever is logged in may act for anybody."""
    real = demo.holder
    turn.actor = lambda _connection, _office, official, _role, _day: Actor(official, None, "")
    demo.holder = lambda teken, office, role: real(teken, office, "kepala_dinas" if role != "kepala_dinas" else role)


def told_secret() -> None:
    """I9: a passphrase is written to the log."""
    real = sign.key_for

    def key_for(teken, *given):
        print(teken.settings.passphrase.read_text(), file=sys.stderr)
        return real(teken, *given)

    sign.key_for = key_for


def reused_number() -> None:
    """I2: a number that is in the register already is given again."""
    real = register._append

    def append(connection, row, **entry):
        if entry["kind"] == "allot" and entry["no"] > 1:
            entry["no"] -= 1
        return real(connection, row, **entry)

    register._append = append


def _everywhere(name: str, real: object, other: object) -> None:
    """Replace a function under its name in every module that has taken it."""
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("service") and getattr(module, name, None) is real:
            setattr(module, name, other)
