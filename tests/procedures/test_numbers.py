"""What is fixed with the number: register period, printed date and validity, from one local date, never computed again."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from service import acts
from service.clock import SetClock
from service.permits import State
from service.store.tables import register
from tests.procedures.stories import client_of, edit, issued, open_tree, seen_codes, text, tree_of
from tests.support.office import open_office, payload, play, post, qr_text, row, take_turn, work

ROHIL = ("rokan-hilir", "sip-perekam-medis")
MALANG = ("malang", "sik-perekam-medis")
ROHUL = ("rokan-hulu", "surat-izin-perekam-medik")
NEW_YEAR_EVE = datetime(2026, 12, 31, 16, 59, 59, tzinfo=UTC)  # 23.59.59 in Jakarta
MIDNIGHT = datetime(2026, 12, 31, 17, 0, 0, tzinfo=UTC)  # 00.00.00 of 1 January 2027 in Jakarta


def opened(tmp_path, keys, at):
    clock = SetClock(at)
    return open_office(tmp_path, keys, clock=clock), clock


def test_numbers_of_a_series_count_on_without_a_gap(tmp_path, keys):
    teken, _ = opened(tmp_path, keys, NEW_YEAR_EVE)
    client = client_of(teken, "malang")
    numbers = [row(teken, issued(teken, client, payload(*MALANG, f"UJI-{n}"))).number for n in range(1, 4)]
    assert numbers == [f"500.16.7.2/000{n}/SIK-PM/I/DPMPTSP/2026" for n in (1, 2, 3)]
    teken.close()


def test_a_second_place_of_practice_shows_in_malangs_number(tmp_path, keys):
    teken, _ = opened(tmp_path, keys, NEW_YEAR_EVE)
    permit = issued(teken, client_of(teken, "malang"), payload(*MALANG, practice__ke=2))
    assert row(teken, permit).number == "500.16.7.2/0001/SIK-PM/II/DPMPTSP/2026"
    teken.close()


def test_two_types_of_rokan_hilir_count_apart(tmp_path, keys):
    teken, _ = opened(tmp_path, keys, NEW_YEAR_EVE)
    client = client_of(teken, "rokan-hilir")
    kinds = ("sip-perekam-medis", "sip-penata-anestesi", "sip-perekam-medis")
    permits = [issued(teken, client, payload("rokan-hilir", kind, f"UJI-{n}")) for n, kind in enumerate(kinds)]
    assert [row(teken, one).number_no for one in permits] == [1, 1, 2]
    teken.close()


@pytest.mark.parametrize(
    ("kind", "old_year", "new_year"),
    [
        (ROHIL, "503.440/001/SIP-PM/DPMPTSP/2026", "503.440/001/SIP-PM/DPMPTSP/2027"),
        (MALANG, "500.16.7.2/0001/SIK-PM/I/DPMPTSP/2026", "500.16.7.2/0001/SIK-PM/I/DPMPTSP/2027"),
        (ROHUL, "503.445/DPMPTSP-SIPM/XII/2026/001", "503.445/DPMPTSP-SIPM/I/2027/001"),
        (("kudus", "sip-perekam-medis"), "446/001.XII.26/SIP-PM/DPMPTSP", "446/001.I.27/SIP-PM/DPMPTSP"),
    ],
)
def test_the_register_begins_anew_at_midnight_of_the_offices_own_clock(tmp_path, keys, kind, old_year, new_year):
    """23.59.59 and 00.00.00 in Jakarta are the same afternoon in UTC."""
    teken, clock = opened(tmp_path, keys, NEW_YEAR_EVE)
    client = client_of(teken, kind[0])
    last = row(teken, issued(teken, client, payload(*kind, "UJI-LAMA")))
    clock.at = MIDNIGHT
    first = row(teken, issued(teken, client, payload(*kind, "UJI-BARU")))
    assert (last.number, last.set_on) == (old_year, "2026-12-31")
    assert (first.number, first.set_on, first.number_no) == (new_year, "2027-01-01", 1)
    assert "1 Januari 2027" in text(teken.archive.get(first.released_sha))
    teken.close()


def test_a_number_of_the_old_year_is_signed_in_the_new_one_unchanged(tmp_path, keys):
    """Numbered on the last day, signed on the first: number, date and validity stay (the office's policy is asked apart)."""
    teken, clock = opened(tmp_path, keys, NEW_YEAR_EVE)
    permit = post(teken, client_of(teken, "rokan-hilir"), payload(*ROHIL)).body["id"]
    work(teken)
    numbered = row(teken, permit)
    assert (numbered.state, numbered.set_on) == ("numbered", "2026-12-31")
    clock.at = MIDNIGHT
    play(teken, permit)
    issued_permit = row(teken, permit)
    fixed = ("number", "set_on", "valid_from", "valid_to", "series")
    assert [getattr(issued_permit, one) for one in fixed] == [getattr(numbered, one) for one in fixed]
    assert "31 Desember 2026" in text(teken.archive.get(issued_permit.released_sha))
    teken.close()


# the STR's end, the permit's last valid day
VALIDITY = [
    ("SEUMUR_HIDUP", "2031-11-20"),
    ("2028-02-29", "2028-02-29"),
    ("2031-11-19", "2031-11-19"),
    ("2031-11-20", "2031-11-20"),
    ("2031-11-21", "2031-11-20"),
    ("2040-01-01", "2031-11-20"),
]


@pytest.fixture(scope="module")
def rokan_hilir(tmp_path_factory, keys):
    teken = open_office(tmp_path_factory.mktemp("str"), keys)
    yield teken, client_of(teken, "rokan-hilir")
    teken.close()


@pytest.mark.parametrize(("str_until", "last_day"), VALIDITY)
def test_a_dated_str_ends_the_permit_when_it_ends_first(rokan_hilir, str_until, last_day):
    teken, client = rokan_hilir
    body = payload(*ROHIL, f"UJI-{str_until}", str__masa_berlaku=str_until)
    permit = post(teken, client, body).body["id"]
    work(teken)
    assert (row(teken, permit).valid_from, row(teken, permit).valid_to) == ("2026-11-20", last_day)


def corrected(teken, client, kind, clock, **change):
    """A numbered permit is returned by the head and comes back, four days later, with another STR date."""
    permit = post(teken, client, payload(*kind, "UJI-KOREKSI")).body["id"]
    play(teken, permit, until=State.NUMBERED)
    while (now := row(teken, permit)).queue != "person" or now.position == 6:  # pass the DRAF print of Rokan Hulu
        take_turn(teken, permit)
        work(teken)
    before = row(teken, permit)
    acts.give_back(teken, f"{kind[0]}/kadis", permit, reason="tanggal STR keliru")
    clock.forward(days=4)
    post(teken, client, payload(*kind, "UJI-KOREKSI", **change))
    return before


@pytest.mark.parametrize("kind", [ROHIL, ROHUL])
def test_a_corrected_str_changes_the_validity_and_neither_number_nor_date(tmp_path, keys, kind):
    teken, clock = opened(tmp_path, keys, datetime(2026, 11, 20, 2, 0, tzinfo=UTC))
    before = corrected(teken, client_of(teken, kind[0]), kind, clock, str__masa_berlaku="2029-08-17")
    play(teken, before.id)
    after = row(teken, before.id)
    assert after.state == "in_force"
    assert (after.number, after.set_on, after.code) == (before.number, before.set_on, before.code)
    assert (before.valid_to, after.valid_to) == ("2031-11-20", "2029-08-17")
    paper = text(teken.archive.get(after.released_sha))
    assert [words for words in ("17 Agustus 2029", "20 November 2026") if words not in paper] == []
    assert "2031" not in paper
    with teken.db.read() as connection:
        assert len(connection.execute(select(register)).all()) == 1
    assert seen_codes(teken.archive.get(after.released_sha)) == [qr_text(after)]
    teken.close()


def test_who_reads_the_correction_reads_its_own_validity(tmp_path, keys):
    """Kasi, Kabid, Sekretaris and Kadis of Rokan Hulu read the draft of the corrected case, which has its number already."""
    from service.queries import preview

    teken, clock = opened(tmp_path, keys, datetime(2026, 11, 20, 2, 0, tzinfo=UTC))
    before = corrected(teken, client_of(teken, ROHUL[0]), ROHUL, clock, str__masa_berlaku="2029-08-17")
    work(teken)
    assert row(teken, before.id).position == 1
    draft, _ = preview(teken, before.id)
    words = text(draft)
    assert before.number in words
    assert words.count("17 Agustus 2029") == 2  # the STR's own end, and therefore the permit's
    assert "2031" not in words
    teken.close()


def test_a_series_starts_where_the_office_says_and_may_restart_monthly(tmp_path, keys):
    templates = tree_of(tmp_path, "malang")
    office = templates / "malang" / "office.toml"
    edit(office, 'reset = "yearly"\nstart = 1', 'reset = "monthly"\nstart = 120')
    edit(office, "{klas}/{seq:04}/{type}/{place_roman}/DPMPTSP/{yyyy}", "{seq}/{type}/{place_roman}/{MM_roman}/{yyyy}")
    clock = SetClock(datetime(2026, 11, 30, 16, 0, tzinfo=UTC))
    teken = open_tree(tmp_path / "home", templates, keys, clock)
    client = client_of(teken, "malang")
    found = [row(teken, issued(teken, client, payload(*MALANG, "UJI-1"))).number]
    found += [row(teken, issued(teken, client, payload(*MALANG, "UJI-2"))).number]
    clock.forward(hours=2)  # 1 December in Malang
    found += [row(teken, issued(teken, client, payload(*MALANG, "UJI-3"))).number]
    assert found == ["120/SIK-PM/I/XI/2026", "121/SIK-PM/I/XI/2026", "120/SIK-PM/I/XII/2026"]
    teken.close()
