"""The office's two levels: below the one nothing is issued, the other is reached in later versions. Nothing is downgraded."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from service import pipeline, renewal
from service.audit import audit
from service.longterm import level_of
from service.store.tables import documents, events, register, upkeep
from service.verification import by_code, verify_file
from signing import SigningFailed
from tests.longterm.conftest import KINDS
from tests.procedures.stories import told_data
from tests.support.office import play, take_turn, work

YEAR = timedelta(days=365)


def versions(world, permit):
    with world.teken.db.read() as connection:
        query = select(documents).where(documents.c.permit == permit).order_by(documents.c.version)
        return connection.execute(query).all()


def levels(world, permit):
    return [level_of(json.loads(one.signatures)) for one in versions(world, permit)]


def assert_sound(world, permit):
    """Every version begins with the one before, verifies as identical, and the audit finds nothing."""
    papers = [world.teken.archive.get(one.sha) for one in versions(world, permit)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(papers))
    assert [verify_file(world.teken, pdf).verdict for pdf in papers] == ["identical"] * len(papers)
    assert hashlib.sha256(papers[-1]).hexdigest() == world.row(permit).released_sha
    assert audit(world.teken).violations == ()


@pytest.mark.parametrize("office", list(KINDS))
@pytest.mark.parametrize("least", ["B-LT", "B-LTA"])
def test_version_one_has_the_level_below_which_nothing_is_issued(world, office, least):
    here = world(office, least, "B-LTA")
    permit = here.issued()
    assert levels(here, permit) == [least]
    assert told_data(here.teken, permit, "permit.issued")[0]["sha256"] == versions(here, permit)[0].sha
    renewal.keep_up(here.teken)
    assert levels(here, permit) == ([least, "B-LTA"] if least == "B-LT" else ["B-LTA"])
    assert_sound(here, permit)


def test_the_target_is_reached_after_issue_in_a_new_version(world, database):
    here = world("malang", "B-B", "B-LTA", database=database)
    permit = here.issued()
    assert levels(here, permit) == ["B-T"]
    first = here.row(permit).released_sha
    assert renewal.keep_up(here.teken) == 1
    assert levels(here, permit) == ["B-T", "B-LTA"]
    [told] = told_data(here.teken, permit, "permit.extended")
    newest = versions(here, permit)[-1]
    assert (told["version"], told["level"], told["sha256"], told["previous_sha256"]) == (2, "B-LTA", newest.sha, first)
    assert renewal.keep_up(here.teken) == 0
    shown = by_code(here.teken, here.row(permit).code, at=here.clock.now()).as_dict()["permit"]["documents"]
    assert [{one["level"] for one in version["signatures"]} for version in shown] == [{"B-T"}, {"B-LTA"}]
    assert {one.level for one in verify_file(here.teken, here.teken.archive.get(newest.sha)).signatures} == {"B-LTA"}
    assert_sound(here, permit)


def test_the_default_does_nothing_of_all_this(world):
    here = world(authority=False)
    permit = here.issued()
    assert levels(here, permit) == ["B-B"]
    assert (renewal.survey(here.teken), renewal.keep_up(here.teken), renewal.late(here.teken)) == (0, 0, [])
    with here.teken.db.read() as connection:
        assert connection.execute(select(upkeep)).first() is None
    assert_sound(here, permit)


def test_what_has_no_time_stamp_is_raised_by_the_documents_own(world):
    """Issued at B-B before there was an authority; the target of today holds for it too."""
    here = world("rokan-hulu", "B-B", "B-LT", authority=False)
    permit = here.issued()
    renewal.keep_up(here.teken)
    assert [one["fault"] for one in renewal.late(here.teken)] == ["timestamper_missing"]
    assert levels(here, permit) == ["B-B"]
    import dataclasses

    here.teken = dataclasses.replace(here.teken, timestamper=here.tsa)
    here.clock.forward(hours=1)
    renewal.keep_up(here.teken)
    assert levels(here, permit) == ["B-B", "B-LTA"]
    assert renewal.late(here.teken) == []
    assert_sound(here, permit)


def test_fifteen_years_of_renewals_before_the_authority_s_certificate_ends(world):
    here = world("malang", "B-LT", "B-LTA", tsa_years=4)
    permit = here.issued()
    renewal.keep_up(here.teken)
    assert levels(here, permit) == ["B-LT", "B-LTA"]
    for month in range(1, 15 * 12 + 1):
        here.clock.forward(days=365 / 12)
        if month % 36 == 0:
            here.tsa.tsa = here.pki.tsa(f"TSA {month}", 4, begin=here.clock.now())
        renewal.keep_up(here.teken)
        assert renewal.late(here.teken) == []
    assert len(levels(here, permit)) == 2 + 4, "each authority's certificate needs one renewal, not one a year"
    assert set(levels(here, permit)[1:]) == {"B-LTA"}
    assert_sound(here, permit)


def test_a_renewal_that_comes_too_late_is_said_to_be(world):
    """Nobody ran the worker for years: no new time-stamp vouches for one whose certificate has ended."""
    here = world(target="B-LTA", tsa_years=4)
    permit = here.issued()
    renewal.keep_up(here.teken)
    here.clock.forward(days=4 * 365)
    here.tsa.tsa = here.pki.tsa("TSA baru", 4, begin=here.clock.now())
    renewal.keep_up(here.teken)
    assert [one["fault"] for one in renewal.late(here.teken)] == ["renewal_too_late"]
    assert len(versions(here, permit)) == 2
    assert_sound(here, permit)


def test_a_renewal_that_would_prolong_nothing_is_refused_and_shown(world):
    here = world(target="B-LTA", tsa_years=1)
    permit = here.issued()
    renewal.keep_up(here.teken)
    here.clock.forward(days=300)
    renewal.keep_up(here.teken)
    assert [one["fault"] for one in renewal.late(here.teken)] == ["renewal_gains_nothing"]
    assert len(versions(here, permit)) == 2
    here.tsa.tsa = here.pki.tsa("TSA baru", 5, begin=here.clock.now())
    here.clock.forward(days=1)
    renewal.keep_up(here.teken)
    assert (len(versions(here, permit)), renewal.late(here.teken)) == (3, [])
    assert_sound(here, permit)


@pytest.mark.parametrize("who", ["tsa", "ca"])
def test_no_silent_downgrade_while_somebody_is_away(world, who):
    """The permit waits signed and not issued; nobody signs again, and afterwards it goes on by itself."""
    here = world("rokan-hilir", "B-LTA", "B-LTA")
    permit = here.post()
    while here.row(permit).state != "signing":
        pipeline.drain(here.teken, "work")
        assert take_turn(here.teken, permit)
    pipeline.drain(here.teken, "sign")
    head = here.row(permit).head_sha
    setattr(getattr(here, who), "away", True)
    pipeline.advance(here.teken, "work", permit)
    waiting = here.row(permit)
    code = {"tsa": "tsa_unreachable", "ca": "revocation_unreachable"}[who]
    assert (waiting.state, waiting.fault, waiting.released_sha) == ("signed", code, None)
    setattr(getattr(here, who), "away", False)
    work(here.teken)
    assert (here.row(permit).state, here.row(permit).head_sha) == ("in_force", head)
    assert levels(here, permit) == ["B-LTA"]
    assert_sound(here, permit)


def test_an_authority_that_is_away_postpones_the_extension(world):
    here = world(target="B-LTA")
    permit = here.issued()
    here.tsa.away = True
    assert renewal.keep_up(here.teken) == 1
    assert [(one["fault"], one["level"]) for one in renewal.late(here.teken)] == [("tsa_unreachable", "B-T")]
    assert levels(here, permit) == ["B-T"]
    assert renewal.keep_up(here.teken) == 0
    here.tsa.away = False
    here.clock.forward(minutes=11)
    assert renewal.keep_up(here.teken) == 1
    assert levels(here, permit) == ["B-T", "B-LTA"]
    assert_sound(here, permit)


def test_a_revoked_permit_is_kept_provable_and_stays_revoked(world):
    from service import acts
    from service.permits import State

    here = world(target="B-LTA")
    permit = here.issued()
    acts.decide(here.teken, head_of(here), permit, to=State.REVOKED, decision="1/2026", reason="uji")
    renewal.keep_up(here.teken)
    assert (here.row(permit).state, levels(here, permit)) == ("revoked", ["B-T", "B-LTA"])
    assert_sound(here, permit)


def head_of(world) -> str:
    return json.loads(world.row(_only(world)).signatory)["official"]


def _only(world) -> str:
    with world.teken.db.read() as connection:
        return connection.execute(select(documents.c.permit)).scalars().first()


class Crash(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize(("place", "kept"), [("lock", 1), ("republish", 1), ("enlist", 1)])
def test_a_crash_leaves_the_version_before(world, place, kept, monkeypatch):
    """After the archive, within the transaction, and at its very end."""

    def crash(*_, **__):
        raise Crash

    here = world(target="B-LTA")
    permit = here.issued()
    monkeypatch.setattr(renewal, place, crash)
    with pytest.raises(Crash):
        renewal.keep_up(here.teken)
    monkeypatch.undo()
    assert len(versions(here, permit)) == kept
    assert renewal.keep_up(here.teken) == 0, "the lease of the dead worker stands"
    here.clock.forward(minutes=11)
    renewal.keep_up(here.teken)
    assert levels(here, permit) == ["B-T", "B-LTA"]
    assert_sound(here, permit)


def test_of_two_workers_one_releases(world, monkeypatch):
    """The slower one's claim has gone: its longer document is kept out, whatever it has reached."""
    here = world(target="B-LTA")
    permit = here.issued()
    second, slow = [], renewal.longterm.extend

    def extend(teken, *given):
        longer = slow(teken, *given)
        if not second:
            second.append(True)
            here.clock.forward(minutes=11)
            renewal.keep_up(here.teken)
        return longer

    monkeypatch.setattr(renewal.longterm, "extend", extend)
    renewal.keep_up(here.teken)
    assert levels(here, permit) == ["B-T", "B-LTA"]
    assert len(told_data(here.teken, permit, "permit.extended")) == 1
    assert_sound(here, permit)


def test_a_tampered_later_version_is_found_by_the_audit(world):
    here = world(target="B-LTA")
    permit = here.issued()
    renewal.keep_up(here.teken)
    newest = versions(here, permit)[-1]
    forged = here.teken.archive.put(here.teken.archive.get(newest.sha) + b"\n")
    with here.teken.db.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER documents_no_update")
        connection.exec_driver_sql(f"UPDATE documents SET sha='{forged}' WHERE sha='{newest.sha}'")
    assert {one.invariant for one in audit(here.teken).violations} == {"I4"}


def test_no_number_without_an_authority_where_the_level_needs_one(world):
    here = world("rokan-hilir", "B-T", "B-T", authority=False)
    permit = here.post()
    play(here.teken, permit)
    assert (here.row(permit).state, here.row(permit).fault) == ("parked", "timestamper_missing")
    with here.teken.db.read() as connection:
        assert connection.execute(select(register)).first() is None
        assert connection.execute(select(events.c.type).where(events.c.type == "permit.numbered")).first() is None


def test_who_proved_the_time_is_told_of_every_version(world):
    """Recorded at issue and at each extension: an archive time-stamp is told of the version that it made, never of the one before."""
    here = world("malang", "B-B", "B-LTA")
    permit = here.issued()
    issued = here.clock.now()
    here.clock.forward(days=2)
    assert renewal.keep_up(here.teken) == 1
    answer = by_code(here.teken, here.row(permit).code, at=here.clock.now()).as_dict()
    first, second = answer["permit"]["documents"]
    for old, new in zip(first["signatures"], second["signatures"], strict=True):
        assert [one["what"] for one in old["timestamps"]] == ["signature"]
        assert [one["what"] for one in new["timestamps"]] == ["signature", "document"]
        assert {one["by"] for one in new["timestamps"]} == {"TSA"}
        assert old["timestamps"][0] == new["timestamps"][0]
        assert old["timestamps"][0]["at"] == issued.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert new["timestamps"][1]["at"] == here.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        assert not new["certificate"]["is_example"]
        assert new["certificate"]["valid_from"] < new["at"] < new["certificate"]["valid_to"]
    assert_sound(here, permit)


def test_a_file_whose_time_stamps_cannot_be_read_is_issued_all_the_same(world, monkeypatch):
    """Nobody is told who stamped; nothing else changes."""

    def unread(_: bytes) -> None:
        raise SigningFailed("extension_failed", "cannot be read")

    monkeypatch.setattr("service.longterm.read_stamps", unread)
    here = world("malang", "B-B", "B-T")
    permit = here.issued()
    answer = by_code(here.teken, here.row(permit).code, at=here.clock.now()).as_dict()
    assert [one["timestamps"] for one in answer["permit"]["documents"][0]["signatures"]] == [[], []]
    assert levels(here, permit) == ["B-T"]
