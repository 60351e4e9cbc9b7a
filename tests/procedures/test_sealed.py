"""What the seal may be put on: the bytes that the head signed, and the number that the register gave. Nobody looks at it once more."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, update

from service import acts, pipeline
from service.audit import audit
from service.canonical import dumps
from service.permits import State
from service.store.tables import permits, revisions
from tests.support.office import client_of, open_office, payload, play, post, row, take_turn, work

KUDUS = ("kudus", "sip-perekam-medis")  # the number after the signature, in the seal's update
HULU = ("rokan-hulu", "surat-izin-perekam-medik")  # the number first


def change(teken, permit, **values):
    """As somebody who can write to the database."""
    with teken.db.write() as connection:
        connection.execute(update(permits).where(permits.c.id == permit).values(**values))


def before_the_seal(teken, kind, upstream_id="UJI-0001"):
    """A permit that the head has signed, and that has its number."""
    permit = post(teken, client_of(teken, kind[0]), payload(*kind, upstream_id)).body["id"]
    while row(teken, permit).head_sha is None:
        pipeline.drain(teken, "work")
        if row(teken, permit).queue == "sign":
            pipeline.advance(teken, "sign", permit)
        elif row(teken, permit).head_sha is None:
            take_turn(teken, permit)
    pipeline.drain(teken, "work")
    found = row(teken, permit)
    assert (found.queue, found.sealed_sha, found.number is not None) == ("sign", None, True)
    return found


@pytest.fixture
def teken(tmp_path, keys):
    opened = open_office(tmp_path / "home", keys, max_attempts=1)
    yield opened
    opened.close()


def refused(teken, found, fault, **values):
    """Nothing is sealed while the row says so; put back, it goes on."""
    change(teken, found.id, **values)
    work(teken)
    now = row(teken, found.id)
    assert (now.sealed_sha, now.released_sha, now.fault) == (None, None, fault)
    change(teken, found.id, **{name: getattr(found, name) for name in values})
    acts.resume_parked(teken, found.id)
    play(teken, found.id)
    assert row(teken, found.id).state == State.IN_FORCE
    assert audit(teken).violations == ()


@pytest.mark.parametrize(
    "values",
    [
        {"valid_to": "2041-11-20"},
        {"number": "503/999/SIP/2026"},
        {"set_on": "2026-01-01"},
        {"valid_from": "2020-01-01"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_who_changes_the_permits_row_gets_no_other_number_or_date_sealed(teken, values):
    refused(teken, before_the_seal(teken, KUDUS), "number_differs", **values)


@pytest.mark.parametrize("kind", [KUDUS, HULU], ids=lambda kind: kind[0])
@pytest.mark.parametrize("what", ["final_sha", "draft_sha"])
def test_what_no_head_signed_is_not_sealed(teken, kind, what):
    found = before_the_seal(teken, kind)
    refused(teken, found, "proof_prefix", head_sha=getattr(found, what))


def test_what_the_head_signed_for_another_permit_is_not_sealed(teken):
    first, second = (before_the_seal(teken, HULU, f"UJI-{number}") for number in (1, 2))
    refused(teken, second, "proof_prefix", head_sha=first.head_sha, ordered_sha=first.ordered_sha)


def test_a_longer_str_in_the_stored_case_makes_no_longer_permit(teken):
    found = before_the_seal(teken, KUDUS)
    with teken.db.write() as connection:
        for (name,) in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'case_revisions'"
        ).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        body = connection.execute(select(revisions.c.body).where(revisions.c.permit == found.id)).scalar_one()
        longer = json.loads(body)
        longer["str"]["masa_berlaku"] = "2027-01-31"
        connection.execute(update(revisions).where(revisions.c.permit == found.id).values(body=dumps(longer)))
    change(teken, found.id, valid_to="2027-01-31")
    work(teken)
    now = row(teken, found.id)
    assert (now.sealed_sha, now.fault) == (None, "number_differs")
