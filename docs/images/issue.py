"""Issues one permit per procedure with invented data and development keys, and draws their pictures: `python -m docs.images.issue`."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from docs.images.make import main as draw
from service import clients, development, intake, pipeline, queries
from service.canonical import dumps
from service.clock import SetClock
from service.demo import case_of, take_turn
from service.settings import PROJECT, Settings
from service.store.tables import permits
from service.wiring import open_teken

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)


def main() -> None:
    """Play everything in a temporary home, so that the papers name their offices' own addresses."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        development.certificates(PROJECT / "templates", home / "keys", now=datetime(2026, 1, 1, tzinfo=UTC))
        teken = open_teken(Settings(home=home, keys=home / "keys"), clock=SetClock(NOON), signing=True)
        files = []
        for kind in sorted(teken.offices, key=lambda one: one.procedure.sop):
            client, _ = clients.add_client(teken, kind.office, "gambar")
            body = case_of(kind, f"GAMBAR-{kind.procedure.sop}", NOON)
            permit = intake.accept(teken, client, body, dumps(body).encode(), None).body["id"]
            while pipeline.drain(teken, "work") + pipeline.drain(teken, "sign") or take_turn(teken, permit):
                pass
            with teken.db.read() as connection:
                row = connection.execute(select(permits).where(permits.c.id == permit)).one()
            path = home / f"{kind.procedure.sop}.pdf"
            path.write_bytes(queries.released(teken, row).pdf)
            files.append(f"{kind.procedure.sop}-{kind.office}-{kind.code}={path}")
        draw(files)
        teken.close()


if __name__ == "__main__":
    main()
