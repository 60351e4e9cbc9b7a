"""Many at once: the same case posted fifty times is one permit with one number; hundreds of cases are numbered from one on."""

from __future__ import annotations

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, insert, select

from service import acts, corrections, intake, pipeline
from service.clock import SystemClock
from service.errors import IdempotencyRunning
from service.permits import State
from service.store import StoreBusy
from service.store.tables import permits, register, revisions
from tests.faults.oracle import Evidence, judge
from tests.support.office import client_of, holder, open_office, payload, play, post, row, take_turn, work

MANY = 200
WORKERS = 3


def test_fifty_posts_of_one_case_are_one_permit_and_one_number(tmp_path, keys, database):
    """While several workers already compete for the case."""
    teken = open_office(tmp_path, keys, database=database)
    client, over = client_of(teken, "rokan-hilir"), threading.Event()
    raw = json.dumps(payload("rokan-hilir", "sip-perekam-medis", "SAMA")).encode()

    def send(number: int):
        while True:
            try:
                return intake.accept(teken, client, json.loads(raw), raw, f"kunci-{number % 5}" if number % 2 else None)
            except (IdempotencyRunning, StoreBusy):
                time.sleep(0.05)

    def toil() -> None:
        while not over.is_set():
            try:
                pipeline.drain(teken, "work")
            except StoreBusy:
                time.sleep(0.01)

    workers = [threading.Thread(target=toil) for _ in range(WORKERS)]
    for one in workers:
        one.start()
    with ThreadPoolExecutor(50) as pool:
        ids = {reply.body["id"] for reply in pool.map(send, range(50))}
    over.set()
    for one in workers:
        one.join()
    work(teken)
    (permit,) = ids
    assert row(teken, permit).number_no == 1
    with teken.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(permits)).scalar_one() == 1
        assert connection.execute(select(func.count()).select_from(register)).scalar_one() == 1
    teken.close()


@pytest.mark.heavy
def test_hundreds_of_cases_are_numbered_without_a_gap(tmp_path, keys_of_today, database, nursery):
    """Real workers compete; each case is signed and waits for its number (number after signature, so nothing is typeset)."""
    teken = open_office(tmp_path, keys_of_today, database=database, clock=SystemClock())
    client = client_of(teken, "kudus")
    _many(teken, client)
    environment = {"TEKEN_HOME": tmp_path, "TEKEN_KEYS": keys_of_today, "TEKEN_POLL_SECONDS": 0.05}
    started = time.monotonic()
    workers = [nursery.spawn("work", {**environment, **_store(database)}, tmp_path / f"log{n}") for n in range(WORKERS)]
    while _left(teken):
        assert time.monotonic() - started < 120
        assert all(nursery.alive(worker) for worker in workers)
        time.sleep(0.1)
    took = time.monotonic() - started
    for worker in workers:
        nursery.end(worker)
    print(f"{MANY} numbers by {WORKERS} workers in {took:.1f} s: {MANY / took:.0f}/s")
    with teken.db.read() as connection:
        numbers = list(connection.execute(select(register.c.no).order_by(register.c.seq)).scalars())
        parked = connection.execute(select(func.count()).where(permits.c.state == State.PARKED)).scalar_one()
    assert (numbers, parked) == (list(range(1, MANY + 1)), 0)
    evidence = Evidence(
        database or str(tmp_path / "teken.db"), tmp_path / "archive", teken.notary.verifier, settled=False
    )
    assert [found for found in judge(evidence) if found.invariant in {"I2", "I3", "I11"}] == []
    teken.close()


def _store(database: str) -> dict[str, str]:
    return {"TEKEN_DATABASE_URL": database} if database else {}


def _left(teken) -> int:
    with teken.db.read() as connection:
        return connection.execute(select(func.count()).where(permits.c.number.is_(None))).scalar_one()


def _many(teken, client) -> None:
    """One real case, signed; and 999 copies of it that differ in their names only."""
    permit = post(teken, client, payload("kudus", "sip-perekam-medis")).body["id"]
    while row(teken, permit).state != State.SIGNED:
        pipeline.drain(teken, "work")
        if not take_turn(teken, permit):
            pipeline.advance(teken, "sign", permit)
    model = dict(row(teken, permit)._mapping)
    with teken.db.write() as connection:
        content = dict(connection.execute(select(revisions).where(revisions.c.permit == permit)).one()._mapping)
        for number in range(1, MANY):
            own = f"izn_{number:020}"
            copy = {"id": own, "upstream_id": f"UJI-{number}", "code": f"KODE{number:012}"}
            connection.execute(insert(permits).values(**{**model, **copy}))
            connection.execute(insert(revisions).values(**{**content, "permit": own}))


def test_withdrawal_against_signing_at_random_moments(tmp_path, keys, database, seed):
    """Either the case is withdrawn and nothing is released, or it is issued and the withdrawal is refused. Never both."""
    teken, rng = open_office(tmp_path, keys, database=database), random.Random(seed)
    client = client_of(teken, "rokan-hulu")
    ids = []
    for number in range(4):
        permit = post(teken, client, payload("rokan-hulu", "surat-izin-perekam-medik", f"UJI-{number}")).body["id"]
        play(teken, permit, until=State.NUMBERED)
        take_turn(teken, permit)  # the print
        seen = row(teken, permit).final_sha
        acts.order_signature(teken, holder(teken, "rokan-hulu", "kepala_dinas"), permit, seen_sha=seen)
        ids.append(permit)

    def withdraw(permit: str) -> str:
        time.sleep(rng.uniform(0, 0.25))
        try:
            return str(corrections.withdraw(teken, client, permit, "batal")["state"])
        except Exception as refused:
            return type(refused).__name__

    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(withdraw, permit) for permit in ids]
        machines = [pool.submit(work, teken) for _ in range(2)]
        [machine.result() for machine in machines]
    work(teken)
    for permit, answer in zip(ids, answers, strict=True):
        now = row(teken, permit)
        expected = "closed" if now.state == State.CLOSED else "StateForbids"
        assert (answer.result(), bool(now.released_sha)) == (expected, now.state == State.IN_FORCE)
    evidence = Evidence(
        database or str(tmp_path / "teken.db"), tmp_path / "archive", teken.notary.verifier, settled=False
    )
    assert judge(evidence) == []
    teken.close()
