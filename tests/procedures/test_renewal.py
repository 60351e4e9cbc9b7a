"""A renewal replaces a permit of the same holder: by its id or by its number, and only when the new one is issued."""

import pytest
from sqlalchemy import select

from service.errors import CaseInvalid, Conflict
from service.permits import State
from service.store.tables import events
from tests.procedures.stories import issued, told, told_data
from tests.support.office import TYPES, client_of, open_office, payload, play, post, row, take_turn, work

KIND = ("rokan-hilir", "sip-perekam-medis")
OTHER_NIK = "1407005502940002"


@pytest.fixture
def office(tmp_path, keys):
    teken = open_office(tmp_path, keys)
    yield teken, client_of(teken, KIND[0])
    teken.close()


def renewal(replaces: str, upstream_id: str = "UJI-BARU", **changes):
    return payload(*KIND, upstream_id, **{"request_kind": "PERPANJANGAN", "replaces": replaces, **changes})


@pytest.mark.parametrize("named_by", ["id", "number"])
@pytest.mark.parametrize("kind", ["PERPANJANGAN", "PERUBAHAN"])
def test_the_new_permits_issue_ends_the_old_one(office, named_by, kind):
    teken, client = office
    old = row(teken, issued(teken, client, payload(*KIND)))
    new = post(teken, client, renewal(getattr(old, named_by), request_kind=kind)).body["id"]
    play(teken, new, until=State.NUMBERED)
    assert row(teken, old.id).state == "in_force"  # a renewal that is under way takes nothing away
    play(teken, new)
    assert (row(teken, new).state, row(teken, new).replaces) == ("in_force", old.id)
    assert row(teken, old.id).state == "replaced"
    [told_of_the_old] = told_data(teken, old.id, "permit.replaced")
    assert (told_of_the_old["by_permit"], told_of_the_old["by_number"]) == (new, row(teken, new).number)
    assert row(teken, new).number == "503.440/002/SIP-PM/DPMPTSP/2026"


def test_both_permits_change_in_one_transaction(office, monkeypatch):
    """Seen from another connection right before and right after the commit; in the journal they are neighbours."""
    teken, client = office
    old = issued(teken, client, payload(*KIND))
    new = post(teken, client, renewal(old)).body["id"]
    play(teken, new, until=State.NUMBERED)
    seen = {}
    monkeypatch.setattr(
        "service.failpoints.passing", lambda name: seen.update({name: (row(teken, old).state, row(teken, new).state)})
    )
    play(teken, new)
    assert seen["issue.before_commit"] == ("in_force", "signed")
    assert seen["issue.after_commit"] == ("replaced", "in_force")
    with teken.db.read() as connection:
        query = select(events).where(events.c.type.in_(["permit.issued", "permit.replaced"])).order_by(events.c.seq)
        _, issue_of_new, end_of_old = connection.execute(query).all()
    assert (issue_of_new.permit, end_of_old.permit) == (new, old)
    assert (end_of_old.seq, end_of_old.at) == (issue_of_new.seq + 1, issue_of_new.at)


def test_what_was_revoked_meanwhile_stays_revoked(office):
    from service import acts

    teken, client = office
    old = issued(teken, client, payload(*KIND))
    new = post(teken, client, renewal(old)).body["id"]
    acts.decide(teken, "rokan-hilir/kadis", old, to=State.REVOKED, decision="SK 1/2026", reason="berhenti praktik")
    play(teken, new)
    assert (row(teken, old).state, row(teken, new).state) == ("revoked", "in_force")


def test_a_suspended_permit_can_be_replaced(office):
    from service import acts

    teken, client = office
    old = issued(teken, client, payload(*KIND))
    acts.decide(teken, "rokan-hilir/kadis", old, to=State.SUSPENDED, decision="SK 1/2026", reason="pemeriksaan")
    play(teken, post(teken, client, renewal(old)).body["id"])
    assert row(teken, old).state == "replaced"


def not_issued(teken, client):
    return post(teken, client, payload(*KIND, "UJI-BELUM")).body["id"]


def withdrawn(teken, client):
    from service.corrections import withdraw

    permit = not_issued(teken, client)
    withdraw(teken, client, permit, "batal")
    return permit


def of_another_office(teken, client):
    return issued(teken, client_of(teken, "malang"), payload("malang", "sik-perekam-medis"))


UNKNOWN = {
    "an id that nobody has": lambda teken, client: "izn_00000000000000000000",
    "a number that was never given": lambda teken, client: "503.440/999/SIP-PM/DPMPTSP/2026",
    "a case that is not issued": not_issued,
    "a case that was withdrawn": withdrawn,
    "another office's permit": of_another_office,
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_is_not_an_issued_permit_of_this_office_cannot_be_replaced(office, what):
    teken, client = office
    with pytest.raises(CaseInvalid) as refusal:
        post(teken, client, renewal(UNKNOWN[what](teken, client)))
    assert [(fault.pointer, fault.code) for fault in refusal.value.faults] == [("/replaces", "replaces_unknown")]


def test_another_holders_permit_is_told_as_unknown(office):
    """Same words as for a permit that does not exist: nobody can probe whose permit it is."""
    teken, client = office
    old = issued(teken, client, payload(*KIND))
    with pytest.raises(CaseInvalid) as refusal:
        post(teken, client, renewal(old, applicant__nik=OTHER_NIK))
    assert [(fault.pointer, fault.code) for fault in refusal.value.faults] == [("/replaces", "replaces_unknown")]


def test_only_one_case_at_a_time_replaces_a_permit(office):
    from service.corrections import withdraw

    teken, client = office
    old = issued(teken, client, payload(*KIND))
    first = post(teken, client, renewal(old, "UJI-1"))
    with pytest.raises(Conflict, match="replaces_taken"):
        post(teken, client, renewal(old, "UJI-2"))
    assert post(teken, client, renewal(old, "UJI-1")).body["id"] == first.body["id"]  # its own repetition is no rival
    withdraw(teken, client, first.body["id"], "batal")
    assert post(teken, client, renewal(old, "UJI-2")).body["state"] == "received"  # the way is free again


def test_a_replaced_permit_is_replaced_once(office):
    teken, client = office
    old = issued(teken, client, payload(*KIND))
    issued(teken, client, renewal(old, "UJI-1"))
    with pytest.raises((CaseInvalid, Conflict)):
        post(teken, client, renewal(old, "UJI-2"))


def test_a_refused_renewal_leaves_nothing(office):
    teken, client = office
    old = issued(teken, client, payload(*KIND))
    before = told(teken, old)
    with teken.db.read() as connection:
        length = len(connection.execute(select(events.c.seq)).all())
    with pytest.raises(CaseInvalid):
        post(teken, client, renewal(old, applicant__nik=OTHER_NIK))
    with teken.db.read() as connection:
        assert len(connection.execute(select(events.c.seq)).all()) == length
    assert told(teken, old) == before


def test_a_renewal_in_each_procedure(office):
    """Number first or after the signature, sealed or not: the old permit ends with the new one's issue."""
    teken, _ = office
    for office_code, kind in TYPES:
        client = client_of(teken, office_code)
        old = issued(teken, client, payload(office_code, kind))
        body = payload(office_code, kind, "UJI-BARU", request_kind="PERPANJANGAN", replaces=old)
        new = post(teken, client, body).body["id"]
        while row(teken, new).released_sha is None:
            assert row(teken, old).state == "in_force"
            work(teken)
            if row(teken, new).released_sha is None:
                take_turn(teken, new)
        assert row(teken, old).state == "replaced"
        assert told(teken, old)[-1] == ("permit.replaced", "replaced")
