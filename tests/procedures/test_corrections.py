"""A returned case comes back under its upstream id: what was read of the same content still counts, everything else is done again."""

import pytest
from sqlalchemy import func, select

from service import acts
from service.store.tables import acts as acts_table
from service.store.tables import register
from tests.procedures.stories import client_of, done, seen_codes, text, told, told_data
from tests.support.office import holder, open_office, payload, play, post, qr_text, row, take_turn, work

ROHIL = ("rokan-hilir", "sip-perekam-medis")
ROHUL = ("rokan-hulu", "surat-izin-perekam-medik")
MALANG = ("malang", "sik-perekam-medis")
KUDUS = ("kudus", "sip-perekam-medis")
CONTENT = {"practice__nama": "Klinik Contoh Sejahtera"}
BOOKKEEPING = {"complete_at": "2026-11-19T01:00:00Z"}

# what is returned, at which SOP row, what upstream changes, the readings and numbers that still count when it comes back
CASES = [
    (MALANG, 5, CONTENT, []),
    (MALANG, 7, CONTENT, []),
    (MALANG, 7, BOOKKEEPING, [(4, "verify"), (5, "paraf"), (6, "paraf")]),
    (MALANG, 9, CONTENT, []),
    (MALANG, 9, BOOKKEEPING, [(4, "verify"), (5, "paraf"), (6, "paraf"), (7, "paraf")]),
    (KUDUS, 6, CONTENT, []),
    (KUDUS, 8, CONTENT, []),
    (KUDUS, 8, BOOKKEEPING, [(6, "verify"), (7, "verify")]),
    (ROHUL, 8, CONTENT, []),
    (ROHUL, 8, BOOKKEEPING, [(5, "verify"), (6, "verify"), (7, "verify")]),
    (ROHUL, 10, CONTENT, [(9, "number")]),
    (ROHUL, 10, BOOKKEEPING, [(5, "verify"), (6, "verify"), (7, "verify"), (8, "approve"), (9, "number")]),
    (ROHIL, 8, CONTENT, [(7, "number")]),
    (ROHIL, 8, BOOKKEEPING, [(7, "number")]),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory, keys):
    teken = open_office(tmp_path_factory.mktemp("koreksi"), keys)
    yield teken
    teken.close()


def until_row(teken, permit, number):
    """Let everybody act until a row of the SOP waits for its person."""
    while True:
        work(teken)
        now = row(teken, permit)
        due = teken.pins.open(now.pin).permit_type.procedure.plan[now.position]
        if now.queue == "person" and due.row == number and str(due.verb) != "print":
            return due.role
        assert take_turn(teken, permit)


def returned(teken, kind, number, upstream_id):
    permit = post(teken, client := client_of(teken, kind[0]), payload(*kind, upstream_id)).body["id"]
    role = until_row(teken, permit, number)
    acts.give_back(teken, holder(teken, kind[0], str(role)), permit, reason="mohon diperbaiki")
    return client, row(teken, permit)


@pytest.mark.parametrize(("case", "number", "change", "kept"), CASES)
def test_exactly_what_was_read_of_the_same_content_still_counts(house, case, number, change, kept):
    upstream_id = f"UJI-{case[0]}-{number}-{len(change)}-{next(iter(change))}"
    client, before = returned(house, case, number, upstream_id)
    assert (before.state, before.queue) == ("returned", "none")
    post(house, client, payload(*case, upstream_id, **change))
    assert [(one, verb) for one, verb, *_ in done(house, before.id)] == kept
    [told_of_it] = told_data(house, before.id, "case.corrected")
    with house.db.read() as connection:
        voided = select(func.count()).where(acts_table.c.permit == before.id, acts_table.c.voided_at.is_not(None))
        assert told_of_it["acts_voided"] == connection.execute(voided).scalar_one()
    play(house, before.id)
    after = row(house, before.id)
    assert after.state == "in_force", after.fault
    assert after.revision == 2
    assert after.code == before.code
    assert before.number in {None, after.number}
    paper = house.archive.get(after.released_sha)
    assert seen_codes(paper) == [qr_text(after)]
    assert ("Klinik Contoh Sejahtera" in text(paper)) == (change is CONTENT)
    with house.db.read() as connection:
        entries = select(func.count()).select_from(register).where(register.c.permit == before.id)
        assert connection.execute(entries).scalar_one() == 1


def test_the_same_content_again_is_no_correction(house):
    """Upstream repeats its first message after a return: nothing moves until something is corrected."""
    client, before = returned(house, MALANG, 5, "UJI-SAMA")
    answer = post(house, client, payload(*MALANG, "UJI-SAMA"))
    assert (answer.body["state"], answer.body["revision"]) == ("returned", 1)
    assert told(house, before.id)[-1] == ("case.returned", "returned")


def test_a_correction_may_be_returned_and_corrected_again(house):
    client, before = returned(house, ROHIL, 8, "UJI-DUAKALI")
    for turn, place in enumerate(("Klinik Contoh A", "Klinik Contoh B"), start=2):
        post(house, client, payload(*ROHIL, "UJI-DUAKALI", practice__nama=place))
        work(house)
        assert (row(house, before.id).state, row(house, before.id).revision) == ("numbered", turn)
        if turn == 2:
            acts.give_back(house, "rokan-hilir/kadis", before.id, reason="masih keliru")
    play(house, before.id)
    after = row(house, before.id)
    assert (after.state, after.number) == ("in_force", before.number)
    assert "Klinik Contoh B" in text(house.archive.get(after.released_sha))
