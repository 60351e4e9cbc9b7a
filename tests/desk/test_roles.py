"""Choosing a role without a password: there in a rehearsal on this machine, and nowhere else."""

from __future__ import annotations

import pytest

from service.app import create_app
from service.clock import SetClock
from service.settings import Settings, SettingsInvalid
from tests.desk.people import Desk
from tests.support.office import NOW, open_office


def test_an_office_has_no_such_page(desk):
    guest = desk.stranger()
    for method in ("get", "post"):
        getattr(guest, method)("/meja/peran")
        assert guest.status == 404
    guest.post("/meja/peran", {"account": "acc_rokan-hilir_kadis"})
    guest.get("/meja/")
    assert guest.status == 303


def test_a_visitor_is_whoever_he_chooses(tmp_path, keys):
    teken = open_office(tmp_path, keys, development_login=True)
    desk = Desk(teken, SetClock(NOW), create_app(teken))
    guest = desk.stranger()
    guest.get("/meja/peran")
    assert "Ratna Wulandari" in guest.text
    guest.post("/meja/peran", {"account": "acc_rokan-hilir_kadis"})
    guest.get("/meja/")
    assert (guest.status, "Kepala Dinas" in guest.text) == (200, True)
    teken.close()


@pytest.mark.parametrize(
    "where",
    [
        {"TEKEN_LISTEN": "0.0.0.0:8000"},
        {"TEKEN_PUBLIC_URL": "https://izin.contoh.example"},
        {"TEKEN_LISTEN": "192.0.2.1:80", "TEKEN_PUBLIC_URL": "http://127.0.0.1"},
    ],
)
def test_it_is_refused_where_others_could_reach_it(where):
    with pytest.raises(SettingsInvalid, match="this machine"):
        Settings.from_environment({"TEKEN_DEVELOPMENT_LOGIN": "1", **where})
    assert Settings.from_environment({"TEKEN_DEVELOPMENT_LOGIN": "1"}).development_login
