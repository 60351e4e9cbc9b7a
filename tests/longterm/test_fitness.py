"""Steps 2 and 4: an unfit certificate is refused before a number is spent, and the office is told in time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from service import expiring, pipeline
from service.store.tables import register
from tests.signing.authorities import Authorities
from tests.support.office import NOW, play, work

DAY = timedelta(days=1)
UNFIT = {
    "certificate_expired": {"years": 0.5, "begin": NOW - 200 * DAY},
    "certificate_not_yet_valid": {"begin": NOW + 10 * DAY},
    "certificate_usage": {"usage": ("key_encipherment",)},
}


def try_for_long(world, permit):
    play(world.teken, permit)
    row = world.row(permit)
    with world.teken.db.read() as connection:
        numbers = connection.execute(select(register)).all()
    return row.state, row.fault, len(numbers)


@pytest.mark.parametrize("code", list(UNFIT))
@pytest.mark.parametrize("office", ["rokan-hilir", "malang"])
def test_an_unfit_certificate_spends_no_number(world, office, code):
    here = world(office, head={"more": UNFIT[code]}) if code != "certificate_usage" else _without_key(world, office)
    assert try_for_long(here, here.post()) == ("parked", code, 0)


def _without_key(world, office):
    """The signing process itself refuses to open such a key; the certificate alone can be enrolled."""
    from service import people

    here = world(office)
    bad = here.pki.signer("kepala", **UNFIT["certificate_usage"])
    _enrol_for_all(here, bad, people)
    return here


def _enrol_for_all(here, holder, people):
    from cryptography.hazmat.primitives.serialization import Encoding

    pem = holder.certificate.public_bytes(Encoding.PEM)
    with here.teken.db.write() as connection:
        office = here.teken.offices.offices[here.office]
        for person in office.people:
            people.enrol(connection, f"{here.office}/{person.code}", pem, here.clock.now() + DAY)


def test_a_certificate_of_another_ca_is_refused(world):
    here = world(head={"holder": Authorities(begin=NOW - 30 * DAY).signer("kepala")})
    assert try_for_long(here, here.post()) == ("parked", "certificate_untrusted", 0)


@pytest.mark.parametrize("least", ["B-B", "B-LT"])
def test_a_revoked_certificate_is_refused_at_every_level(world, least):
    here = world("rokan-hilir", least, "B-LTA")
    _revoke_all(here)
    assert try_for_long(here, here.post()) == ("parked", "certificate_revoked", 0)


def _revoke_all(here):
    from cryptography import x509

    from service.store.tables import certificates

    with here.teken.db.read() as connection:
        for der in connection.execute(select(certificates.c.der)).scalars():
            here.pki.revoked[x509.load_der_x509_certificate(bytes(der)).serial_number] = NOW - 2 * DAY


def test_who_was_revoked_between_reading_and_number_gets_none(world):
    here = world("rokan-hilir")
    permit = here.post()
    pipeline.advance(here.teken, "work", permit)
    assert here.row(permit).state == "drafted"
    _revoke_all(here)
    assert try_for_long(here, permit) == ("parked", "certificate_revoked", 0)


def test_a_revoked_seal_is_refused_too(world):
    here = world("malang")
    from service.people import enrolled

    with here.teken.db.read() as connection:
        der = bytes(enrolled(connection, "malang/segel", NOW).der)
    from cryptography import x509

    here.pki.revoked[x509.load_der_x509_certificate(der).serial_number] = NOW - DAY
    assert try_for_long(here, here.post()) == ("parked", "certificate_revoked", 0)


def test_a_ca_that_does_not_answer_stops_only_offices_that_issue_with_its_answer(world):
    here = world("rokan-hilir", "B-LT", "B-LTA")
    here.ca.away = True
    assert try_for_long(here, here.post()) == ("parked", "revocation_unreachable", 0)


def test_a_ca_that_does_not_answer_stops_nobody_else(world):
    here = world("rokan-hilir")
    here.ca.away = True
    permit = here.post()
    work(here.teken)
    assert here.row(permit).number is not None
    play(here.teken, permit)
    assert here.row(permit).state == "in_force"


def test_without_any_source_nobody_is_asked(world):
    here = world("rokan-hilir")
    here.ca.has_source = lambda _: False
    here.issued()
    assert here.ca.asked == 0


def test_sixty_days_before_the_end_the_office_is_told_once_a_week(world):
    here = world("malang", head={"more": {"years": 0.5}})
    assert expiring.expiring(here.teken) == []
    here.clock.forward(days=100)
    [one] = expiring.warn(here.teken)
    assert (one["office"], one["owner"].startswith("malang/"), one["days"] < 60) == ("malang", True, True)
    assert expiring.warn(here.teken) == []
    here.clock.forward(days=7, hours=1)
    assert len(expiring.warn(here.teken)) == 1
