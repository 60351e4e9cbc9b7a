"""What is kept for a time only: it goes when its time is over, and nothing that was issued, signed or is on its way ever does."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from service import acts, archive_sweep, clients, corrections, photos, retention
from service.archive import LocalArchive
from service.archive_named import Names
from service.audit import audit
from service.clock import SetClock, stamp
from service.desk import accounts, throttle
from service.permits import State
from service.retention_periods import Periods, read
from service.store.client_tables import request_nonces
from service.store.desk_tables import failures, sessions
from service.store.tables import case_names, events, permits, quarantine, register, revisions
from tests.support.office import client_of, open_office, payload, play, post, row, work

KUDUS = ("kudus", "sip-perekam-medis")
ROHIL = ("rokan-hilir", "sip-perekam-medis")


@pytest.fixture
def teken(tmp_path, keys, database):
    opened = open_office(tmp_path, keys, database=database, clock=SetClock(datetime(2026, 11, 20, 2, tzinfo=UTC)))
    yield opened
    opened.close()


def given_up(teken, kind=KUDUS, upstream_id="UJI-BATAL") -> str:
    client = client_of(teken, kind[0])
    permit = post(teken, client, payload(*kind, upstream_id)).body["id"]
    work(teken)
    corrections.withdraw(teken, client, permit, "batal")
    return permit


def kept(teken, permit):
    with teken.db.read() as connection:
        return connection.execute(select(revisions).where(revisions.c.permit == permit)).all()


def age_files(teken) -> None:
    """The archive's clock is the disk's, not ours."""
    for path in (teken.settings.home / "archive").rglob("*"):
        if path.is_file():
            os.utime(path, (1_600_000_000, 1_600_000_000))


def test_a_case_that_was_given_up_is_erased_after_its_time_and_not_a_day_before(teken):
    permit = given_up(teken)
    [before] = kept(teken, permit)
    paper = row(teken, permit).draft_sha
    teken.clock.forward(days=729)
    assert retention.due(teken).closed == ()
    teken.clock.forward(days=1)
    assert retention.due(teken).closed == (permit,)
    assert kept(teken, permit) == [before]  # asking changed nothing
    age_files(teken)
    done = retention.keep_short(teken)
    assert (done.closed, done.files > 1) == ((permit,), True)
    [after] = kept(teken, permit)
    assert (after.content_sha, after.photo_sha) == (before.content_sha, None)
    assert json.loads(after.body)["applicant"] == {"nama": retention.GONE}
    assert not teken.archive.has(before.photo_sha)
    assert not teken.archive.has(paper)
    with teken.db.read() as connection:
        assert connection.execute(select(case_names)).first() is None
        told = connection.execute(select(events.c.type).where(events.c.permit == permit)).scalars().all()
    assert told[-1] == "case.erased"
    assert audit(teken).violations == ()
    assert retention.keep_short(teken).closed == ()


def test_what_was_issued_stays_whatever_its_age(teken):
    client = client_of(teken, KUDUS[0])
    permit = post(teken, client, payload(*KUDUS)).body["id"]
    play(teken, permit)
    before = kept(teken, permit)
    teken.clock.forward(days=20_000)
    age_files(teken)
    with teken.db.read() as connection:
        named = [one.name for one in Names(connection).after()]
    retention.keep_short(teken)
    assert kept(teken, permit) == before
    assert [name for name in named if not teken.archive.has(name)] == []
    assert audit(teken).violations == ()


@pytest.mark.parametrize("signed", ["head", "quarantine"])
def test_what_was_signed_is_never_erased(teken, signed):
    permit = given_up(teken)
    with teken.db.write() as connection:
        if signed == "head":
            connection.execute(update(permits).where(permits.c.id == permit).values(head_sha="0" * 64))
        else:
            row = {"sha": "0" * 64, "permit": permit, "why": "late", "at": stamp(teken.clock.now())}
            connection.execute(insert(quarantine).values(**row))
    teken.clock.forward(days=1000)
    assert retention.keep_short(teken).closed == ()
    assert kept(teken, permit)[0].erased_at is None


def test_a_returned_case_that_nobody_corrects_is_closed_and_its_number_voided(teken):
    client = client_of(teken, ROHIL[0])
    permit = post(teken, client, payload(*ROHIL)).body["id"]
    play(teken, permit, until=State.NUMBERED)
    acts.give_back(teken, "rokan-hilir/kadis", permit, reason="perbaiki alamat")
    teken.clock.forward(days=1094)
    assert retention.keep_short(teken).returned == ()
    teken.clock.forward(days=1)
    assert retention.keep_short(teken).returned == (permit,)
    assert row(teken, permit).state == State.CLOSED
    with teken.db.read() as connection:
        kinds = connection.execute(select(register.c.kind).where(register.c.permit == permit)).scalars().all()
    assert sorted(kinds) == ["allot", "void"]
    assert audit(teken).violations == ()


def test_a_case_that_waits_is_not_touched(teken):
    client = client_of(teken, KUDUS[0])
    permit = post(teken, client, payload(*KUDUS)).body["id"]
    work(teken)
    before = kept(teken, permit), row(teken, permit)
    teken.clock.forward(days=5000)
    retention.keep_short(teken)
    assert (kept(teken, permit), row(teken, permit)) == before


def test_a_photo_of_a_refused_case_goes_and_an_offices_files_stay(teken):
    name = photos.keep(teken, b"\xff\xd8\xff picture of a case that was refused")
    office = teken.archive.put(b'logo = "of an office"')
    signed = teken.archive.put(b"%PDF-1.7 /ByteRange [0 1 2 3] by a process that died")
    assert archive_sweep.sweep(teken, 7) == []  # young
    age_files(teken)
    assert archive_sweep.sweep(teken, 7, dry=True) == [name]
    assert teken.archive.has(name)
    assert archive_sweep.sweep(teken, 0) == []
    assert archive_sweep.sweep(teken, 7) == [name]
    assert [teken.archive.has(one) for one in (name, office, signed)] == [False, True, True]


def test_tries_nonces_and_sessions_go_once_they_are_spent_though_nobody_comes_any_more(teken):
    prefix = clients.add_client(teken, "kudus", "uji")[1].partition(".")[0]
    account = accounts.create(teken, "kudus", "ayu@uji.example", name="Ayu", duties=("auditor",))[0].id
    now, hours = teken.clock.now(), timedelta(hours=12)
    session = dict.fromkeys(("token_hash", "csrf"), "x") | dict.fromkeys(("started_at", "seen_at"), stamp(now))
    with teken.db.write() as connection:
        assert not throttle.tried(connection, {"a": 5, "b": 5}, now, lambda: False)
        connection.execute(insert(request_nonces).values(prefix=prefix, nonce="n" * 16, at=stamp(now)))
        connection.execute(insert(sessions).values(**session, account=account, expires_at=stamp(now + hours)))

    def after(**time: float) -> tuple[int, int, int, int]:
        teken.clock.forward(**time)
        due, done = retention.due(teken).spent, retention.keep_short(teken).spent
        assert due == done
        with teken.db.read() as connection:
            return done, *(len(connection.execute(select(one)).all()) for one in (failures, request_nonces, sessions))

    assert after(minutes=10) == (0, 2, 1, 1)
    assert after(seconds=1) == (1, 2, 0, 1)
    assert after(minutes=20) == (2, 0, 0, 1)
    assert after(hours=12) == (1, 0, 0, 0)


def test_bytes_that_are_put_again_at_the_moment_of_their_removal_are_there_afterwards(tmp_path):
    """Many intakes of one old photo against a sweep that takes it for abandoned."""
    archive = LocalArchive(tmp_path)
    data = b"teken-sealed v1 the same photo"
    name = archive.put(data)
    until, stop, lost = datetime(2026, 1, 1, tzinfo=UTC), threading.Event(), []

    def take_in() -> None:
        for _ in range(200):
            try:
                archive.put(data)
            except Exception as error:
                lost.append(error)

    def make_old() -> None:
        while not stop.is_set():
            with suppress(FileNotFoundError):
                os.utime(tmp_path / name[:2] / name[2:], (1_600_000_000, 1_600_000_000))
            archive.remove(name, until)

    sweeping = [threading.Thread(target=make_old) for _ in range(2)]
    taking = [threading.Thread(target=take_in) for _ in range(3)]
    for one in (*sweeping, *taking):
        one.start()
    for one in taking:
        one.join()
    stop.set()
    for one in sweeping:
        one.join()
    archive.put(data)
    while archive.remove(name, until):
        archive.put(data)
    assert archive.get(name) == data
    assert lost == []
    assert [one for one in (tmp_path / name[:2]).iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize("text", ["closed", "closed=-1", "else=1", "files=3", "closed=1 year"])
def test_a_wrong_period_is_refused(text):
    with pytest.raises(ValueError, match="must be"):
        read(text)


def test_periods_are_read():
    assert read("closed=10, drafts=0") == Periods(closed=10, drafts=0)
    assert read("") == Periods()
