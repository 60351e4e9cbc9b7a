"""Who signs must hold, now, the role, mandate and certificate that the paper names. Otherwise the paper is made and read again."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from certs.make_dev_pki import make_dev_pki
from service import acts, people
from service.errors import Conflict, MandateExpired, NotFound
from service.queries import preview, waiting
from service.store.tables import acts as table
from service.store.tables import certificates, quarantine, register
from tests.acts.desk import (
    LONG_AGO,
    RIGHTLY,
    TODAY,
    TOMORROW,
    YESTERDAY,
    end_mandate,
    engage,
    everything,
    open_house,
)
from tests.procedures.stories import seen_codes, text, told, told_data
from tests.support.office import play, qr_text, row, work

YEAR_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
STAGES = ["sign, number first", "sign, number after"]
OFFICE = {"sign, number first": "rokan-hilir", "sign, number after": "malang"}
AFTER_MIDNIGHT = datetime(2026, 11, 20, 17, 5, tzinfo=UTC)  # the 21st in the offices


@pytest.fixture(scope="module")
def more_keys(tmp_path_factory, keys):
    """Everybody's keys, and those of two people who will come to sign."""
    folder = tmp_path_factory.mktemp("kunci") / "k"
    shutil.copytree(keys, folder)
    people_ = [(f"{office}.{who}", f"Contoh {who}") for office in ("rokan-hilir", "malang") for who in ("plt", "baru")]
    make_dev_pki(folder, people_, key="p256", now=YEAR_BEGAN)
    return folder


@pytest.fixture
def house(tmp_path, more_keys, furnished):
    opened = open_house(tmp_path / "rumah", more_keys, furnished)
    yield opened
    opened.teken.close()


def appoint(house, office: str, code: str, kind: str, since, until=None) -> str:
    """Employ somebody as head and enrol his certificate."""
    official = engage(house.teken, office, code, ("kepala_dinas", kind, since, until))
    enrol(house, official)
    return official


def enrol(house, official: str) -> str:
    pem = (house.teken.settings.keys / f"{official.replace('/', '.')}.cert.pem").read_bytes()
    with house.teken.db.write() as connection:
        return people.enrol(connection, official, pem, house.clock.now())


def order(house, official: str, permit: str, sha: str | None = None):
    seen = sha or preview(house.teken, permit)[1]
    return acts.order_signature(house.teken, official, permit, seen_sha=seen)


def paper(house, permit: str) -> str:
    return text(preview(house.teken, permit)[0])


def test_the_order_of_a_plt_lapses_when_his_mandate_ends_before_the_signature(tmp_path, more_keys, furnished):
    """He orders on his last day; the signing process comes to it after midnight. The definitive head reads and signs anew."""
    for stage in STAGES:
        house = open_house(tmp_path / OFFICE[stage], more_keys, furnished)
        office = OFFICE[stage]
        end_mandate(house.teken, f"{office}/kadis", "kepala_dinas", YESTERDAY)
        plt = appoint(house, office, "plt", "plt", LONG_AGO, TODAY)
        baru = appoint(house, office, "baru", "definitif", TOMORROW)
        permit = house.bring(stage)
        before = house.row(permit)
        assert "plt. kepala dinas" in paper(house, permit).lower()
        order(house, plt, permit)

        house.clock.at = AFTER_MIDNIGHT
        work(house.teken)
        lapsed = house.row(permit)
        assert (lapsed.state, lapsed.queue) == (("numbered" if before.number else "in_paraf"), "person")
        assert (lapsed.head_sha, lapsed.ordered_sha) == (None, None)
        assert [one for one, _ in told(house.teken, permit)][-2:] == ["permit.order_lapsed", "permit.rendered"]
        words = paper(house, permit).lower()
        assert "contoh baru" in words
        assert "plt." not in words
        kept = ("number", "set_on", "valid_from", "valid_to", "code")
        assert [getattr(lapsed, one) for one in kept] == [getattr(before, one) for one in kept]

        with pytest.raises(MandateExpired):
            order(house, plt, permit)
        with pytest.raises(Conflict, match="seen_differs"):  # the old paper may not be signed by the new head either
            order(house, baru, permit, before.final_sha)
        order(house, baru, permit)
        play(house.teken, permit)
        issued = house.row(permit)
        assert issued.state == "in_force"
        assert {"Contoh baru", "Contoh plt"} & {
            w for w in ("Contoh baru", "Contoh plt") if w in document(house, permit)
        }
        assert "Contoh plt" not in document(house, permit)
        assert seen_codes(house.teken.archive.get(issued.released_sha)) == [qr_text(issued)]
        house.teken.close()


def document(house, permit: str) -> str:
    return text(house.teken.archive.get(house.row(permit).released_sha))


@pytest.mark.parametrize("stage", STAGES)
def test_the_head_changes_between_paper_and_order(house, stage):
    """The new head presses 'sign' on a paper that names the old one: it is made again first, with the same number and date."""
    office = OFFICE[stage]
    permit = house.bring(stage)
    before = house.row(permit)
    end_mandate(house.teken, f"{office}/kadis", "kepala_dinas", YESTERDAY)
    baru = appoint(house, office, "baru", "definitif", TODAY)

    with pytest.raises(Conflict, match="signatory_changed"):
        order(house, baru, permit)
    assert told(house.teken, permit)[-1][0] == "permit.paper_outdated"
    assert house.row(permit).state == before.state
    work(house.teken)
    after = house.row(permit)
    assert after.final_sha != before.final_sha
    assert "Contoh baru" in paper(house, permit)
    kept = ("state", "number", "set_on", "valid_from", "valid_to", "code", "position")
    assert [getattr(after, one) for one in kept] == [getattr(before, one) for one in kept]

    order(house, baru, permit)
    play(house.teken, permit)
    assert house.row(permit).state == "in_force"
    assert "Contoh baru" in document(house, permit)


@pytest.mark.parametrize("stage", STAGES)
def test_parafs_are_not_voided_by_a_new_signatory(house, stage):
    """Only the lines of the mandate change: what was read of the case still counts (§4.3)."""
    office = OFFICE[stage]
    permit = house.bring(stage)
    with house.teken.db.read() as connection:
        read = select(table.c.id, table.c.voided_at).where(table.c.permit == permit)
        before = [tuple(one) for one in connection.execute(read)]
    end_mandate(house.teken, f"{office}/kadis", "kepala_dinas", YESTERDAY)
    baru = appoint(house, office, "baru", "definitif", TODAY)
    with pytest.raises(Conflict):
        order(house, baru, permit)
    work(house.teken)
    with house.teken.db.read() as connection:
        assert [tuple(one) for one in connection.execute(read)] == before


def test_a_plh_signs_before_a_plt_before_the_head(house):
    """The nearer mandate is the one that the paper names; the head himself is told that another signs today."""
    appoint(house, "malang", "plt", "plt", TODAY)
    plh = appoint(house, "malang", "baru", "plh", TODAY, TODAY)
    permit = house.bring("sign, number after")
    assert "plh. kepala dinas" in paper(house, permit).lower()
    before = everything(house.teken)
    for other in ("malang/kadis", "malang/plt"):
        with pytest.raises(Conflict, match="not_the_signatory"):
            order(house, other, permit)
    assert everything(house.teken) == before
    order(house, plh, permit)
    play(house.teken, permit)
    assert "plh. kepala dinas" in document(house, permit).lower()


def test_a_plh_for_a_day_comes_after_the_paper_was_made(house):
    """The head may not sign while somebody stands in for him, not even a paper that names him."""
    permit = house.bring("sign, number after")
    plh = appoint(house, "malang", "baru", "plh", TODAY, TODAY)
    with pytest.raises(Conflict, match="signatory_changed"):
        order(house, "malang/kadis", permit)
    work(house.teken)
    with pytest.raises(Conflict, match="not_the_signatory"):
        order(house, "malang/kadis", permit)
    assert order(house, plh, permit)["state"] == "signing"


def test_the_paper_is_made_again_when_the_plh_of_yesterday_is_gone(house):
    """Rendered under a Plh., ordered by the head a day later: first the paper changes, then he signs it."""
    appoint(house, "malang", "baru", "plh", TODAY, TODAY)
    permit = house.bring("sign, number after")
    house.clock.at = AFTER_MIDNIGHT
    with pytest.raises(Conflict, match="signatory_changed"):
        order(house, "malang/kadis", permit)
    play(house.teken, permit)
    assert "Dewi Kartika Utami" in document(house, permit)


def test_nobody_signs_when_nobody_holds_the_mandate(house):
    """The order is refused, nothing is stored; a case that needs a paper now waits, visibly, and goes on once somebody is appointed."""
    permit = house.bring("sign, number after")
    end_mandate(house.teken, "malang/kadis", "kepala_dinas", YESTERDAY)
    before = everything(house.teken)
    with pytest.raises(MandateExpired):
        order(house, "malang/kadis", permit)
    assert everything(house.teken) == before

    late = house.bring("verify without a paper", "UJI-KOSONG")
    RIGHTLY["verify"](house.teken, house.rightful(late), late)
    for _ in range(house.teken.settings.max_attempts + 1):
        work(house.teken)
        house.clock.forward(minutes=2)
    assert (house.row(late).state, house.row(late).fault) == ("parked", "mandate_expired")
    assert late in [one["id"] for one in waiting(house.teken, "malang")]
    appoint(house, "malang", "baru", "definitif", TODAY)
    acts.resume_parked(house.teken, late)
    play(house.teken, late)
    assert house.row(late).state == "in_force"


@pytest.mark.parametrize("stage", STAGES)
def test_a_certificate_that_was_replaced_after_the_order_lapses_it(house, stage):
    """The paper names the certificate, too: with another one enrolled, it is made and read again."""
    office = OFFICE[stage]
    permit = house.bring(stage)
    order(house, f"{office}/kadis", permit)
    house.clock.forward(minutes=1)
    pem = (house.teken.settings.keys / f"{office}.baru.cert.pem").read_bytes()
    with house.teken.db.write() as connection:
        people.enrol(connection, f"{office}/kadis", pem, house.clock.now())
    work(house.teken)
    assert told_data(house.teken, permit, "permit.order_lapsed") != []
    assert house.row(permit).queue == "person"
    assert house.row(permit).head_sha is None


def test_a_key_that_is_not_the_enrolled_one_signs_nothing(tmp_path, more_keys, furnished):
    """Somebody exchanged the key file in the signing process's folder: the permit waits with a fault, unsigned."""
    folder = tmp_path / "kunci"
    shutil.copytree(more_keys, folder)
    house = open_house(tmp_path / "rumah", folder, furnished)
    permit = house.bring("sign, number after")
    shutil.copy(folder / "malang.baru.p12", folder / "malang.kadis.p12")
    order(house, "malang/kadis", permit)
    for _ in range(house.teken.settings.max_attempts + 1):
        work(house.teken)
        house.clock.forward(minutes=2)
    assert (house.row(permit).state, house.row(permit).fault) == ("parked", "key_differs")
    assert house.row(permit).head_sha is None
    with house.teken.db.read() as connection:
        assert connection.execute(select(quarantine)).all() == []
    house.teken.close()


@pytest.mark.parametrize("stage", STAGES)
def test_without_a_valid_certificate_nothing_is_ordered(house, stage):
    office = OFFICE[stage]
    permit = house.bring(stage)
    with house.teken.db.write() as connection:
        mine = certificates.c.owner == f"{office}/kadis"
        connection.execute(update(certificates).where(mine).values(not_after="2026-11-20T02:00:00.000000Z"))
    before = everything(house.teken)
    with pytest.raises(NotFound, match="certificate_expired"):
        order(house, f"{office}/kadis", permit)
    assert everything(house.teken) == before


def test_an_office_whose_seal_has_no_certificate_spends_no_number(house):
    """It is asked before the first paper: a case that could not be sealed is not signed and not numbered."""
    with house.teken.db.write() as connection:
        mine = certificates.c.owner == "malang/segel"
        connection.execute(update(certificates).where(mine).values(not_after="2026-11-20T02:00:00.000000Z"))
    permit = house.bring("verify without a paper")
    RIGHTLY["verify"](house.teken, house.rightful(permit), permit)
    for _ in range(house.teken.settings.max_attempts + 1):
        work(house.teken)
        house.clock.forward(minutes=2)
    assert (house.row(permit).state, house.row(permit).fault) == ("parked", "certificate_expired")
    with house.teken.db.read() as connection:
        assert connection.execute(select(register)).all() == []


def test_the_signature_is_by_the_certificate_that_the_paper_names(house):
    permit = house.bring("sign, number after")
    named = json.loads(house.row(permit).signatory)
    play(house.teken, permit)
    with house.teken.db.read() as connection:
        query = select(table.c.detail, table.c.mandate).where(table.c.permit == permit, table.c.verb == "sign")
        detail, mandate = connection.execute(query).one()
    assert json.loads(detail)["certificate_sha256"] == named["certificate_sha256"]
    assert mandate == named["mandate"] == "malang/kadis/1"
    assert row(house.teken, permit).state == "in_force"
