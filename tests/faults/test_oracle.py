"""The judge itself is tested: silent in a clean world, and it names the right invariant for each way to break one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from service import acts, corrections, journal, register
from service.canonical import GENESIS, digest
from service.checkpoint import Checkpoint
from service.permits import State
from service.steps import STEPS
from service.store.tables import events, permits, series
from service.store.tables import register as entries
from service.wiring import Teken
from tests.faults.oracle import Evidence, judge
from tests.support.office import client_of, holder, open_office, payload, play, post, row, take_turn

KINDS = (
    ("rokan-hilir", "sip-perekam-medis"),
    ("rokan-hulu", "surat-izin-perekam-medik"),
    ("malang", "sik-perekam-medis"),
)


@dataclass
class Town:
    """Some offices after a day's work, and what the outside world knows of it."""

    teken: Teken
    evidence: Evidence
    clients: dict[str, object]
    permits: dict[str, str]

    def judged(self) -> set[str]:
        return {violation.invariant for violation in judge(self.evidence)}

    def listen(self) -> None:
        """Poll the feed of every client from where it stood."""
        for client in self.clients.values():
            seen = [event["seq"] for event in self.evidence.feed if event["client"] == client.id]
            with self.teken.db.read() as connection:
                found = journal.feed(connection, client.id, max(seen, default=0), 1000)
            self.evidence.feed += [{**event, "client": client.id} for event in found]

    def forge(self, table: str, change: Callable[[Connection], None]) -> None:
        """Do what the database's owner can do: drop the triggers, and write."""
        with self.teken.db.write() as connection:
            for act in ("update", "delete"):
                on = f" ON {table}" if self.teken.db.dialect == "postgresql" else ""
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{act}{on}"))
            change(connection)


@pytest.fixture(scope="module")
def day(tmp_path_factory, keys, postgres_server):
    """One day's work on each database, done when first asked for; its tests get copies."""
    done: dict[str, tuple[Path, str, Town]] = {}

    def of(kind: str) -> tuple[Path, str, Town]:
        if kind not in done:
            home, name = tmp_path_factory.mktemp(kind), postgres_server.create() if kind == "postgresql" else ""
            worked = _work(open_office(home, keys, database=postgres_server.url(name) if name else ""), home)
            worked.teken.close()
            done[kind] = home, name, worked
        return done[kind]

    yield of
    for _, name, _ in done.values():
        if name:
            postgres_server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def town(request, tmp_path, keys, day, postgres_server):
    home, name, worked = day(request.param)
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    own = postgres_server.create(template=name) if name else ""
    url = postgres_server.url(own) if own else ""
    teken = open_office(copy, keys, database=url)
    evidence = replace(worked.evidence, database=url or str(copy / "teken.db"), archive=copy / "archive")
    evidence = replace(evidence, acks=list(evidence.acks), feed=list(evidence.feed), sample=1)
    yield Town(teken, evidence, worked.clients, worked.permits)
    teken.close()
    if own:
        postgres_server.drop(own)


def _work(teken: Teken, home: Path) -> Town:
    clients = {office: client_of(teken, office) for office, _ in KINDS}
    built = Town(teken, Evidence("", home / "archive", teken.notary.verifier), clients, {})
    for office, kind in KINDS:
        for name in ("a", "b"):
            reply = post(teken, clients[office], payload(office, kind, f"{office}-{name}"), f"k-{name}")
            built.evidence.acks.append({"key": f"k-{name}", "body": reply.body})
            built.permits[f"{office}-{name}"] = reply.body["id"]
    for name in ("rokan-hilir-a", "rokan-hulu-a", "malang-a"):
        play(teken, built.permits[name])
    corrections.withdraw(teken, clients["rokan-hulu"], built.permits["rokan-hulu-b"], "batal")
    play(teken, built.permits["rokan-hilir-b"], until=State.NUMBERED)
    _return(teken, built.permits["malang-b"])
    built.listen()
    return built


def _return(teken, permit: str) -> None:
    while row(teken, permit).state != State.IN_PARAF:
        play(teken, permit, until=State.DRAFTED)
        take_turn(teken, permit)
    acts.give_back(teken, holder(teken, "malang", "ahli_madya"), permit, reason="foto keliru")


def test_a_clean_world_is_silent(town):
    assert judge(town.evidence) == []
    assert len(town.evidence.feed) > 30


def test_a_lost_acknowledged_case(town):
    town.evidence.acks.append({"key": "k", "body": {"id": "izn_hilang", "upstream_id": "HILANG"}})
    assert town.judged() == {"I1"}


def test_a_silently_stuck_permit(town):
    def stick(connection):
        connection.execute(permits.update().where(permits.c.id == town.permits["rokan-hilir-b"]).values(queue="sign"))

    town.forge("permits", stick)
    assert town.judged() == {"I1"}


def test_numbers_counted_without_the_lock(town, monkeypatch):
    """A tempting rewrite: MAX + 1 in place of the locked counter. Two that count at once draw the same number."""

    def naive(connection, office, permit_type, *, permit, place, day, by, at):
        name = register.series_name(office, permit_type, day)
        book = select(entries).where(entries.c.series == name, entries.c.kind == "allot").order_by(entries.c.no.desc())
        last = connection.execute(book.offset(1)).first() or connection.execute(book).first()  # what a rival saw
        return _by_hand(connection, last, permit=permit, at=at)

    monkeypatch.setattr(register, "allot", naive)
    town.forge("register", _drop_uniqueness)
    permit = post(town.teken, town.clients["rokan-hilir"], payload(*KINDS[0], "BARU")).body["id"]
    play(town.teken, permit, until=State.NUMBERED)
    town.listen()
    assert "I2" in town.judged()


def test_numbering_outside_the_transaction(town, monkeypatch):
    """The counter commits by itself, and the process dies before the permit's own commit: that number is gone for ever."""
    real, died = STEPS["number"], []

    def careless(teken, work):
        if not died:
            died.append(work.row.id)
            name = register.series_name(work.bundle.office, work.bundle.permit_type, date(2026, 11, 20))
            with teken.db.write() as own:
                own.execute(series.update().where(series.c.name == name).values(last_no=series.c.last_no + 1))
            raise RuntimeError("died between the counter's commit and the permit's")
        return real(teken, work)

    monkeypatch.setitem(STEPS, "number", careless)
    permit = post(town.teken, town.clients["rokan-hilir"], payload(*KINDS[0], "BARU")).body["id"]
    play(town.teken, permit, until=State.NUMBERED)
    town.listen()
    assert died == [permit]
    assert town.judged() == {"I2"}


def test_one_case_answered_with_two_permits(town):
    twin = {"id": town.permits["malang-a"], "upstream_id": "malang-b"}
    town.evidence.acks.append({"key": "k", "body": twin})
    assert town.judged() == {"I1"}


@pytest.mark.parametrize(
    "change", [{"number": "441/999/X"}, {"day": "2025-01-01"}, {"permit": None}, {"by": "orang lain"}]
)
def test_a_rewritten_register_row(town, change):
    wanted = {key: value if value is not None else town.permits["malang-b"] for key, value in change.items()}

    def rewrite(connection):
        where = entries.c.permit == town.permits["rokan-hilir-a"]
        connection.execute(entries.update().where(where).values(**wanted))

    town.forge("register", rewrite)
    assert "I11" in town.judged()


def test_a_register_rewritten_with_all_its_hashes(town):
    """The owner recomputes the series' chain: the journal still knows the old entry."""

    def rewrite(connection):
        where = entries.c.permit == town.permits["rokan-hilir-a"]
        connection.execute(entries.update().where(where).values(by="orang lain"))
        _rehash_register(connection)

    town.forge("register", rewrite)
    assert town.judged() == {"I11"}


def test_register_and_journal_rewritten_with_the_checkpoint_key_itself(town):
    """The owner even signs anew: inside everything is consistent, but what left the machine before says otherwise."""
    feed = list(town.evidence.feed)

    def rewrite(connection):
        where = entries.c.permit == town.permits["rokan-hilir-a"]
        connection.execute(entries.update().where(where).values(by="orang lain"))
        renamed = _rehash_register(connection)
        _rehash_journal(connection, town.teken, renamed)

    town.forge("register", lambda connection: None)
    town.forge("events", rewrite)
    town.evidence.feed = []
    assert town.judged() == set(), "nobody outside remembers: the rewrite is perfect"
    town.evidence.feed = feed
    assert town.judged() == {"I11"}


def test_a_deleted_event(town):
    def forget(connection):
        last = connection.execute(select(events.c.seq).where(events.c.type == "permit.handed_over")).scalars().first()
        connection.execute(events.delete().where(events.c.seq == last))

    town.forge("events", forget)
    assert {"I6", "I11"} <= town.judged()


def test_the_last_events_deleted_and_the_head_put_back(town):
    """Cutting the tail leaves a sound chain: only the receiver and its checkpoints remember."""

    def cut(connection):
        last = connection.execute(select(events).order_by(events.c.seq.desc())).first()
        connection.execute(events.delete().where(events.c.seq == last.seq))
        connection.execute(text("UPDATE chains SET length = :n, head = :h"), {"n": last.seq - 1, "h": last.prev})

    town.forge("events", cut)
    assert {"I6", "I11"} <= town.judged()


def test_a_released_document_swapped_in_the_archive(town):
    ours, other = (row(town.teken, town.permits[name]).released_sha for name in ("rokan-hilir-a", "malang-a"))
    swapped = _file(town, ours)
    swapped.chmod(0o640)
    swapped.write_bytes(_file(town, other).read_bytes())
    assert {"I4", "I8"} <= town.judged()


def test_a_document_swapped_with_its_rows(town):
    """Another signed paper, with its own hash everywhere: it bears another number, and is not what was previewed."""
    ours, other = (row(town.teken, town.permits[name]).head_sha for name in ("rokan-hilir-a", "malang-a"))

    def swap(connection):
        mine = permits.c.id == town.permits["rokan-hilir-a"]
        connection.execute(permits.update().where(mine).values(released_sha=other, head_sha=other))
        connection.execute(text("UPDATE documents SET sha = :new WHERE sha = :old"), {"new": other, "old": ours})

    town.forge("documents", swap)
    assert {"I4", "I5", "I7"} <= town.judged()


def test_bytes_added_after_the_signature(town):
    ours = row(town.teken, town.permits["rokan-hilir-a"]).released_sha
    longer = town.teken.archive.put(_file(town, ours).read_bytes() + b"\n% tambahan\n")

    def swap(connection):
        connection.execute(
            text("UPDATE permits SET released_sha = :new WHERE released_sha = :old"), {"new": longer, "old": ours}
        )
        connection.execute(text("UPDATE documents SET sha = :new WHERE sha = :old"), {"new": longer, "old": ours})

    town.forge("documents", swap)
    assert "I4" in town.judged()


def test_a_missing_document(town):
    _file(town, row(town.teken, town.permits["malang-a"]).released_sha).unlink()
    assert {"I4", "I8"} <= town.judged()


def test_a_state_in_force_without_a_document(town):
    def release(connection):
        connection.execute(
            permits.update().where(permits.c.id == town.permits["rokan-hilir-b"]).values(state="in_force")
        )

    town.forge("permits", release)
    assert town.judged() == {"I5"}


def test_a_document_of_a_permit_that_is_not_released(town):
    def take_back(connection):
        connection.execute(permits.update().where(permits.c.id == town.permits["rokan-hilir-a"]).values(state="signed"))

    town.forge("permits", take_back)
    assert "I5" in town.judged()


def test_a_number_voided_under_a_permit_in_force(town):
    with town.teken.db.write() as connection:
        voided = register.void(
            connection, permit=town.permits["malang-a"], by="uji", reason="salah", at=town.teken.clock.now()
        )
        data = {"register_hash": voided.entry_hash}
        entry = journal.Entry("permit.withdrawn", "malang", town.clients["malang"].id, town.permits["malang-a"], data)
        journal.append(connection, town.teken.notary, town.teken.clock.now(), entry)
    town.listen()
    assert town.judged() == {"I3"}


def test_a_closed_case_whose_number_was_not_voided(town):
    def close(connection):
        mine = permits.c.id == town.permits["rokan-hilir-b"]
        connection.execute(permits.update().where(mine).values(state="closed", queue="none"))

    town.forge("permits", close)
    assert town.judged() == {"I3"}


def test_another_paper_signed_than_was_ordered(town):
    other = row(town.teken, town.permits["rokan-hilir-b"]).final_sha

    def reorder(connection):
        mine = permits.c.id == town.permits["rokan-hilir-a"]
        connection.execute(permits.update().where(mine).values(ordered_sha=other))

    town.forge("permits", reorder)
    assert town.judged() == {"I7"}


def test_an_event_that_never_left(town):
    town.evidence.feed = [event for event in town.evidence.feed if event["type"] != "permit.issued"]
    assert town.judged() == {"I6"}


def test_an_event_told_under_two_ids(town):
    town.evidence.feed.append({**town.evidence.feed[0], "id": "evt_lain"})
    assert town.judged() == {"I6"}


def test_a_released_file_that_is_in_quarantine(town):
    released = row(town.teken, town.permits["malang-a"])

    def late(connection):
        values = {"sha": released.released_sha, "permit": released.id, "why": "claim_lost", "at": "x"}
        connection.execute(
            text("INSERT INTO quarantine (sha, permit, why, at) VALUES (:sha, :permit, :why, :at)"), values
        )

    town.forge("quarantine", late)
    assert town.judged() == {"I5"}


def _file(town: Town, sha: str) -> Path:
    return town.evidence.archive / sha[:2] / sha[2:]


def _drop_uniqueness(connection: Connection) -> None:
    """What the tables themselves would refuse is let through, so that only the judge is left."""
    if connection.dialect.name == "postgresql":
        for name in ("each_number_once", "each_text_once"):
            connection.execute(text(f"DROP INDEX {name}"))
        return
    connection.execute(text("CREATE TABLE loose AS SELECT * FROM register"))
    connection.execute(text("DROP TABLE register"))
    connection.execute(text("ALTER TABLE loose RENAME TO register"))


def _by_hand(connection: Connection, last, *, permit: str, at) -> register.Allotted:
    from service.clock import stamp

    book = connection.execute(
        select(entries).where(entries.c.series == last.series).order_by(entries.c.seq.desc())
    ).first()
    content = {
        "series": last.series,
        "seq": book.seq + 1,
        "kind": "allot",
        "no": last.no + 1,
        "number": f"x/{last.no + 1}",
    }
    content |= {"permit": permit, "day": last.day, "by": "system", "reason": None, "at": stamp(at), "prev": book.hash}
    hash_ = digest(content)
    connection.execute(entries.insert().values(**content, hash=hash_))
    values = {"last_no": last.no + 1, "entries": content["seq"], "head": hash_}
    connection.execute(series.update().where(series.c.name == last.series).values(**values))
    return register.Allotted(last.series, last.no + 1, content["number"], date.fromisoformat(last.day), hash_)


def _rehash_register(connection: Connection) -> dict[str, str]:
    """Recompute every series' chain; return old hash to new."""
    renamed = {}
    for one in connection.execute(select(series)).all():
        head = GENESIS
        for entry in connection.execute(
            select(entries).where(entries.c.series == one.name).order_by(entries.c.seq)
        ).all():
            content = {**entry._mapping, "prev": head}
            old = content.pop("hash")
            head = renamed[old] = digest(content)
            here = (entries.c.series == one.name) & (entries.c.seq == entry.seq)
            connection.execute(entries.update().where(here).values(prev=content["prev"], hash=head))
        connection.execute(series.update().where(series.c.name == one.name).values(head=head))
    return renamed


def _rehash_journal(connection: Connection, teken: Teken, renamed: dict[str, str]) -> None:
    head = GENESIS
    for event in connection.execute(select(events).order_by(events.c.seq)).all():
        data = json.loads(event.data)
        if "register_hash" in data:
            data["register_hash"] = renamed[data["register_hash"]]
        from service.canonical import dumps

        content = {**event._mapping, "data": dumps(data), "prev": head}
        content.pop("hash")
        content.pop("checkpoint")
        head = digest(content)
        note = teken.notary.note(Checkpoint(event.seq, head))
        values = {"data": content["data"], "prev": content["prev"], "hash": head, "checkpoint": note}
        connection.execute(events.update().where(events.c.seq == event.seq).values(**values))
    connection.execute(text("UPDATE chains SET head = :head WHERE name = 'journal'"), {"head": head})


def test_a_number_voided_at_new_year_and_given_anew_is_sound(town, monkeypatch):
    """Where the office's policy is to void what was numbered and not signed: the old entry stays, a new series numbers it."""
    from service import year_end

    permit = town.permits["rokan-hilir-b"]
    office = town.teken.offices.office("rokan-hilir")
    monkeypatch.setattr(type(town.teken.offices), "office", lambda _self, _code: replace(office, year_end="void"))
    town.teken.clock.forward(days=60)
    assert [one["kept"] for one in year_end.settle_year(town.teken, "rokan-hilir")] == [False]
    play(town.teken, permit)
    town.listen()
    assert (row(town.teken, permit).state, row(town.teken, permit).set_on[:4]) == (State.IN_FORCE, "2027")
    assert judge(town.evidence) == []
