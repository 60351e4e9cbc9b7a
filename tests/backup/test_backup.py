"""Backups of both engines: whole or refused, and restored only into an empty place, with numbering closed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from service import backup, gate
from service.audit import audit
from service.backup import BackupRefused, engines, make, manifest
from service.backup.make import _settings as settings_told
from service.clock import SetClock
from service.settings import PROJECT, Settings
from tests.support.office import NOW, client_of, open_office, payload, play, post, row

ROHIL = ("rokan-hilir", "sip-perekam-medis")


@dataclass
class House:
    """A home with one issued permit and one that waits for its number, on one engine; and an empty place of the same kind."""

    home: Path
    keys: Path
    database: str
    empty: str
    permits: list[str]

    def open(self, home: Path | None = None, database: str | None = None):
        return open_office(home or self.home, self.keys, database=self.database if database is None else database)

    def settings(self, home: Path) -> Settings:
        return Settings(home=home, keys=self.keys, database_url=self.empty, retry_seconds=0)

    def environment(self, home: Path, database: str) -> dict[str, str]:
        given = {"TEKEN_HOME": home, "TEKEN_KEYS": self.keys, "TEKEN_DATABASE_URL": database}
        return {**os.environ, **{name: str(value) for name, value in given.items() if value}}


@pytest.fixture
def house(request, tmp_path, keys, database):
    home = tmp_path / "rumah"
    with closing(open_office(home, keys, database=database)) as teken:
        client = client_of(teken, ROHIL[0])
        permits = [post(teken, client, payload(*ROHIL, f"UJI-{no}")).body["id"] for no in (1, 2)]
        play(teken, permits[0])
    if not database:
        yield House(home, keys, database, "", permits)
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create()
    yield House(home, keys, database, server.url(name), permits)
    server.drop(name)


def begun(home, keys, folder=None):
    """A home with one accepted case, which names the office's files in the archive."""
    with closing(open_office(home, keys)) as teken:
        post(teken, client_of(teken, ROHIL[0]), payload(*ROHIL))
        if folder:
            make(teken, folder)


def moved_in(house, tmp_path) -> Path:
    """A new machine: the keys from where they are kept, and nothing else."""
    fresh = tmp_path / "baru"
    fresh.mkdir()
    for name in ("checkpoint.key", "data.keys"):
        shutil.copy(house.home / name, fresh / name)
    return fresh


def backed_up(house, folder, **more):
    with closing(house.open()) as teken:
        return make(teken, folder, **more)


def restored(house, home, folder, **more):
    return backup.restore(house.settings(home), SetClock(NOW), folder, **more)


def test_what_was_backed_up_is_restored_with_numbering_closed(house, tmp_path):
    made = backed_up(house, tmp_path / "cadangan", pool=tmp_path / "berkas")
    assert made.lost == ()
    fresh = moved_in(house, tmp_path)
    done = restored(house, fresh, tmp_path / "cadangan", pool=tmp_path / "berkas")
    assert (done.findings.violations, done.missing) == ((), ())
    assert done.findings.walked["documents"] == 1
    with closing(house.open(fresh, house.empty)) as teken:
        with teken.db.read() as connection:
            assert gate.closure(connection).cause == "restored"
        assert row(teken, house.permits[0]).state == "in_force"
        before = row(teken, house.permits[1])
        with pytest.raises(gate.NumberingClosed):
            play(teken, house.permits[1])
        assert row(teken, house.permits[1]).state == before.state
        assert audit(teken).violations == ()


def test_the_second_backup_copies_only_what_is_new(house, tmp_path):
    backed_up(house, tmp_path / "satu", pool=tmp_path / "berkas")
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "berkas").glob("*/*")}
    backed_up(house, tmp_path / "dua", pool=tmp_path / "berkas")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "berkas").glob("*/*")} == first


def test_a_backup_holds_no_secret_and_names_no_person(house, tmp_path):
    backed_up(house, tmp_path / "cadangan")
    names = sorted(path.name for path in (tmp_path / "cadangan").iterdir())
    assert names == ["checkpoint.txt", "database", "documents.txt", "manifest.json", "settings.json"]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "cadangan").iterdir()} == {0o600}
    secrets = [(house.home / name).read_bytes() for name in ("checkpoint.key", "data.keys")]
    nik = payload(*ROHIL)["applicant"]["nik"].encode()
    for path in (tmp_path / "cadangan").iterdir():
        found = path.read_bytes()
        assert not [one for one in secrets if one in found]
        assert nik not in found or path.name == "database"


def test_no_address_is_written_with_who_logs_in(tmp_path, keys):
    """Nor does PostgreSQL's program get the password where every user of the machine reads it."""
    secret = "postgresql://teken:rahasia1@db/izin?password=rahasia2"
    given = Settings(home=tmp_path, keys=keys, database_url=secret, redis_url="redis://:rahasia3@ring/0")
    told = settings_told(given)
    assert told["database_url"] == "postgresql://***@db/izin?password=***"
    assert "rahasia" not in json.dumps(told)
    assert "rahasia" not in " ".join(engines._where(secret))


def test_keys_travel_only_sealed(house, tmp_path):
    backed_up(house, tmp_path / "cadangan", passphrase=bytearray(b"frasa panjang sekali"))
    for name in ("checkpoint.key", "data.keys"):
        assert (house.home / name).read_bytes() not in (tmp_path / "cadangan" / "keys.sealed").read_bytes()
    fresh = tmp_path / "baru"
    with pytest.raises(BackupRefused, match="passphrase_wrong"):
        restored(house, fresh, tmp_path / "cadangan", passphrase=bytearray(b"salah"))
    restored(house, fresh, tmp_path / "cadangan", passphrase=bytearray(b"frasa panjang sekali"))
    assert (fresh / "checkpoint.key").read_bytes() == (house.home / "checkpoint.key").read_bytes()
    assert (fresh / "checkpoint.key").stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten(house, tmp_path):
    backed_up(house, tmp_path / "cadangan")
    with pytest.raises(BackupRefused, match="backup_place_taken"):
        backed_up(house, tmp_path / "cadangan")
    own = Settings(home=house.home, keys=house.keys, database_url=house.database)
    with pytest.raises(BackupRefused, match="restore_place_taken"):
        backup.restore(own, SetClock(NOW), tmp_path / "cadangan")


SPOILT = {
    "torn manifest": (lambda folder: cut(folder / "manifest.json"), "backup_unfinished"),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "backup_unfinished"),
    "torn database": (lambda folder: cut(folder / "database"), "backup_altered"),
    "a byte of the database": (lambda folder: flip(folder / "database"), "backup_altered"),
    "a document struck out": (lambda folder: cut(folder / "documents.txt"), "backup_altered"),
    "no list of documents": (lambda folder: (folder / "documents.txt").unlink(), "backup_altered"),
    "a manifest that agrees": (lambda folder: agree(folder), "backup_foreign"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_or_tampered_backup_is_refused_before_anything_is_changed(keys, tmp_path, how):
    begun(tmp_path / "rumah", keys, tmp_path / "cadangan")
    spoil, code = SPOILT[how]
    spoil(tmp_path / "cadangan")
    house = House(tmp_path / "rumah", keys, "", "", [])
    fresh = moved_in(house, tmp_path)
    with pytest.raises(BackupRefused, match=code):
        restored(house, fresh, tmp_path / "cadangan")
    assert not (fresh / "teken.db").exists()


def test_without_the_keys_nothing_is_restored(keys, tmp_path):
    begun(tmp_path / "rumah", keys, tmp_path / "cadangan")
    house = House(tmp_path / "rumah", keys, "", "", [])
    for name in ("checkpoint.key", "data.keys"):
        fresh = moved_in(house, tmp_path)
        (fresh / name).unlink()
        with pytest.raises(BackupRefused, match="backup_key_missing"):
            restored(house, fresh, tmp_path / "cadangan")
        shutil.rmtree(fresh)


@pytest.mark.parametrize(
    "point",
    [
        "backup.between_documents",
        pytest.param("backup.after_database", marks=pytest.mark.thorough),
        pytest.param("backup.before_manifest", marks=pytest.mark.thorough),
    ],
)
def test_a_backup_that_died_half_way_is_refused_and_the_next_one_is_whole(keys, tmp_path, point):
    """kill -9 in a real process; what it had not synced is cut off besides."""
    house = House(tmp_path / "rumah", keys, "", "", [])
    begun(house.home, keys)
    died = command(house, house.home, "backup", str(tmp_path / "mati"), TEKEN_FAIL_AT=f"{point}:1")
    assert died.returncode == -signal.SIGKILL
    for path in (tmp_path / "mati").iterdir():
        cut(path)
    assert command(house, house.home, "backup", "check", str(tmp_path / "mati")).returncode == 1
    fresh = moved_in(house, tmp_path)
    refused = command(house, fresh, "restore", str(tmp_path / "mati"))
    assert refused.returncode == 1
    assert "tidak selesai" in refused.stderr
    assert not (fresh / "teken.db").exists()
    assert command(house, house.home, "backup", str(tmp_path / "utuh")).returncode == 0
    shutil.copytree(house.home / "archive", fresh / "archive")
    assert command(house, fresh, "restore", str(tmp_path / "utuh")).returncode == 0


@pytest.mark.heavy
def test_a_restore_that_died_leaves_an_empty_place_or_a_closed_gate(house, tmp_path):
    backed_up(house, tmp_path / "cadangan")
    fresh = moved_in(house, tmp_path)
    (fresh / "archive").symlink_to(house.home / "archive")
    died = command(house, fresh, "restore", str(tmp_path / "cadangan"), TEKEN_FAIL_AT="restore.before_database:1")
    assert died.returncode == -signal.SIGKILL
    (fresh / "teken.db.restoring").write_bytes(b"half a database")
    done = command(house, fresh, "restore", str(tmp_path / "cadangan"))
    assert done.returncode == 0, done.stderr
    with closing(house.open(fresh, house.empty)) as teken, teken.db.read() as connection:
        assert gate.closure(connection).cause == "restored"


def command(house, home, *words, **more):
    environment = {**house.environment(home, house.empty), **more}
    return subprocess.run(
        [sys.executable, "-m", "service.cli", *words],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def agree(folder: Path) -> None:
    """Whoever has the backup and not the key makes the manifest agree with what he changed."""
    flip(folder / "database")
    told = json.loads((folder / "manifest.json").read_text())
    told["said"]["parts"]["database"] = manifest.durable.sha256_of(folder / "database")
    (folder / "manifest.json").write_text(json.dumps(told))
