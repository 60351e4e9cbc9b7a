"""A small honest world, made once and copied for every tampering; and somebody who owns the database file."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from service import acts
from service.audit import audit
from service.corrections import withdraw
from service.journal import newest_checkpoint
from service.permits import State
from service.wiring import Teken
from tests.procedures.stories import issued
from tests.support.office import client_of, open_office, payload, play, post, row, work

ROHIL, MALANG = ("rokan-hilir", "sip-perekam-medis"), ("malang", "sik-perekam-medis")
SERIES = "rokan-hilir/nakes/sip-perekam-medis/2026"
TRIGGERED = ("register", "events", "documents", "case_revisions")


def live(home: Path, keys: Path) -> dict[str, str]:
    """Every kind of thing that an audit walks: number first and after, a renewal, a void, a return, decisions, cases under way."""
    with closing(open_office(home, keys)) as teken:
        rohil, malang = client_of(teken, ROHIL[0]), client_of(teken, MALANG[0])
        permits = {
            "first": issued(teken, rohil, payload(*ROHIL, "UJI-1")),
            "after": issued(teken, malang, payload(*MALANG, "UJI-2")),
        }
        permits["renewal"] = issued(
            teken,
            rohil,
            payload(*ROHIL, "UJI-3", request_kind="PERPANJANGAN", replaces=permits["first"]),
        )
        permits["withdrawn"] = post(teken, rohil, payload(*ROHIL, "UJI-4")).body["id"]
        work(teken)
        withdraw(teken, rohil, permits["withdrawn"], "batal")
        permits["corrected"] = post(teken, rohil, payload(*ROHIL, "UJI-5")).body["id"]
        play(teken, permits["corrected"], until=State.NUMBERED)
        acts.give_back(teken, "rokan-hilir/kadis", permits["corrected"], reason="perbaiki alamat")
        post(teken, rohil, payload(*ROHIL, "UJI-5", practice__alamat="Jalan Contoh Baru Nomor 2"))
        play(teken, permits["corrected"])
        permits["suspended"] = issued(teken, malang, payload(*MALANG, "UJI-6"))
        decision = {"decision": "SK 1/2026", "reason": "pemeriksaan"}
        acts.decide(teken, "malang/kadis", permits["suspended"], to=State.SUSPENDED, **decision)
        permits["under way"] = post(teken, rohil, payload(*ROHIL, "UJI-7")).body["id"]
        work(teken)
        assert row(teken, permits["corrected"]).state == "in_force"
        with teken.db.read() as connection:
            (home / "titik-periksa.txt").write_text(newest_checkpoint(connection))
    return permits


class Owner:
    """Somebody who may write the database file: he drops the triggers first."""

    def __init__(self, home: Path, permits: dict[str, str]) -> None:
        self.home, self.permits = home, permits
        self.connection = sqlite3.connect(home / "teken.db")
        for table in TRIGGERED:
            for act in ("update", "delete"):
                self.connection.execute(f"DROP TRIGGER {table}_no_{act}")

    def sql(self, statement: str, **values: object) -> None:
        done = self.connection.execute(statement, self.permits | values)
        assert done.rowcount >= 1, "the tampering changed nothing"

    def one(self, query: str, **values: object):
        return self.connection.execute(query, self.permits | values).fetchone()[0]

    def file(self, sha: str) -> Path:
        """An archived file, made writable."""
        path = self.home / "archive" / sha[:2] / sha[2:]
        path.chmod(0o600)
        return path

    def rewrite_journal(self) -> None:
        """Chain every event anew and set the head: what one can do who has the database, but no checkpoint key."""
        from service.canonical import GENESIS, digest

        head, names = GENESIS, "seq, id, type, at, office, client, permit, data"
        rows = self.connection.execute(f"SELECT {names} FROM events ORDER BY seq").fetchall()
        for values in rows:
            fields = dict(zip(names.split(", "), values, strict=True)) | {"prev": head}
            head = digest(fields)
            self.connection.execute(
                "UPDATE events SET prev = ?, hash = ? WHERE seq = ?", (fields["prev"], head, fields["seq"])
            )
        self.connection.execute("UPDATE chains SET length = ?, head = ?", (len(rows), head))

    def sign_checkpoints(self) -> None:
        """Sign every checkpoint anew: what one can do who has taken the machine, key and all."""
        from service.checkpoint import Checkpoint, Notary

        notary = Notary.at(self.home / "checkpoint.key")
        for seq, head in self.connection.execute("SELECT seq, hash FROM events").fetchall():
            note = notary.note(Checkpoint(seq, head))
            self.connection.execute("UPDATE events SET checkpoint = ? WHERE seq = ?", (note, seq))

    def done(self) -> None:
        self.connection.commit()
        self.connection.close()


def copy(home: Path, to: Path) -> Path:
    return Path(shutil.copytree(home, to, ignore=shutil.ignore_patterns("typeset")))


def found(home: Path, keys: Path, checkpoint: str | None = None) -> set[tuple[str, str]]:
    """(invariant, where) of everything that an audit reports."""
    with closing(open_office(home, keys, signing=False)) as teken:
        return {(one.invariant, one.where) for one in audit(teken, checkpoint=checkpoint).violations}


def event_data(owner: Owner, type_: str, permit: str) -> dict:
    return json.loads(owner.one("SELECT data FROM events WHERE type = :t AND permit = :p", t=type_, p=permit))


__all__ = ["MALANG", "ROHIL", "SERIES", "Owner", "Teken", "copy", "event_data", "found", "live"]
