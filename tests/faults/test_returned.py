"""Returned and corrected, withdrawn, replaced: a number stays with its case or is voided; readings bind what was read."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from service import acts, corrections, pipeline
from service.errors import Conflict, StateForbids, TekenError
from service.permits import State
from service.steps import STEPS
from service.store import StoreBusy
from service.store.tables import acts as done
from service.store.tables import documents, events, handovers, quarantine, register, tickets
from tests.support.office import client_of, holder, open_office, payload, play, post, row, take_turn, work

HULU, HILIR, MALANG, KUDUS = (
    ("rokan-hulu", "surat-izin-perekam-medik"),
    ("rokan-hilir", "sip-perekam-medis"),
    ("malang", "sik-perekam-medis"),
    ("kudus", "sip-perekam-medis"),
)
ALL = [HULU, HILIR, MALANG, KUDUS]


@pytest.fixture
def teken(tmp_path, keys, database):
    opened = open_office(tmp_path, keys, database=database)
    yield opened
    opened.close()


def rows(teken, table, permit: str) -> list:
    with teken.db.read() as connection:
        return connection.execute(select(table).where(table.c.permit == permit)).all()


def standing(teken, permit: str, *verbs: str) -> list[str]:
    """Roles whose act still stands."""
    acts_now = [act for act in rows(teken, done, permit) if act.voided_at is None and act.verb in verbs]
    return [act.role for act in sorted(acts_now, key=lambda act: act.position)]


def due(teken, permit: str):
    now = row(teken, permit)
    return teken.pins.open(now.pin).permit_type.procedure.plan[now.position]


def until_due(teken, permit: str, verb: str, role: str | None = None) -> None:
    while True:
        work(teken)
        act = due(teken, permit)
        if act.verb == verb and role in {None, act.role}:
            return
        assert take_turn(teken, permit), row(teken, permit)


def give_back(teken, permit: str, reason: str = "alamat praktik keliru") -> None:
    act = due(teken, permit)
    acts.give_back(teken, holder(teken, row(teken, permit).office, act.role), permit, reason=reason)
    assert row(teken, permit).state == State.RETURNED


def correct(teken, client, kind, **changes) -> str:
    return post(teken, client, payload(*kind, **changes)).body["id"]


def content_change(kind) -> dict:
    return {"applicant__nik": "3204110609970009"}


def bookkeeping_change() -> dict:
    return {"complete_at": "2026-11-17T04:00:00Z"}


@pytest.mark.parametrize("kind", [MALANG, KUDUS], ids=lambda kind: kind[0])
def test_a_change_of_bookkeeping_voids_no_paraf(teken, kind):
    client = client_of(teken, kind[0])
    permit = correct(teken, client, kind)
    until_due(teken, permit, "sign")
    read = standing(teken, permit, "verify", "paraf")
    assert len(read) >= 2
    give_back(teken, permit)
    assert correct(teken, client, kind, **bookkeeping_change()) == permit
    assert standing(teken, permit, "verify", "paraf") == read
    play(teken, permit)
    assert standing(teken, permit, "verify", "paraf") == read
    assert row(teken, permit).released_sha
    assert len([act for act in rows(teken, done, permit) if act.verb in {"verify", "paraf"}]) == len(read), (
        "nobody read twice"
    )


@pytest.mark.parametrize("kind", [MALANG, KUDUS], ids=lambda kind: kind[0])
def test_a_change_of_content_voids_every_paraf(teken, kind):
    client = client_of(teken, kind[0])
    permit = correct(teken, client, kind)
    until_due(teken, permit, "sign")
    read = standing(teken, permit, "verify", "paraf")
    give_back(teken, permit)
    correct(teken, client, kind, **content_change(kind))
    assert standing(teken, permit, "verify", "paraf") == []
    play(teken, permit)
    assert standing(teken, permit, "verify", "paraf") == read
    assert row(teken, permit).released_sha


def test_a_return_at_a_paraf_keeps_the_parafs_before_it_if_the_content_stays(teken):
    client = client_of(teken, "malang")
    permit = correct(teken, client, MALANG)
    until_due(teken, permit, "paraf", "ahli_madya")
    give_back(teken, permit)
    correct(teken, client, MALANG, **bookkeeping_change())
    work(teken)
    assert (due(teken, permit).verb, due(teken, permit).role) == ("paraf", "ahli_madya")
    play(teken, permit)
    assert row(teken, permit).number_no == 1


@pytest.mark.heavy
@pytest.mark.parametrize("change", [content_change(HULU), bookkeeping_change()], ids=["content", "bookkeeping"])
@pytest.mark.parametrize("kind", [HULU, HILIR], ids=lambda kind: kind[0])
def test_a_case_returned_at_the_signature_keeps_its_number(teken, kind, change):
    client = client_of(teken, kind[0])
    permit = correct(teken, client, kind)
    until_due(teken, permit, "sign")
    before = row(teken, permit)
    give_back(teken, permit)
    assert correct(teken, client, kind, **change) == permit
    other = correct(teken, client, kind, upstream_id="UJI-LAIN")
    play(teken, other)
    play(teken, permit)
    after = row(teken, permit)
    assert (after.number, after.set_on, after.code) == (before.number, before.set_on, before.code)
    assert (before.number_no, row(teken, other).number_no) == (1, 2)
    assert [entry.kind for entry in rows(teken, register, permit)] == ["allot"]
    assert after.released_sha
    assert after.released_sha != before.final_sha


def test_the_head_signs_the_corrected_paper_and_no_older_one(teken):
    client = client_of(teken, "rokan-hilir")
    permit = correct(teken, client, HILIR)
    until_due(teken, permit, "sign")
    old = row(teken, permit).final_sha
    give_back(teken, permit)
    correct(teken, client, HILIR, applicant__nama="Nama Yang Benar")
    until_due(teken, permit, "sign")
    who = holder(teken, "rokan-hilir", "kepala_dinas")
    with pytest.raises(Conflict):
        acts.order_signature(teken, who, permit, seen_sha=old)
    play(teken, permit)
    assert teken.archive.get(row(teken, permit).released_sha).startswith(
        teken.archive.get(row(teken, permit).ordered_sha)
    )


def test_a_correction_that_changes_nothing_is_the_same_case_and_stays_returned(teken):
    client = client_of(teken, "malang")
    permit = correct(teken, client, MALANG)
    until_due(teken, permit, "sign")
    give_back(teken, permit)
    assert correct(teken, client, MALANG) == permit
    assert (row(teken, permit).state, row(teken, permit).revision) == (State.RETURNED, 1)


def test_returned_again_and_again(teken):
    client = client_of(teken, "rokan-hulu")
    permit = correct(teken, client, HULU)
    for turn in range(1, 4):
        until_due(teken, permit, "sign")
        give_back(teken, permit)
        correct(teken, client, HULU, applicant__nik=f"320411060997000{turn}")
    play(teken, permit)
    now = row(teken, permit)
    assert (now.number_no, now.revision) == (1, 4)
    assert len(rows(teken, documents, permit)) == 1


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind[0])
def test_a_case_can_be_withdrawn_at_every_step_before_issue_and_never_after(teken, kind):
    """At each place of the plan: the case closes, a number is voided and keeps its entry, nothing is released."""
    client, turn = client_of(teken, kind[0]), 0
    while True:
        permit = correct(teken, client, kind, upstream_id=f"UJI-{turn}")
        for _ in range(turn):
            _one_step(teken, permit)
        if row(teken, permit).released_sha:
            with pytest.raises(StateForbids):
                corrections.withdraw(teken, client, permit, "terlambat")
            break
        had = row(teken, permit).number_no
        corrections.withdraw(teken, client, permit, "pemohon batal")
        work(teken)
        now = row(teken, permit)
        assert (now.state, now.queue, now.released_sha) == (State.CLOSED, "none", None)
        assert [entry.kind for entry in rows(teken, register, permit)] == (["allot", "void"] if had else [])
        turn += 1
    numbers = [entry.no for entry in _all(teken, register) if entry.kind == "allot"]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


def _one_step(teken, permit: str) -> None:
    for queue in ("work", "sign"):
        if pipeline.advance(teken, queue, permit):
            return
    take_turn(teken, permit)


def _all(teken, table) -> list:
    with teken.db.read() as connection:
        return connection.execute(select(table)).all()


@pytest.mark.parametrize(("step", "kind"), [("sign", HILIR), ("sign", KUDUS), ("seal", HULU)], ids=lambda x: x[0])
def test_a_case_withdrawn_while_it_is_signed_is_not_released_and_the_signature_is_kept(teken, monkeypatch, step, kind):
    client = client_of(teken, kind[0])
    permit = correct(teken, client, kind)
    real = STEPS[step]

    def late(teken, claimed):
        with monkeypatch.context() as patch:
            patch.setattr("service.failpoints.passing", lambda point: _withdraw_at(point, f"{step}.after_signature"))
            return real(teken, claimed)

    def _withdraw_at(point: str, wanted: str) -> None:
        if point == wanted:
            corrections.withdraw(teken, client, permit, "batal pada saat terakhir")

    monkeypatch.setitem(STEPS, step, late)
    play(teken, permit)
    now = row(teken, permit)
    assert (now.state, now.released_sha) == (State.CLOSED, None)
    assert rows(teken, documents, permit) == []
    (late_one,) = rows(teken, quarantine, permit)
    assert late_one.sha not in {now.head_sha, now.sealed_sha}
    assert teken.archive.get(late_one.sha).startswith(b"%PDF")


def test_of_two_signatures_the_first_committed_wins_and_the_other_is_kept(teken, monkeypatch):
    """The first signer is slow: its lease ends, a second one signs and commits, then the first comes back."""
    client = client_of(teken, "rokan-hilir")
    permit = correct(teken, client, HILIR)
    until_due(teken, permit, "sign")
    take_turn(teken, permit)
    real = STEPS["sign"]

    def slow(teken, claimed):
        monkeypatch.setitem(STEPS, "sign", real)
        teken.clock.forward(seconds=61)
        assert pipeline.advance(teken, "sign", permit)
        assert row(teken, permit).state == State.SIGNED
        return real(teken, claimed)

    monkeypatch.setitem(STEPS, "sign", slow)
    assert pipeline.advance(teken, "sign", permit)
    winner = row(teken, permit).head_sha
    (loser,) = rows(teken, quarantine, permit)
    assert loser.sha != winner
    play(teken, permit)
    assert row(teken, permit).released_sha == winner
    assert [act.verb for act in rows(teken, done, permit)].count("sign") == 1


def test_a_late_signature_is_kept_even_if_the_database_is_busy_just_then(teken, monkeypatch):
    client = client_of(teken, "rokan-hilir")
    permit = correct(teken, client, HILIR)
    until_due(teken, permit, "sign")
    take_turn(teken, permit)
    real, write, answers = STEPS["sign"], teken.db.write, iter(["commit", "busy", "busy"])

    def sometimes():
        if next(answers, "free") == "busy":
            raise StoreBusy("locked")
        return write()

    def late(teken, claimed):
        corrections.withdraw(teken, client, permit, "batal")
        monkeypatch.setattr(teken.db, "write", sometimes)
        return real(teken, claimed)

    monkeypatch.setitem(STEPS, "sign", late)
    pipeline.advance(teken, "sign", permit)
    monkeypatch.undo()
    assert len(rows(teken, quarantine, permit)) == 1


def test_the_same_bytes_signed_twice_are_no_late_duplicate(teken, monkeypatch):
    """A deterministic signature in the same second has the winner's hash: what is released is not quarantined."""
    client = client_of(teken, "rokan-hilir")
    permit = correct(teken, client, HILIR)
    until_due(teken, permit, "sign")
    take_turn(teken, permit)
    real, put = STEPS["sign"], type(teken.archive).put

    def slow(teken, claimed):
        monkeypatch.setitem(STEPS, "sign", real)
        teken.clock.forward(seconds=61)
        assert pipeline.advance(teken, "sign", permit)
        same = teken.archive.get(row(teken, permit).head_sha)
        monkeypatch.setattr(type(teken.archive), "put", lambda self, _: put(self, same))
        return real(teken, claimed)

    monkeypatch.setitem(STEPS, "sign", slow)
    assert pipeline.advance(teken, "sign", permit)
    monkeypatch.undo()
    assert rows(teken, quarantine, permit) == []
    play(teken, permit)


def test_a_renewal_and_a_decision_about_the_old_permit_do_not_lock_each_other_out(teken):
    """Issue locks the new permit, the old one and the journal; a decision locks the old one and the journal."""
    client = client_of(teken, "rokan-hilir")
    for turn in range(4):
        old = correct(teken, client, HILIR, upstream_id=f"LAMA-{turn}")
        play(teken, old)
        new = correct(
            teken,
            client,
            HILIR,
            upstream_id=f"BARU-{turn}",
            request_kind="PERPANJANGAN",
            replaces=row(teken, old).number,
        )
        play(teken, new, until=State.NUMBERED)
        take_turn(teken, new)
        pipeline.drain(teken, "sign")
        head = holder(teken, "rokan-hilir", "kepala_dinas")
        barrier = threading.Barrier(2)

        def suspend(old=old, head=head, barrier=barrier):
            barrier.wait()
            acts.decide(teken, head, old, to=State.SUSPENDED, decision="1/2026", reason="pemeriksaan")

        def issue(new=new, barrier=barrier):
            barrier.wait()
            assert pipeline.advance(teken, "work", new)

        with ThreadPoolExecutor(2) as pool:
            waits = [pool.submit(suspend), pool.submit(issue)]
        faults = [type(wait.exception()) for wait in waits]
        assert faults[0] in {type(None), StateForbids}, faults
        assert faults[1] is type(None)
        assert (row(teken, new).state, row(teken, old).state) == (State.IN_FORCE, State.REPLACED)


def test_a_slow_issue_does_not_deadlock_with_a_decision(teken, monkeypatch):
    """The same, with the two held at the worst moment."""
    client = client_of(teken, "rokan-hilir")
    old = correct(teken, client, HILIR, upstream_id="LAMA")
    play(teken, old)
    new = correct(
        teken, client, HILIR, upstream_id="BARU", request_kind="PERPANJANGAN", replaces=row(teken, old).number
    )
    play(teken, new, until=State.NUMBERED)
    take_turn(teken, new)
    pipeline.drain(teken, "sign")
    head = holder(teken, "rokan-hilir", "kepala_dinas")
    reached, faults = threading.Event(), []
    from service import moves

    real = moves.tell

    def tell(connection, told, permit_row, event, data):
        if event == "permit.suspended":  # holds the old permit, wants the journal
            reached.set()
            import time

            time.sleep(0.5)
        return real(connection, told, permit_row, event, data)

    def suspend():
        try:
            acts.decide(teken, head, old, to=State.SUSPENDED, decision="1/2026", reason="pemeriksaan")
        except BaseException as error:
            faults.append(error)

    monkeypatch.setattr(moves, "tell", tell)
    person = threading.Thread(target=suspend)
    person.start()
    reached.wait(10)
    before = row(teken, new).attempts
    assert pipeline.advance(teken, "work", new)
    person.join()
    assert (faults, before) == ([], 0)
    assert (row(teken, new).state, row(teken, old).state) == (State.IN_FORCE, State.REPLACED)


def test_two_counters_hand_over_at_once(teken):
    """The handover register counts without gaps and nobody gets an error for being second."""
    client = client_of(teken, "rokan-hilir")
    ready = [correct(teken, client, HILIR, upstream_id=f"UJI-{n}") for n in range(6)]
    for permit in ready:
        until_due(teken, permit, "handover")
    who = holder(teken, "rokan-hilir", due(teken, ready[0]).role)
    codes = {one.permit: one.code for one in _all(teken, tickets)}
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda p: acts.hand_over(teken, who, p, identity="ktp", ticket=codes[p]), ready))
    assert sorted(one.no for one in _all(teken, handovers)) == list(range(1, 7))


def test_a_double_click_is_one_act(teken):
    client = client_of(teken, "malang")
    permit = correct(teken, client, MALANG)
    until_due(teken, permit, "paraf")
    who, seen = holder(teken, "malang", due(teken, permit).role), row(teken, permit).final_sha

    def click(_):
        try:
            return acts.read(teken, who, permit, due_verb, seen_sha=seen)
        except TekenError as refused:  # the next paraf is another's, or nothing is due
            return refused.code

    due_verb = due(teken, permit).verb
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(click, range(4)))
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert len([act for act in rows(teken, done, permit) if act.verb == "paraf"]) == 1


def test_a_correction_during_the_number_step_is_refused(teken, monkeypatch):
    """While the system works on a case it is not returned, so it can't be corrected: the paper and the number are of one revision."""
    client = client_of(teken, "rokan-hilir")
    permit = correct(teken, client, HILIR)
    real = STEPS["number"]

    def number(teken, claimed):
        with pytest.raises(Conflict):
            correct(teken, client, HILIR, **content_change(HILIR))
        return real(teken, claimed)

    monkeypatch.setitem(STEPS, "number", number)
    work(teken)
    assert row(teken, permit).number_no == 1


def test_a_worker_that_slept_through_a_return_and_its_correction_changes_nothing(teken, monkeypatch):
    """Its claim is of the first revision: what it made is thrown away, the corrected paper stays."""
    client = client_of(teken, "kudus")
    permit = correct(teken, client, KUDUS)
    real = STEPS["assemble"]

    def slow(teken, claimed):
        monkeypatch.setitem(STEPS, "assemble", real)
        teken.clock.forward(seconds=61)
        until_due(teken, permit, "verify")
        give_back(teken, permit)
        correct(teken, client, KUDUS, applicant__nama="Nama Yang Benar")
        work(teken)
        return real(teken, claimed)

    monkeypatch.setitem(STEPS, "assemble", slow)
    pipeline.advance(teken, "work", permit)
    kept = row(teken, permit).final_sha
    assert row(teken, permit).revision == 2
    play(teken, permit)
    assert row(teken, permit).ordered_sha == kept
    assert row(teken, permit).released_sha


def test_missing_keys_are_shown_and_end_with_the_operator(tmp_path, keys, database):
    """Without its key the signing process signs nothing; the permit is parked where all can see it, with the reason."""
    import shutil

    bare = tmp_path / "keys"
    shutil.copytree(keys, bare)
    for key in bare.glob("rokan-hilir*.p12"):
        key.unlink()
    teken = open_office(tmp_path / "home", bare, database=database)
    client = client_of(teken, "rokan-hilir")
    permit = correct(teken, client, HILIR)
    until_due(teken, permit, "sign")
    take_turn(teken, permit)
    for _ in range(10):
        pipeline.drain(teken, "sign")
    assert (row(teken, permit).state, row(teken, permit).fault) == (State.PARKED, "key_missing")
    for key in keys.glob("rokan-hilir*.p12"):
        shutil.copy(key, bare)
    acts.resume_parked(teken, permit)
    play(teken, permit)
    assert row(teken, permit).released_sha
    teken.close()


def test_every_move_is_told(teken):
    """Each revision, return, number, void and issue is an event, in order."""
    client = client_of(teken, "rokan-hulu")
    permit = correct(teken, client, HULU)
    until_due(teken, permit, "sign")
    give_back(teken, permit)
    correct(teken, client, HULU, **content_change(HULU))
    play(teken, permit)
    told = [event.type for event in sorted(rows(teken, events, permit), key=lambda event: event.seq)]
    story = [
        "case.accepted",
        "permit.numbered",
        "case.returned",
        "case.corrected",
        "permit.issued",
        "permit.handed_over",
    ]
    assert [event for event in told if event in story] == story
