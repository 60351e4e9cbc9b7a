"""The scrub finds what is lost, heals it from the second copy without overwriting, and lists what a killed process left unnamed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import select

from service import archive_scrub
from service.archive import ArchiveUnreachable, LocalArchive, sha256
from service.archive_named import DOCUMENT, PAPER, PHOTO, PIN
from service.archive_scrub import DAMAGED, HEALED, ArchiveEmpty, scrub
from service.audit import audit
from service.cli import main
from service.settings import PROJECT
from service.store.tables import events, revisions
from tests.archive.conftest import spoil_object
from tests.audit.world import ROHIL
from tests.procedures.stories import issued
from tests.support.office import client_of, open_office, payload, post, row, work

KUDUS = ("kudus", "sip-perekam-medis")
AT_ONCE = timedelta(days=-3650)  # the tests' clock is not that of the files


@pytest.fixture(scope="module")
def house(tmp_path_factory, keys):
    """An issued permit and one under way; and a second copy of their files."""
    home = tmp_path_factory.mktemp("scrub") / "rumah"
    with closing(open_office(home, keys)) as teken:
        permit = issued(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1"))
        post(teken, client_of(teken, KUDUS[0]), payload(*KUDUS, "UJI-2"))
        work(teken)
    return home, permit


@pytest.fixture
def teken(house, tmp_path, keys):
    home = shutil.copytree(house[0], tmp_path / "rumah")
    shutil.copytree(home / "archive", tmp_path / "kedua")
    with closing(open_office(home, keys, signing=False)) as opened:
        yield opened


@pytest.fixture
def second(teken, tmp_path):
    return LocalArchive(tmp_path / "kedua")


def spoil(teken, name: str, data: bytes | None) -> None:
    path = teken.archive._path(name)
    path.chmod(0o600)
    path.unlink() if data is None else path.write_bytes(data)


def named_by(teken, permit: str) -> dict[str, str]:
    one = row(teken, permit)
    with teken.db.read() as connection:
        photo = (
            connection.execute(select(revisions.c.photo_sha).where(revisions.c.photo_sha.is_not(None)))
            .scalars()
            .first()
        )
    manifest = json.loads(teken.archive.get(one.pin))
    return {DOCUMENT: one.released_sha, PAPER: one.draft_sha, PHOTO: photo, PIN: max(manifest["files"].values())}


def told(teken, permit: str) -> list[tuple[str, dict]]:
    query = select(events.c.type, events.c.data).where(events.c.permit == permit, events.c.type.like("archive.%"))
    with teken.db.read() as connection:
        return [(one.type, json.loads(one.data)) for one in connection.execute(query.order_by(events.c.seq))]


def test_an_honest_archive_is_sound_and_fully_named(teken):
    found = scrub(teken, teken.archive, "arsip", grace=AT_ONCE)
    files = len(list(teken.archive.names()))
    assert (found.lost, found.findings) == ([], [])
    assert found.read >= files > 10


@pytest.mark.parametrize("kind", [DOCUMENT, PAPER, PHOTO, PIN])
@pytest.mark.parametrize(("worse", "what"), [(None, "missing"), (b"lain", "damaged"), (b"", "damaged")])
def test_what_is_lost_is_found_and_healed(teken, second, house, kind, worse, what):
    name = named_by(teken, house[1])[kind]
    sound = teken.archive.get(name)
    spoil(teken, name, worse)
    [alone] = scrub(teken, teken.archive, "arsip").findings
    assert (alone.what, alone.sha256, alone.kind, alone.healed) == (what, name, kind, False)
    [healed] = scrub(teken, teken.archive, "arsip", second=second).findings
    assert (healed.what, healed.healed) == (what, True)
    assert teken.archive.get(name) == sound
    assert scrub(teken, teken.archive, "arsip").findings == []
    aside = teken.archive.root / "damaged"
    assert ([one.read_bytes() for one in aside.iterdir()] if aside.exists() else []) == (
        [] if worse is None else [worse]
    )
    assert audit(teken).violations == ()


def test_the_journal_says_it_once_until_it_is_healed(teken, second, house):
    name = row(teken, house[1]).released_sha
    spoil(teken, name, b"lain")
    for _ in range(3):
        scrub(teken, teken.archive, "arsip")
    scrub(teken, teken.archive, "arsip", second=second)
    data = {"sha256": name, "found": "damaged", "kind": DOCUMENT}
    assert told(teken, house[1]) == [(DAMAGED, data), (HEALED, data)]


def test_a_second_copy_that_is_damaged_too_heals_nothing(teken, second, house):
    name = row(teken, house[1]).released_sha
    spoil(teken, name, b"lain")
    path = second._path(name)
    path.chmod(0o600)
    path.write_bytes(b"lain pula")
    [found] = scrub(teken, teken.archive, "arsip", second=second).findings
    assert not found.healed
    assert teken.archive._path(name).read_bytes() == b"lain", "what is there was not touched"


def test_an_archive_that_is_not_mounted_is_neither_loss_nor_healed_into(teken, second):
    shutil.rmtree(teken.archive.root)
    teken.archive.root.mkdir()
    with pytest.raises(ArchiveEmpty):
        scrub(teken, teken.archive, "arsip", second=second)
    assert list(teken.archive.root.iterdir()) == []


def test_it_goes_on_where_it_was_interrupted(teken, house, monkeypatch):
    monkeypatch.setattr(archive_scrub, "_NOTE_EVERY", 1)
    names = [one.name for one in teken.archive.names()]
    spoil(teken, names[0], None)

    def gone(archive, name, left=[7], get=archive_scrub._state):
        left[0] -= 1
        if left[0] < 0:
            raise ArchiveUnreachable
        return get(archive, name)

    monkeypatch.setattr(archive_scrub, "_state", gone)
    with pytest.raises(ArchiveUnreachable):
        scrub(teken, teken.archive, "arsip")
    monkeypatch.undo()
    read = []
    get = archive_scrub._state
    monkeypatch.setattr(archive_scrub, "_state", lambda archive, name: read.append(name) or get(archive, name))
    found = scrub(teken, teken.archive, "arsip")
    assert [one.sha256 for one in found.findings] == [names[0]], "what was found before is not forgotten"
    assert not {names[0], names[1]} & set(read)
    assert names[-1] in read
    read.clear()
    scrub(teken, teken.archive, "arsip", anew=True)
    assert names[0] in read


def test_a_file_of_a_moment_ago_is_not_called_unnamed(teken):
    teken.archive.put(b"sedang disimpan")
    assert scrub(teken, teken.archive, "arsip").findings == []
    [found] = scrub(teken, teken.archive, "arsip", grace=AT_ONCE).findings
    assert (found.what, found.sha256) == ("unnamed", sha256(b"sedang disimpan"))


KILLED = """
import sys
from pathlib import Path
from tests.support.office import client_of, open_office, payload, post
teken = open_office(Path(sys.argv[1]), Path(sys.argv[2]), signing=False, fail_at="accept.after_archive:1",
                    archive_url=sys.argv[3], archive_credentials=sys.argv[4] or None)
post(teken, client_of(teken, "rokan-hilir"), payload("rokan-hilir", "sip-perekam-medis", "UJI-9"))
"""


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_killed_between_put_and_commit_leaves_a_file_that_the_scrub_lists(tmp_path, keys, store, prefix, kind):
    """SIGKILL in a real process; `teken audit` walks what is named and sees nothing of it."""
    url, credentials = ("", "") if kind == "folder" else (store.url(prefix), str(store.credentials))
    home = tmp_path / "rumah"
    given = [sys.executable, "-c", KILLED, str(home), str(keys), url, credentials]
    done = subprocess.run(given, cwd=PROJECT, env={**os.environ, "PYTHONPATH": str(PROJECT)}, check=False)
    assert done.returncode == -signal.SIGKILL
    with closing(
        open_office(home, keys, archive_url=url, archive_credentials=credentials or None, signing=False)
    ) as one:
        assert audit(one).violations == ()
        unnamed = scrub(one, one.archive, "arsip", grace=AT_ONCE).findings
        assert unnamed
        assert {found.what for found in unnamed} == {"unnamed"}
        again = post(one, client_of(one, "rokan-hilir"), payload(*ROHIL, "UJI-9"))
        assert again.status in {200, 201, 202}
        assert scrub(one, one.archive, "arsip", grace=AT_ONCE).findings == [], "the next try names it"


def test_a_bucket_is_healed_and_locked_again(tmp_path, keys, store, prefix):
    given = {"archive_url": store.url(prefix), "archive_credentials": store.credentials}
    with closing(open_office(tmp_path / "rumah", keys, **given)) as teken:
        permit = issued(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1"))
        one = row(teken, permit)
        raw = teken.archive._opened()
        locked = {
            name
            for listed in teken.archive.names()
            if "ObjectLockMode" in raw.head_object(Bucket="arsip", Key=teken.archive._key(name := listed.name))
        }
        assert locked == {one.released_sha}, "drafts, photos and templates are not locked"
        second = LocalArchive(tmp_path / "kedua")
        for listed in teken.archive.names():
            second.put(teken.archive.get(listed.name))
        spoil_object(teken.archive, one.released_sha, b"palsu")
        spoil_object(teken.archive, one.draft_sha, None)
        found = scrub(teken, teken.archive, "arsip", second=second)
        assert {(each.what, each.healed) for each in found.findings} == {("damaged", True), ("missing", True)}
        assert "ObjectLockMode" in raw.head_object(Bucket="arsip", Key=teken.archive._key(one.released_sha))
        assert audit(teken).violations == ()


def test_the_command(teken, second, house, keys, monkeypatch, capsys):
    home, name = teken.settings.home, row(teken, house[1]).released_sha
    monkeypatch.setenv("TEKEN_HOME", str(home))
    monkeypatch.setenv("TEKEN_KEYS", str(keys))
    monkeypatch.setattr(os, "nice", lambda _: 0)
    assert main(["archive", "scrub"]) == 0
    spoil(teken, name, b"lain")
    assert main(["archive", "scrub", "--json"]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["findings"][0]["sha256"] == name
    assert main(["archive", "scrub", "--second", str(second.root)]) == 0
    assert f"{name} rusak, dipulihkan ({house[1]})" in capsys.readouterr().out
    assert main(["archive", "scrub", "--copy"]) == 2
    assert main(["archive", "scrub", "--second", "ftp://x"]) == 2
    assert main(["archive", "try"]) == 0
    shutil.rmtree(home / "archive")
    assert main(["archive", "scrub"]) == 2
    assert "kosong" in capsys.readouterr().err
