"""The gate before the register: a database that was put back is noticed, and nothing is numbered, signed or issued until it is opened."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from service import acts, batch, gate, highwater, pipeline, register
from service.audit import audit
from service.gate import NumberingClosed
from service.verification.permit import by_code
from tests.support.office import client_of, open_office, payload, play, post, row, work

ROHIL, MALANG = ("rokan-hilir", "sip-perekam-medis"), ("malang", "sik-perekam-medis")


def closed(teken):
    with teken.db.read() as connection:
        return gate.closure(connection)


def shut(teken):
    gate.close(teken, gate.RESTORED, {"backup": "2026-11-19T17:00:00.000000Z"})


def opened(teken):
    with teken.db.write() as connection:
        return gate.open_again(connection, teken, "rokan-hilir/kadis", "sudah dicocokkan", {})


def test_nothing_is_numbered_while_it_is_closed_and_no_try_is_lost(world):
    permit = world.drafted("UJI-1")
    before = world.row(permit).attempts
    shut(world.teken)
    play(world.teken, permit)
    waiting = world.row(permit)
    assert (waiting.number, waiting.fault, waiting.queue) == (None, "numbering_closed", "work")
    assert waiting.attempts == before
    for _ in range(2 * world.teken.settings.max_attempts):
        world.clock.forward(seconds=gate.WAIT.total_seconds() + 1)
        work(world.teken)
    assert (world.row(permit).state, world.row(permit).parked_from) == (waiting.state, None)
    assert opened(world.teken).woken == (("work", permit),)
    play(world.teken, permit)
    assert (world.row(permit).state, world.row(permit).number_no) == ("in_force", 1)
    assert audit(world.teken).violations == ()


def test_the_register_itself_refuses_whoever_forgot_to_ask(world):
    permit = world.drafted("UJI-1")
    shut(world.teken)
    office, kind = (
        world.teken.offices.office(ROHIL[0]),
        world.teken.offices.permit_type(*ROHIL),
    )
    now = world.clock.now()
    with pytest.raises(NumberingClosed), world.teken.db.write() as connection:
        register.allot(connection, office, kind, permit=permit, place=1, day=now.date(), by="uji", at=now)
    with pytest.raises(NumberingClosed), world.teken.db.write() as connection:
        register.reserve(connection, office, kind, day=now.date(), by="uji", reason="agenda", at=now)


def test_closing_twice_is_one_closing_and_the_journal_tells_both_ends(world):
    shut(world.teken)
    shut(world.teken)
    opened(world.teken)
    with world.teken.db.read() as connection:
        told = connection.execute(text("SELECT type FROM events WHERE type LIKE 'register.numbering%' ORDER BY seq"))
        assert list(told.scalars()) == [gate.CLOSED, gate.OPENED]
        assert highwater.era(connection) == 1
    assert closed(world.teken) is None


def test_what_was_read_is_not_signed_while_it_is_closed(world):
    permit = world.accepted("UJI-1")
    play(world.teken, permit, until="numbered")
    work(world.teken)
    sha = world.row(permit).final_sha
    shut(world.teken)
    with pytest.raises(NumberingClosed):
        acts.order_signature(world.teken, "rokan-hilir/kadis", permit, seen_sha=sha)
    with pytest.raises(NumberingClosed):
        batch.open_batch(world.teken, "rokan-hilir/kadis", [(permit, sha)], bytearray(b"rahasia"))
    opened(world.teken)
    acts.order_signature(world.teken, "rokan-hilir/kadis", permit, seen_sha=sha)
    shut(world.teken)
    pipeline.drain(world.teken, "sign")
    assert (world.row(permit).head_sha, world.row(permit).fault) == (None, "numbering_closed")
    opened(world.teken)
    play(world.teken, permit)
    assert world.row(permit).state == "in_force"


def test_a_code_that_the_register_does_not_know_is_undetermined_while_it_is_closed(world):
    permit = world.accepted("UJI-1")
    play(world.teken, permit)
    code, now = world.row(permit).code, world.clock.now()
    shut(world.teken)
    assert by_code(world.teken, "0000000000000000", at=now).state == "undetermined"
    assert by_code(world.teken, code, at=now).state == "in_force"
    opened(world.teken)
    assert by_code(world.teken, "0000000000000000", at=now).state == "unknown"


@pytest.fixture
def house(tmp_path, keys):
    """A home, a plain copy of its database that an operator made, and one more permit issued since."""
    home = tmp_path / "rumah"
    with closing(open_office(home, keys)) as teken:
        client = client_of(teken, ROHIL[0])
        first = post(teken, client, payload(*ROHIL, "UJI-1")).body["id"]
        play(teken, first)
    shutil.copy(home / "teken.db", tmp_path / "salinan.db")
    with closing(open_office(home, keys)) as teken:
        play(teken, post(teken, client, payload(*ROHIL, "UJI-2")).body["id"])
        highwater.rise_everywhere(teken)
    return home, tmp_path / "salinan.db", client


def put_back(home, copy):
    for path in home.glob("teken.db*"):
        path.unlink()
    shutil.copy(copy, home / "teken.db")


@pytest.mark.parametrize("left", ["home", "archive"])
def test_a_copy_put_back_by_hand_is_noticed_at_start(house, keys, left):
    """By this host's mark, or by the one beside the documents when the host is new."""
    home, copy, client = house
    put_back(home, copy)
    if left == "home":
        shutil.rmtree(home / "archive" / "checkpoints")
    else:
        (home / "high-water").unlink()
    with closing(open_office(home, keys)) as teken:
        shutting = closed(teken)
        assert shutting.cause == "went_back"
        permit = post(teken, client, payload(*ROHIL, "UJI-3")).body["id"]
        play(teken, permit)
        assert row(teken, permit).number is None
    with closing(open_office(home, keys)) as teken:
        assert closed(teken).id == shutting.id


def test_a_database_that_goes_back_under_a_running_process_is_noticed_before_the_next_number(world):
    """As a fail-over to a replica that lost commits does."""
    first = world.accepted("UJI-1")
    play(world.teken, first, until="numbered")
    mark = highwater.at_home(world.teken)
    assert dict(mark.last) == {world.row(first).series: 1}
    with world.teken.db.write() as connection:
        for table in ("events", "register"):
            if world.teken.db.dialect == "sqlite":
                connection.execute(text(f"DROP TRIGGER {table}_no_delete"))
            else:
                connection.execute(text(f"DROP TRIGGER {table}_no_delete ON {table}"))
        connection.execute(text("DELETE FROM events WHERE seq >= :last"), {"last": mark.length})
        before = connection.execute(text("SELECT hash FROM events ORDER BY seq DESC LIMIT 1")).scalar_one()
        connection.execute(text("UPDATE chains SET length = :l, head = :h"), {"l": mark.length - 1, "h": before})
    second = world.accepted("UJI-2")
    play(world.teken, second)
    assert world.row(second).number is None
    assert closed(world.teken).cause == "went_back"


def test_an_honest_restart_closes_nothing(house, keys):
    home, _, client = house
    for _ in range(2):
        with closing(open_office(home, keys)) as teken:
            assert closed(teken) is None
            play(teken, post(teken, client, payload(*ROHIL, f"UJI-{_}X")).body["id"])


def test_after_opening_the_lost_mark_counts_no_more_and_a_second_rollback_is_noticed(house, keys):
    home, copy, client = house
    put_back(home, copy)
    with closing(open_office(home, keys)) as teken:
        opened(teken)
        highwater.rise_everywhere(teken)
    shutil.copy(home / "teken.db", copy)
    with closing(open_office(home, keys)) as teken:
        assert closed(teken) is None
        play(teken, post(teken, client, payload(*ROHIL, "UJI-9")).body["id"])
        highwater.rise_everywhere(teken)
    put_back(home, copy)
    with closing(open_office(home, keys)) as teken:
        assert closed(teken).cause == "went_back"


@pytest.mark.parametrize("spoilt", ["", "{}", "bukan", '{"said": 1}'])
def test_a_torn_or_foreign_mark_is_none(house, keys, spoilt):
    home, _, _ = house
    (home / "high-water").write_text(spoilt)
    with closing(open_office(home, keys)) as teken:
        assert closed(teken) is None


def test_the_mark_at_home_is_there_after_a_power_cut(world, monkeypatch):
    """Its bytes are synced before they get their name, and the folder after: a mark that is lost would let an old database number again."""
    order = []

    def synced(descriptor: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")

    replace = Path.replace
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", lambda one, to: (order.append("named"), replace(one, to))[1])
    world.accepted()
    order.clear()
    mark = highwater.rise(world.teken)
    assert order == ["file", "named", "folder"]
    assert highwater.at_home(world.teken) == mark
