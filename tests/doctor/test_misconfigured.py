"""Each thing that an operator gets wrong: exactly one fault line names it, and what does not rest on it stays as it was."""

from __future__ import annotations

import os
import shutil
import sys
import zoneinfo
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from service import qr_keys, qr_lists
from service.doctor import Asked, State
from service.store import Database
from service.store.tables import mandates
from tests.doctor.engines import SOUND
from tests.doctor.house import DAY, HEAD, OFFICE, SEAL, SECRET, build, faults, states, write
from tests.procedures.stories import edit
from tests.signing.authorities import Authorities
from tests.support.office import NOW

ON_DATABASE = {
    *("shared_keys", "data_keys", "numbering", "backup", "webhook", "mandate", "certificate", "key", "token"),
    *("csc", "bsre", "signers"),
}
"""Checks that rest on the database."""


def one_fault(house, *, code: str, check: str, subject: str = "", because: set[str] = frozenset(), asked=None):
    """One line of fault; checks in `because` may be unknown, all others say what they say of a house that is well."""
    found = house.examine(asked)
    assert [(one[0], one[2]) for one in faults(found)] == [(check, code)], faults(found)
    [line] = [one for one in found if one.state is State.FAULT]
    assert subject in line.subject, line
    assert line.message.endswith(".")
    assert line.remedy.endswith(".")
    assert {one[0] for one in states(found, State.UNKNOWN)} == set(because)
    return line


# certificates


UNFIT = {
    "certificate_expired": {"years": 0.5, "begin": NOW - 200 * DAY},
    "certificate_not_yet_valid": {"begin": NOW + 10 * DAY},
}


@pytest.mark.parametrize("code", list(UNFIT))
def test_a_certificate_out_of_its_time(house, code):
    house.only_enrolled(HEAD, house.certify("kadis", **UNFIT[code]))
    one_fault(house, code=code, check="certificate", subject=HEAD, because={"key"})


def test_a_certificate_for_another_use(house):
    house.only_enrolled(HEAD, house.certify("kadis", usage=("key_encipherment",)))
    one_fault(house, code="certificate_usage", check="certificate", subject=HEAD)


def test_a_certificate_of_another_ca(house):
    house.only_enrolled(HEAD, Authorities(begin=NOW - 30 * DAY).signer("kadis"))
    one_fault(house, code="certificate_untrusted", check="certificate", subject=HEAD)


def test_a_revoked_certificate(house):
    holder = house.certify("segel")
    house.only_enrolled(SEAL, holder)
    house.pki.revoke(holder, NOW - DAY)
    one_fault(house, code="certificate_revoked", check="certificate", subject=SEAL)


def test_no_certificate_at_all(house):
    from service.store.tables import certificates

    (house.keys / "malang.kadis.cert.pem").unlink()
    house.change(lambda c: c.execute(certificates.delete().where(certificates.c.owner == HEAD)))
    one_fault(house, code="certificate_missing", check="certificate", subject=HEAD, because={"key"})


def test_sixty_days_before_its_end(house):
    house.only_enrolled(HEAD, house.certify("kadis", begin=NOW - 320 * DAY, years=1))
    found = house.examine()
    assert states(found, State.FAULT, State.UNKNOWN, State.WARNING) == [("certificate", HEAD, "certificate_expiring")]


def test_nobody_answers_about_revocation(house):
    del house.site.pages["/penerbit.crl"]
    found = house.examine()
    assert {one[2] for one in faults(found)} == {"revocation_unreachable"}
    assert {one[1] for one in faults(found)} == {HEAD, SEAL}


def test_where_no_answer_is_needed_its_absence_is_a_warning(house):
    data = house.settings.templates / OFFICE / "office.toml"
    edit(data, 'issue_at_least = "B-LT"', 'issue_at_least = "B-T"')
    del house.site.pages["/penerbit.crl"]
    found = house.examine()
    assert faults(found) == []
    assert {one[2] for one in states(found, State.WARNING)} == {"revocation_unreachable"}


# mandates


def test_nobody_holds_the_mandate(house):
    past = {"valid_from": "2020-01-01", "valid_to": "2026-11-19"}
    house.change(lambda c: c.execute(mandates.update().where(mandates.c.role == "kepala_dinas").values(**past)))
    one_fault(house, code="mandate_missing", check="mandate", subject="malang/kepala_dinas")


# keys


def test_a_key_file_that_is_missing(house):
    (house.keys / "malang.segel.p12").unlink()
    one_fault(house, code="key_missing", check="key", subject=SEAL)


def test_a_key_that_others_can_read(house):
    (house.keys / "malang.kadis.p12").chmod(0o640)
    line = one_fault(house, code="file_exposed", check="files", subject="malang.kadis.p12")
    assert "0640" in line.message


def test_a_certificate_beside_the_key_that_is_not_the_enrolled_one(house):
    other = house.certify("kadis")
    house.give(HEAD, other)
    one_fault(house, code="key_differs", check="key", subject=HEAD)


def test_a_key_that_is_not_the_enrolled_one_is_found_when_it_is_opened(house):
    """The certificate beside it may have been left as it was."""
    pem = (house.keys / "malang.segel.cert.pem").read_bytes()
    house.give(SEAL, house.certify("segel"))
    write(house.keys / "malang.segel.cert.pem", pem)
    assert faults(house.examine()) == []
    one_fault(house, code="key_differs", check="key", subject=SEAL, asked=Asked(open_keys=True))


def test_the_seals_passphrase_is_wrong(house):
    write(house.keys / "passphrase", b"salah\n")
    assert faults(house.examine()) == []  # nothing is opened unasked
    line = one_fault(house, code="passphrase_wrong", check="key", subject=SEAL, asked=Asked(open_keys=True))
    assert "salah\n" not in line.message


def test_the_seals_passphrase_is_missing(house):
    (house.keys / "passphrase").unlink()
    one_fault(house, code="secret_missing", check="key", subject=SEAL)


def test_keys_that_open(house):
    found = house.examine(Asked(True, HEAD, bytearray(SECRET)))
    assert [one.subject for one in found if one.code == "key_opens"] == [HEAD, SEAL]


def test_an_officials_passphrase_is_wrong(house):
    one_fault(
        house, code="passphrase_wrong", check="key", subject=HEAD, asked=Asked(False, HEAD, bytearray(b"bukan-itu"))
    )


def test_a_key_file_without_a_certificate_beside_it(house):
    (house.keys / "malang.kadis.cert.pem").unlink()
    found = house.examine()
    assert faults(found) == []
    assert [one.code for one in found if one.check == "key"] == ["key_alone", "key_there"]


def test_a_key_of_a_kind_that_is_not_taken(house):
    house.only_enrolled(HEAD, house.certify("kadis", kind="rsa1024"))
    one_fault(house, code="certificate_key", check="certificate", subject=HEAD)


def test_an_official_who_does_not_sign(house):
    asked = Asked(False, "malang/analis_muda", bytearray(b"x"))
    one_fault(house, code="official_unknown", check="official", subject="malang/analis_muda", asked=asked)


# anchors and time-stamps


@pytest.mark.parametrize("content", [None, b"", b"bukan sertifikat"])
def test_anchors_that_cannot_be_read(house, content):
    path = house.keys / "root.pem"
    path.unlink() if content is None else write(path, content)
    because = {"certificate", "timestamp"}
    one_fault(house, code="anchors_unreadable", check="anchors", subject="root.pem", because=because)


def test_intermediates_that_are_named_but_not_there(house, tmp_path):
    house.set(intermediates=tmp_path / "penerbit.pem")
    found = house.examine()
    assert ("anchors", str(tmp_path / "penerbit.pem"), "anchors_unreadable") in faults(found)


def test_an_anchor_that_has_expired(house, place):
    old = Authorities(begin=NOW - 400 * DAY, ca_years=1)
    from cryptography.hazmat.primitives.serialization import Encoding

    extra = old.root.certificate.public_bytes(Encoding.PEM)
    write(house.keys / "root.pem", (house.keys / "root.pem").read_bytes() + extra)
    one_fault(house, code="anchor_expired", check="anchors", subject="root.pem")


def test_no_time_stamping_authority(house):
    house.set(tsa_url="")
    line = one_fault(house, code="tsa_missing", check="timestamp", subject=OFFICE)
    assert "TEKEN_TSA_URL" in line.message


def test_a_time_stamping_authority_that_is_away(house):
    house.set(tsa_url="http://127.0.0.1:9/tsa")
    one_fault(house, code="tsa_unreachable", check="timestamp", subject="127.0.0.1:9")


def test_a_time_stamping_authority_that_refuses(house):
    del house.site.pages["/tsa"]
    one_fault(house, code="tsa_refused", check="timestamp")


def test_a_time_stamp_under_another_root(house):
    house.site.pages["/tsa"] = house.tsa(Authorities(begin=NOW - 30 * DAY).tsa("TSA"))
    one_fault(house, code="tsa_untrusted", check="timestamp", subject="/tsa")


def test_an_answer_that_is_no_time_stamp(house):
    house.site.pages["/tsa"] = lambda _: b"<html>masuk dahulu</html>"
    one_fault(house, code="tsa_token_wrong", check="timestamp")


def test_while_one_authority_answers_another_is_only_a_warning(house):
    house.set(tsa_url=f"http://127.0.0.1:9/tsa,{house.site.url}/tsa")
    found = house.examine()
    assert faults(found) == []
    assert states(found, State.WARNING) == [("timestamp", "http://127.0.0.1:9/tsa", "tsa_unreachable")]


# clocks


@pytest.mark.parametrize(("minutes", "words"), [(6, "6 menit lebih lambat"), (-6, "6 menit lebih cepat")])
def test_a_clock_that_is_off_by_six_minutes(house, minutes, words):
    house.stamps_at = timedelta(minutes=minutes)
    line = one_fault(house, code="clock_off", check="clock", subject="host")
    assert words in line.message


def test_a_clock_that_is_off_by_forty_seconds_is_a_warning(house):
    house.stamps_at = timedelta(seconds=40)
    found = house.examine()
    assert states(found, State.FAULT, State.UNKNOWN, State.WARNING) == [("clock", "host", "clock_off")]


def test_a_clock_that_is_off_by_ten_seconds_is_well(house):
    house.stamps_at = timedelta(seconds=-10)
    assert states(house.examine(), State.FAULT, State.WARNING) == []


def test_a_database_servers_clock_counts_where_it_is_another_machines(tmp_path, place, postgres, monkeypatch):
    """The house's day is another one than that of the server, while the time-stamps are of the house's."""
    monkeypatch.setattr("service.doctor.engines.read_postgresql", lambda _: SOUND)  # ours syncs nothing
    house = build(tmp_path, place, database=postgres)
    assert faults(house.examine()) == []  # a server on this machine says what this machine says
    monkeypatch.setattr("service.doctor.storage.is_here", lambda _: False)
    line = one_fault(house, code="clock_differs", check="clock", subject="/teken_")
    assert "menit" in line.message


# database, archive, Redis


def test_a_database_that_is_not_there(house):
    shutil.rmtree(house.settings.home)
    house.settings.home.mkdir()
    because = ON_DATABASE
    one_fault(house, code="database_missing", check="database", subject="teken.db", because=because)
    assert list(house.settings.home.iterdir()) == []


@pytest.mark.parametrize(
    ("revision", "code"), [(None, "database_empty"), ("0001", "database_behind"), ("9999", "database_ahead")]
)
def test_a_schema_of_another_day(house, revision, code):
    statement = "UPDATE alembic_version SET version_num = :at" if revision else "DELETE FROM alembic_version"
    database = Database(house.settings.database)
    with database.write() as connection:
        connection.execute(text(statement), {"at": revision} if revision else {})
    database.dispose()
    because = ON_DATABASE
    one_fault(house, code=code, check="database", because=because)


def test_a_database_server_that_is_away(house):
    house.set(database_url="postgresql://teken:sandi-contoh@127.0.0.1:9/teken", busy_seconds=1)
    because = ON_DATABASE
    line = one_fault(house, code="database_unreachable", check="database", subject="127.0.0.1/teken", because=because)
    assert "sandi-contoh" not in repr(line)


def test_a_file_that_is_no_database(house):
    write(house.settings.home / "teken.db", b"bukan basis data" * 500)
    because = ON_DATABASE
    one_fault(house, code="database_unreachable", check="database", because=because)


def test_an_archive_that_is_no_folder(house, tmp_path):
    write(tmp_path / "arsip", b"")
    house.set(archive_url=str(tmp_path / "arsip"))
    one_fault(house, code="archive_unwritable", check="archive", subject="arsip")


def test_an_archive_that_another_user_owns():
    """Asked with the rights of the process, whoever runs it."""
    import tempfile

    from service.doctor.place import _may_write

    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o555)
        before = os.geteuid()
        if before == 0:
            os.seteuid(65534)
        try:
            assert not _may_write(Path(folder))
            assert not _may_write(Path(folder) / "arsip")
        finally:
            os.seteuid(before)


@pytest.mark.parametrize(
    ("total", "free", "state"), [(100e9, 0.9e9, "fault"), (100e9, 4.9e9, "warning"), (100e9, 6e9, "ok")]
)
def test_a_disk_that_fills_up(house, monkeypatch, total, free, state):
    room = type("Room", (), {"total": int(total), "free": int(free)})
    monkeypatch.setattr("service.doctor.place.shutil.disk_usage", lambda _: room)
    [disk] = [one for one in house.examine() if one.code.startswith("disk")]
    assert disk.state == state


# offices and place


def test_a_template_that_does_not_compile(house):
    page = house.settings.templates / OFFICE / "sik-perekam-medis" / "permit.typ"
    page.write_text(page.read_text() + "\n#tidak-ada()\n")
    one_fault(house, code="office_fault", check="offices", subject="permit.typ")


def test_a_typing_error_in_an_offices_file(house):
    edit(house.settings.templates / OFFICE / "office.toml", 'year_end = "keep"', 'year_end = "simpan"')
    found = house.examine()
    assert [one[2] for one in faults(found)] == ["office_fault"]
    [line] = [one for one in found if one.state is State.FAULT]
    assert line.subject == "malang/office.toml year_end"


@pytest.mark.parametrize(
    ("url", "state"),
    [("http://izin.example", "fault"), ("http://127.0.0.1:8000", "warning"), ("https://izin.example", "ok")],
)
def test_the_public_address(house, url, state):
    house.set(public_url=url)
    assert [one.state for one in house.examine() if one.check == "public_url"] == [state]
    if state == "fault":
        one_fault(house, code="public_url_plain", check="public_url", subject=url)


def test_time_zones_that_are_missing(house, monkeypatch):
    for name in ("tzdata", "tzdata.zoneinfo", "tzdata.zoneinfo.Asia"):  # whoever imported them before
        monkeypatch.setitem(sys.modules, name, None)
    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        found = house.examine()
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()
    assert faults(found) == [("timezone", "Asia/Jakarta", "timezone_missing")]
    assert {one.code for one in found if one.state is State.UNKNOWN} == {"not_checked"}


# signing processes


def test_no_signing_process_lives(house):
    house.clock.forward(minutes=5)
    one_fault(house, code="signers_none", check="signers")


def test_a_signing_process_that_nobody_pinned(house):
    house.set(pinned_signers="AAAA")
    one_fault(house, code="signers_unpinned", check="signers")


def test_a_host_without_keys_that_pins_another(house, tmp_path):
    """A web host: nothing is missing there."""
    pins = house.settings.pins.read_text().strip()
    (tmp_path / "kosong").mkdir()
    house.settings.identity.unlink()
    given = {"trust": house.keys / "root.pem", "intermediates": house.keys / "issuing.pem"}
    house.set(pinned_signers=pins, keys=tmp_path / "kosong", **given)
    found = house.examine()
    assert faults(found) == []
    assert [one.code for one in found if one.check == "key"] == ["keys_elsewhere"]


@pytest.mark.parametrize("listen", ["127.0.0.1:8000", "[::1]:8000"])
def test_a_proxy_that_nobody_named(house, listen):
    """All visitors would count as neighbours on this machine, whom no limit holds."""
    house.set(trusted_proxies=0, listen=listen)
    assert [(one.state, one.code) for one in house.examine() if one.check == "proxies"] == [
        ("warning", "proxies_untold")
    ]


@pytest.fixture
def printing(house):
    """The house, its office printing QR codes that prove their own data."""
    edit(
        house.settings.templates / OFFICE / "office.toml", "[roles.pemohon]", "[qr]\noffline = true\n\n[roles.pemohon]"
    )
    return house


def test_a_qr_key_that_is_missing(printing):
    one_fault(printing, code="qr_key_missing", check="qr_key", subject=OFFICE)


def test_a_qr_key_that_others_may_read(printing):
    path = qr_keys.file(printing.keys, OFFICE)
    qr_keys.make(printing.keys, OFFICE, SECRET)
    path.chmod(0o644)
    one_fault(printing, code="file_exposed", check="files", subject=str(path))


def test_a_qr_key_under_another_passphrase(printing):
    qr_keys.make(printing.keys, OFFICE, b"lain")
    one_fault(printing, asked=Asked(open_keys=True), code="qr_key_closed", check="qr_key", subject=OFFICE)


def test_a_qr_key_that_was_retired_elsewhere(printing):
    qr_keys.make(printing.keys, OFFICE, SECRET)
    old = qr_keys.file(printing.keys, OFFICE).read_bytes()
    with closing(printing.open()) as teken:
        qr_lists.rotate(teken, OFFICE)
    assert "qr_key_opens" in {one.code for one in printing.examine(Asked(open_keys=True))}
    qr_keys.file(printing.keys, OFFICE).write_bytes(old)
    one_fault(printing, asked=Asked(open_keys=True), code="qr_key_ended", check="qr_key", subject=OFFICE)
