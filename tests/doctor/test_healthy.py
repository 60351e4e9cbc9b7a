"""What is well is said to be well: an office with everything in its place, and the development set-up of all offices."""

from __future__ import annotations

from service import signers
from service.doctor import CHECKS, State, examine
from service.settings import PROJECT
from tests.doctor.house import faults, states
from tests.support.office import NOW, SetClock, open_office


def test_a_house_that_is_well_has_not_even_a_warning(house):
    found = house.examine()
    assert states(found, State.FAULT, State.UNKNOWN, State.WARNING) == []
    assert all(not one.remedy for one in found)


def test_the_development_set_up_of_all_offices(tmp_path, keys):
    """After `make certs` and with `make run` running: four warnings that say what it is, and nothing wrong."""
    teken = open_office(tmp_path / "home", keys)
    with teken.db.write() as connection:
        signers.announce(connection, teken.custody.announcement(NOW))
    settings = teken.settings
    teken.close()
    found = list(examine(settings, clock=SetClock(NOW)))
    assert faults(found) == []
    assert [one[2] for one in states(found, State.WARNING, State.UNKNOWN)] == [
        "proxies_untold",
        "data_keys_beside",
        "anchors_development",
        "clock_unchecked",
    ]
    heads = {one.subject for one in found if one.check == "mandate"}
    offices = {path.parent.name for path in (PROJECT / "templates").glob("*/office.toml")}
    assert {one.partition("/")[0] for one in heads} == offices


def test_a_check_that_breaks_is_told_and_stops_no_other(house, monkeypatch):
    monkeypatch.setattr("service.doctor.place.shutil.disk_usage", lambda _: 1 / 0)
    found = house.examine()
    assert states(found, State.FAULT, State.UNKNOWN) == [("archive", "", "check_failed")]
    assert "ZeroDivisionError" in next(one.message for one in found if one.code == "check_failed")
    told = {one.check for one in found}
    assert {one.name for one in CHECKS} - told == {
        "postgresql",
        "host",
        "official",
        "qr_key",
        "token",
        "csc",
        "bsre",
    }  # nobody signs there
