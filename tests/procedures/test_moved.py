"""CABUT_PINDAH: the holder practises elsewhere. The permit for the new place revokes the old one, at its own issue (ADR 0043)."""

import pytest

from service import acts, register
from service.audit import audit
from service.errors import CaseInvalid
from service.permits import State
from service.verification import by_code
from tests.procedures.stories import issued, text, told_data
from tests.support.office import TYPES, client_of, open_office, payload, play, post, row, take_turn, work

KIND = TYPES[0]
NEW_PLACE = "Klinik Contoh Pindahan"


@pytest.fixture
def office(tmp_path, keys):
    teken = open_office(tmp_path, keys)
    yield teken, client_of(teken, KIND[0])
    teken.close()


def move(old: str, upstream_id: str = "UJI-PINDAH", kind=KIND, **changes):
    return payload(*kind, upstream_id, request_kind="CABUT_PINDAH", replaces=old, practice__nama=NEW_PLACE, **changes)


@pytest.mark.parametrize("kind", TYPES, ids="/".join)
def test_the_old_permit_is_revoked_by_the_new_ones_issue_in_each_procedure(tmp_path, keys, kind):
    teken = open_office(tmp_path, keys)
    client = client_of(teken, kind[0])
    old = row(teken, issued(teken, client, payload(*kind)))
    new = post(teken, client, move(old.number, kind=kind)).body["id"]
    while row(teken, new).released_sha is None:
        assert row(teken, old.id).state == State.IN_FORCE, "a move that is under way takes nothing away"
        work(teken)
        if row(teken, new).released_sha is None:
            assert take_turn(teken, new), row(teken, new).fault
    after = row(teken, new)
    assert (row(teken, old.id).state, row(teken, old.id).queue, after.state) == ("revoked", "none", "in_force")
    [told] = told_data(teken, old.id, "permit.revoked")
    assert (told["decision"], told["by_permit"], told["by_number"]) == (after.number, new, after.number)
    assert told["ground"] == "moved"
    assert told["mandate"].startswith(f"{kind[0]}/")
    assert told_data(teken, old.id, "permit.replaced") == []
    assert f"Izin Nomor {old.number} dicabut" in text(teken.archive.get(after.released_sha))
    play(teken, new)
    assert audit(teken).violations == ()
    with teken.db.read() as connection:
        assert not register.is_void(connection, old.id), "a revoked permit keeps its number"
    teken.close()


def test_the_public_sees_revoked_and_where_the_new_one_is(office):
    teken, client = office
    old = issued(teken, client, payload(*KIND))
    new = issued(teken, client, move(old))
    answer = by_code(teken, row(teken, old).code, at=teken.clock.now())
    assert (str(answer.state), answer.permit.replaced_by) == ("revoked", row(teken, new).code)
    assert (answer.permit.became, answer.permit.corrects) == ("moved", False)
    assert [one.what for one in answer.permit.history] == ["issued", "revoked"]


@pytest.mark.parametrize("to", [State.SUSPENDED, State.REVOKED])
def test_nobody_leaves_a_decision_behind_by_moving(office, to):
    """Neither before the move is posted nor while it is under way; what the head decided stands."""
    teken, client = office
    old, other = (issued(teken, client, payload(*KIND, name)) for name in ("UJI-1", "UJI-2"))
    new = post(teken, client, move(old)).body["id"]
    for permit in (old, other):
        acts.decide(teken, "rokan-hilir/kadis", permit, to=to, decision="SK 1/2026", reason="pemeriksaan")
    with pytest.raises(CaseInvalid) as refusal:
        post(teken, client, move(other, "UJI-LAIN"))
    assert [(fault.pointer, fault.code) for fault in refusal.value.faults] == [("/replaces", "replaces_not_in_force")]
    for _ in range(30):
        play(teken, new)
    assert (row(teken, new).state, row(teken, new).fault) == ("parked", "moved_not_in_force")
    assert row(teken, old).state == to
    answer = by_code(teken, row(teken, old).code, at=teken.clock.now())
    assert (str(answer.state), answer.permit.replaced_by) == (str(to), None)
    assert audit(teken).violations == ()


def test_a_move_that_is_withdrawn_leaves_the_old_permit_in_force(office):
    from service.corrections import withdraw

    teken, client = office
    old = issued(teken, client, payload(*KIND))
    new = post(teken, client, move(old)).body["id"]
    play(teken, new, until=State.NUMBERED)
    withdraw(teken, client, new, "batal pindah")
    assert row(teken, old).state == State.IN_FORCE
    assert audit(teken).violations == ()


class Died(BaseException):
    """The process is killed here."""


@pytest.mark.parametrize("point", ["issue.after_proof", "issue.before_commit", "issue.after_commit"])
def test_killed_at_each_point_of_the_issue(office, monkeypatch, point):
    """Either both happened or neither; done again, each happened once."""
    teken, client = office
    old = issued(teken, client, payload(*KIND))
    new = post(teken, client, move(old)).body["id"]
    play(teken, new, until=State.NUMBERED)
    take_turn(teken, new)
    deaths = []

    def die(name: str) -> None:
        if name == point and not deaths:
            deaths.append(name)
            raise Died

    monkeypatch.setattr("service.failpoints.passing", die)
    with pytest.raises(Died):
        work(teken)
    done = point == "issue.after_commit"
    assert (row(teken, old).state, row(teken, new).released_sha is not None) == (
        ("revoked", True) if done else ("in_force", False)
    )
    teken.clock.forward(seconds=600)  # the dead one's lease is over
    play(teken, new)
    assert (row(teken, old).state, row(teken, new).state) == ("revoked", "in_force")
    assert len(told_data(teken, old, "permit.revoked")) == 1
    assert audit(teken).violations == ()
