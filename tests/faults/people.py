"""The people of every office: whatever waits for a person is done, by whoever may do it, until the process is ended."""

from __future__ import annotations

import time

from sqlalchemy import select

from service.errors import Conflict
from service.store import StoreBusy
from service.store.tables import permits
from tests.faults.waiting import opened
from tests.support.office import take_turn

PAUSE = 0.05


def main() -> int:
    teken = opened()
    while True:
        if not _round(teken):
            time.sleep(PAUSE)


def _round(teken) -> int:
    try:
        with teken.db.read() as connection:
            query = select(permits.c.id).where(permits.c.queue == "person").order_by(permits.c.created_at)
            due = list(connection.execute(query).scalars())
    except StoreBusy:
        return 0
    return sum(_act(teken, permit) for permit in due)


def _act(teken, permit: str) -> bool:
    try:
        return take_turn(teken, permit)
    except (Conflict, StoreBusy):  # somebody was faster, or the database is busy: he looks again
        return False
