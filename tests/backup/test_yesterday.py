"""A restore of yesterday's backup, after more permits were issued: all are named and entered again, and no number is given twice."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import closing
from dataclasses import replace

import pytest

from service import acts, backup, gate, highwater, intake, journal, reconcile, reopening
from service.audit import audit
from service.backup import make
from service.clients import desk_client
from service.clock import SetClock
from service.errors import Conflict, NotFound
from service.permits import State
from service.reconcile import papers
from service.settings import Settings
from service.verification.file import verify_file
from service.verification.permit import by_code
from tests.support.office import NOW, client_of, open_office, payload, play, post, row

KINDS = (
    ("rokan-hilir", "sip-perekam-medis"),  # the number first
    ("malang", "sik-perekam-medis"),  # the number after the signature, and a seal
)
LATER = 3
"""Permits of each kind that are issued after the backup; make conformance issues twenty."""


class Yesterday:
    """A house, its backup, and what happened afterwards; then the machine is lost, and a new one gets the backup."""

    def __init__(self, folder, keys, database, empty, *, archive="", credentials=None, later=LATER):
        self.folder, self.keys, self.database, self.empty = folder, keys, database, empty
        self.more = {"archive_url": archive or str(folder / "arsip"), "archive_credentials": credentials}
        self.home, self.fresh = folder / "rumah", folder / "baru"
        with closing(self.open(self.home, database)) as teken:
            self.clients = {office: client_of(teken, office) for office, _ in KINDS}
            self.before = [self.issue(teken, kind, "LAMA-1") for kind in KINDS]
            self.drafted = post(teken, self.clients["malang"], payload(*KINDS[1], "BERJALAN")).body["id"]
            make(teken, folder / "cadangan")
            self.after = [self.issue(teken, kind, f"BARU-{no}") for no in range(later) for kind in KINDS]
            play(teken, self.drafted)
            self.rows = [row(teken, one) for one in (*self.after, self.drafted)]
            acts.decide(teken, "malang/kadis", self.before[1], to=State.REVOKED, decision="SK 9/2026", reason="dicabut")
            post(teken, self.clients["malang"], payload(*KINDS[1], "TERTINGGAL"))
            self.feed = folder / "kejadian.jsonl"
            with self.feed.open("w") as file, teken.db.read() as connection:
                for client in self.clients.values():
                    file.writelines(json.dumps(one) + "\n" for one in journal.feed(connection, client.id, 0, 1000))
            self.papers = {one.code: teken.archive.get(one.released_sha) for one in self.rows}

    def open(self, home, database):
        return open_office(home, self.keys, database=database, **self.more)

    def issue(self, teken, kind, upstream_id):
        permit = post(teken, self.clients[kind[0]], payload(*kind, upstream_id)).body["id"]
        play(teken, permit)
        assert row(teken, permit).state == "in_force"
        return permit

    def corrected(self, teken, case):
        """The office's own correction of wrong data, as two of its people enter it at the desk."""
        client, old = desk_client(teken, case["office"]), case.pop("replaces")
        ready = intake.prepare(teken, client, case)
        ready = replace(ready, case=replace(ready.case, request_kind="PERBAIKAN", replaces=old))
        with teken.db.write() as connection:
            permit = intake.store(connection, teken, client, ready).id
        play(teken, permit)
        assert row(teken, permit).state == "in_force"
        return row(teken, permit)

    def restored(self):
        self.fresh.mkdir()
        for name in ("checkpoint.key", "data.keys"):
            shutil.copy(self.home / name, self.fresh / name)
        settings = Settings(home=self.fresh, keys=self.keys, database_url=self.empty, retry_seconds=0, **self.more)
        done = backup.restore(settings, SetClock(NOW), self.folder / "cadangan")
        assert (done.findings.violations, done.missing) == ((), ())
        return self.open(self.fresh, self.empty)


@pytest.fixture
def places(request, database):
    """(database, empty database)"""
    if not database:
        yield "", ""
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create()
    yield database, server.url(name)
    server.drop(name)


def last_numbers(teken, rows):
    return {one.series: max(each.number_no for each in rows if each.series == one.series) for one in rows}


@pytest.mark.heavy
@pytest.mark.parametrize("later", [LATER, pytest.param(10, marks=pytest.mark.thorough)])
def test_later_permits_are_found_and_no_number_is_given_twice(places, tmp_path, keys, later):
    world = Yesterday(tmp_path, keys, *places, later=later)
    with closing(world.restored()) as teken:
        lost = {one.code: one for one in world.rows}
        now = teken.clock.now()
        assert {by_code(teken, code, at=now).state for code in lost} == {"undetermined"}
        told = reconcile.read(teken)
        found = reconcile.plan(teken, told)
        assert {one.paper.code for one in found.lost} == lost.keys()
        assert (found.holes, found.doubtful) == ((), ())
        with pytest.raises(Conflict, match="register_unreconciled"):
            reopening.open_register(teken, by="malang/kadis", reason="sudah", told=told)
        entered = reconcile.enter(teken, found, told)
        assert {(one.code, one.number, one.sha256) for one in entered} == {
            (one.code, one.number, one.released_sha) for one in world.rows
        }
        for code, before in lost.items():
            answer = by_code(teken, code, at=now)
            assert (answer.state, answer.permit.number) == ("in_force", before.number)
            assert verify_file(teken, world.papers[code]).verdict == "identical"
        assert audit(teken).violations == ()
        assert reconcile.plan(teken, told).nothing
        reopening.open_register(teken, by="malang/kadis", reason="sudah dicocokkan", told=told)
        last = last_numbers(teken, world.rows)
        for office, kind in KINDS:
            permit = world.issue(teken, (office, kind), "SESUDAH")
            fresh = row(teken, permit)
            assert fresh.number_no == last[fresh.series] + 1
        assert audit(teken).violations == ()


def test_delivered_events_give_back_ids_and_decisions_and_name_what_must_be_posted_again(tmp_path, keys):
    world = Yesterday(tmp_path, keys, "", "", later=2)
    with closing(world.restored()) as teken:
        told = reconcile.read(teken, (world.feed,))
        found = reconcile.plan(teken, told)
        assert [one.permit for one in found.decisions] == [world.before[1]]
        assert (found.claimed, found.unposted) == ((), ("TERTINGGAL",))
        entered = reconcile.enter(teken, found, told)
        assert {one.permit for one in entered} == {*world.after, world.drafted}
        assert {one.upstream_id for one in entered} == {"BARU-0", "BARU-1", "BERJALAN"}
        assert row(teken, world.before[1]).state == "revoked"
        again = post(teken, world.clients["malang"], payload(*KINDS[1], "TERTINGGAL"))
        with teken.db.read() as connection:
            fresh = journal.feed(connection, world.clients["malang"].id, told.length, 1000)
        assert {"permit.reconciled", "permit.revoked", "case.accepted"} <= {one["type"] for one in fresh}
        assert again.body["id"] in {one["permit"] for one in fresh}
        with pytest.raises(Conflict, match="case_differs"):
            post(teken, world.clients["malang"], payload(*KINDS[1], "BARU-1"))
        assert audit(teken).violations == ()


def test_a_number_of_which_nothing_is_found_is_a_hole_that_a_named_official_voids(tmp_path, keys):
    world = Yesterday(tmp_path, keys, "", "", later=3)
    gone = row_of(world, "rokan-hilir")[1]
    mark = (world.home / "high-water").read_text()
    with closing(world.restored()) as teken:
        path = tmp_path / "arsip" / gone.released_sha[:2] / gone.released_sha[2:]
        path.chmod(0o600)
        path.unlink()
        (tmp_path / "tanda").write_text(mark)
        told = reconcile.read(teken, (), (tmp_path / "tanda",))
        found = reconcile.plan(teken, told)
        assert [one.found.number for one in found.holes] == [gone.number]
        reconcile.enter(teken, found, told)
        with pytest.raises(Conflict, match="register_holes"):
            reopening.open_register(teken, by="rokan-hilir/kadis", reason="sudah", told=told)
        with pytest.raises(NotFound, match="official_unknown"):
            reopening.void_hole(teken, gone.number, by="malang/kadis", reason="dokumen hilang")
        reopening.void_hole(teken, gone.number, by="rokan-hilir/kadis", reason="dokumen hilang")
        reopening.open_register(teken, by="rokan-hilir/kadis", reason="sudah", told=told)
        fresh = row(teken, world.issue(teken, KINDS[0], "SESUDAH"))
        assert fresh.number_no == max(one.number_no for one in row_of(world, "rokan-hilir")) + 1
        assert audit(teken).violations == ()


def row_of(world, office):
    return [one for one in world.rows if one.office == office]


def test_a_forged_event_is_refused_or_only_claimed(tmp_path, keys):
    world = Yesterday(tmp_path, keys, "", "", later=0)
    lines = [json.loads(line) for line in world.feed.read_text().splitlines()]
    with closing(world.restored()) as teken:
        revoked = next(one for one in lines if one["type"] == "permit.revoked")
        forged = {**revoked, "permit": world.drafted}
        (tmp_path / "palsu").write_text(json.dumps(forged))
        found = reconcile.plan(teken, reconcile.read(teken, (tmp_path / "palsu",)))
        assert (found.decisions, [one.permit for one in found.claimed]) == ((), [world.drafted])
        (tmp_path / "palsu").write_text(json.dumps({**revoked, "seq": revoked["seq"] + 1}))
        with pytest.raises(reconcile.TraceUnreadable):
            reconcile.read(teken, (tmp_path / "palsu",))


def test_documents_in_a_bucket_are_found_by_a_new_host(tmp_path, keys, store, prefix):
    """Nothing of the old machine is left but its keys: the mark beside the documents says how far it was."""
    world = Yesterday(tmp_path, keys, "", "", archive=store.url(prefix), credentials=store.credentials, later=1)
    with closing(world.open(world.home, "")) as teken:
        highwater.rise_everywhere(teken)
        mark = highwater.at_home(teken)
    with closing(world.restored()) as teken:
        assert highwater.in_archive(teken) == mark
        with teken.db.read() as connection:
            assert highwater.now(connection, teken.notary).length >= mark.length + gate.AFTER_THE_MARK
        told = reconcile.read(teken)
        reconcile.enter(teken, reconcile.plan(teken, told), told)
        assert audit(teken).violations == ()
        assert row(teken, world.drafted).state == "in_force"


def test_a_paper_whose_qr_proves_itself_offline_comes_back_with_it(tmp_path, keys):
    """Its signature is drawn on the paper, and nowhere else."""
    kind = ("rokan-hulu", "surat-izin-perekam-medik")
    with closing(open_office(tmp_path / "rumah", keys, archive_url=str(tmp_path / "arsip"))) as teken:
        client = client_of(teken, kind[0])
        make(teken, tmp_path / "cadangan")
        permit = post(teken, client, payload(*kind)).body["id"]
        play(teken, permit)
        before = row(teken, permit)
    (tmp_path / "rumah" / "teken.db").unlink()
    settings = Settings(home=tmp_path / "rumah", keys=keys, archive_url=str(tmp_path / "arsip"), retry_seconds=0)
    backup.restore(settings, SetClock(NOW), tmp_path / "cadangan")
    with closing(open_office(tmp_path / "rumah", keys, archive_url=str(tmp_path / "arsip"))) as teken:
        told = reconcile.read(teken)
        (entered,) = reconcile.enter(teken, reconcile.plan(teken, told), told)
        assert row(teken, entered.permit).qr == before.qr
        assert audit(teken).violations == ()


def test_without_the_gate_the_same_number_is_given_twice(tmp_path, keys, monkeypatch):
    """The control: it is the gate that keeps the tests above from it, and nothing else."""
    monkeypatch.setattr("service.highwater.is_closed", lambda _: False)
    monkeypatch.setattr("service.highwater.went_back", lambda *_: False)
    world = Yesterday(tmp_path, keys, "", "", later=1)
    with closing(world.restored()) as teken:
        fresh = row(teken, world.issue(teken, KINDS[0], "SESUDAH"))
        assert fresh.number in {one.number for one in world.rows}


@pytest.fixture
def shared(tmp_path, keys):
    """A house whose lost permit has a lost correction, under the same number; the rows of both."""
    world = Yesterday(tmp_path, keys, "", "", later=1)
    with closing(world.open(world.home, "")) as teken:
        case = payload(*KINDS[1], "BARU-0-B", replaces=world.after[1])
        case["practice"]["alamat"] = "Jalan Contoh Benar Nomor 9"
        right = world.corrected(teken, case)
        with world.feed.open("a") as file, teken.db.read() as connection:
            file.writelines(json.dumps(one) + "\n" for one in journal.feed(connection, right.client, 0, 1000))
    return world, world.rows[1], right


@pytest.fixture
def signed(monkeypatch):
    """Have the signatures of both papers tell these times, and the papers say nothing more, where they are `silent`."""

    def tell(times, *, silent):
        def unknown(teken):
            for one in papers.unknown(teken):
                told = [{**each, "at": times.get(one.code, each["at"])} for each in one.signatures]
                yield replace(one, signatures=tuple(told), **({"corrects": None} if silent else {}))

        monkeypatch.setattr(sys.modules["service.reconcile.plan"], "unknown", unknown)

    return tell


EARLY, LATE = "2026-11-20T02:00:00.000000Z", "2026-11-20T02:05:00.000000Z"


def check_replaced(teken, entered, wrong, right):
    found = {one.code: one for one in entered}
    old, new = found[wrong.code], found[right.code]
    assert old.number == new.number == wrong.number
    assert (row(teken, old.permit).state, row(teken, new.permit).state) == ("replaced", "in_force")
    assert row(teken, new.permit).replaces == old.permit
    assert audit(teken).violations == ()


@pytest.mark.parametrize(("old", "new"), [(EARLY, LATE), (EARLY, EARLY), (LATE, EARLY)])
def test_two_papers_with_one_number_are_a_permit_and_its_correction(shared, signed, old, new):
    """The paper itself says which it corrects: no clock decides which of the two is in force."""
    world, wrong, right = shared
    signed({wrong.code: old, right.code: new}, silent=False)
    with closing(world.restored()) as teken:
        told = reconcile.read(teken)
        check_replaced(teken, reconcile.enter(teken, reconcile.plan(teken, told), told), wrong, right)


@pytest.mark.parametrize(("old", "new"), [(EARLY, EARLY), (LATE, EARLY)])
def test_delivered_events_say_which_of_two_silent_papers_corrects_the_other(shared, signed, old, new):
    world, wrong, right = shared
    signed({wrong.code: old, right.code: new}, silent=True)
    with closing(world.restored()) as teken:
        told = reconcile.read(teken, (world.feed,))
        check_replaced(teken, reconcile.enter(teken, reconcile.plan(teken, told), told), wrong, right)


def test_silent_papers_of_one_number_go_by_time_and_are_not_guessed_at_where_it_is_the_same(shared, signed):
    world, wrong, right = shared
    signed({wrong.code: EARLY, right.code: EARLY}, silent=True)
    with closing(world.restored()) as teken:
        told = reconcile.read(teken)
        found = reconcile.plan(teken, told)
        assert set(found.doubtful) == {("order_unknown", one.released_sha) for one in (wrong, right)}
        signed({wrong.code: EARLY, right.code: LATE}, silent=True)
        check_replaced(teken, reconcile.enter(teken, reconcile.plan(teken, told), told), wrong, right)
