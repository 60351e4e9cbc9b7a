"""The doctor changes nothing: not a byte, not a time, not a file more or less; also beside a process that writes."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from service.clock import stamp
from service.doctor import Asked, State
from service.settings import PROJECT
from service.store import Database
from service.store.tables import events, mandates
from tests.doctor.house import HEAD, SECRET, build, faults, states


def snapshot(folder: Path) -> dict[str, tuple]:
    """Everything below: kind and mode, size, when it was written last, content."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        known = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(folder))] = (known.st_mode, known.st_size, known.st_mtime_ns, content)
    return found


def test_a_house_is_left_as_it_was(house, tmp_path):
    before = snapshot(tmp_path)
    house.examine(Asked(True, HEAD, bytearray(SECRET)))
    assert snapshot(tmp_path) == before


def test_a_house_that_is_not_there_is_not_made(tmp_path, place):
    house = build(tmp_path, place)
    house.set(home=tmp_path / "lain", archive_url=str(tmp_path / "lain" / "arsip"))
    before = snapshot(tmp_path)
    assert ("database", str(tmp_path / "lain" / "teken.db"), "database_missing") in faults(house.examine())
    assert snapshot(tmp_path) == before


def in_a_process_of_its_own(house) -> list[tuple[str, str]]:
    """As the command does it: SQLite shares much between the connections of one process."""
    script = (
        "import sys\n"
        "from service.clock import SetClock, instant\n"
        "from service.doctor import examine\n"
        "from service.settings import Settings\n"
        "found = examine(Settings.model_validate_json(sys.argv[1]), None, SetClock(instant(sys.argv[2])))\n"
        "for one in found: print(one.state, one.code)\n"
    )
    words = [house.settings.model_dump_json(exclude_unset=True), stamp(house.clock.now())]
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = [tuple(line.split()) for line in done.stdout.splitlines()]
    return [one for one in found if one[0] != "ok"]


def change_and_die(house) -> None:
    """A process that ends the mandate and is killed: what it wrote is in the log only."""
    script = (
        "import os, sys\n"
        "from service.store import Database\n"
        "from service.store.tables import mandates\n"
        "from sqlalchemy import update\n"
        "db = Database(sys.argv[1])\n"
        "with db.write() as c: c.execute(update(mandates).values(valid_to='2026-11-19'))\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", script, house.settings.database], cwd=PROJECT, check=False)
    assert (house.settings.home / "teken.db-wal").stat().st_size > 0


@pytest.mark.parametrize("index", [True, False])
def test_what_a_killed_process_left_in_the_log_is_read_and_stays(house, tmp_path, index):
    """SQLite would take over the log at the next opening; the doctor leaves it to the next process. A backup has no index."""
    change_and_die(house)
    if not index:
        (house.settings.home / "teken.db-shm").unlink()
    before = snapshot(tmp_path)
    assert in_a_process_of_its_own(house) == [("fault", "mandate_missing")]
    assert snapshot(tmp_path) == before


def test_beside_a_living_process_nothing_of_its_files_changes(house, tmp_path):
    with contextlib.closing(house.open()) as teken:
        before = snapshot(tmp_path)
        assert in_a_process_of_its_own(house) == []
        assert snapshot(tmp_path) == before
        with teken.db.write() as connection:
            connection.execute(mandates.update().values(valid_to="2026-11-19"))
        assert in_a_process_of_its_own(house) == [("fault", "mandate_missing")]


def test_a_writer_is_not_waited_for(house):
    with contextlib.closing(house.open()) as teken, teken.db.write() as connection:
        connection.execute(mandates.update().values(valid_to="2026-11-19"))
        assert states(house.examine(), State.FAULT, State.UNKNOWN) == []  # not committed


def test_nothing_is_written_to_postgresql_either(tmp_path, place, postgres):
    house = build(tmp_path, place, database=postgres)
    database = Database(postgres)

    def counted():
        with database.read() as connection:
            writes = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
            return connection.exec_driver_sql(writes).scalar_one(), connection.execute(
                select(func.count()).select_from(events)
            ).scalar_one()

    before = counted()
    found = house.examine()
    assert [one.code for one in found if one.check == "database"] == ["database_fine"]
    assert counted() == before
    database.dispose()
