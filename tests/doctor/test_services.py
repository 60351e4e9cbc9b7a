"""BSrE's simulator with its quirks, and a CSC service: reached, known there, in time."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from service.doctor import Asked, State
from tests.doctor.house import ITS_HEAD, SEALLESS, build, faults, states, write
from tests.signing.cscserver import CREDENTIAL, TOKEN, csc_server
from tests.signing.simulated import NIK, playing


@pytest.fixture
def bsre_house(tmp_path, place):
    """An office without a seal whose head signs at BSrE. Its clock is today's, as the service's is."""
    house = build(tmp_path, place, now=datetime.now(UTC), office=SEALLESS, backend="bsre")
    write(tmp_path / "sandi", b"sandi-contoh\n")
    house.set(signing_host=tmp_path / "host.toml")

    def at(url: str, account: str = NIK, password: bytes = b"sandi-contoh\n") -> None:
        write(tmp_path / "sandi", password)
        text = f'[bsre]\nurl = "{url}"\nuser = "contoh"\npassword_file = "sandi"\nseconds = 5\n'
        accounts = f'[bsre.accounts]\n"{ITS_HEAD}" = "{account}"\n' if account else ""
        write(tmp_path / "host.toml", (text + accounts).encode())
        house.clock.at = datetime.now(UTC)  # the service's clock goes on

    house.at = at
    return house


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    """The client waits between tries; here it only says so."""
    monkeypatch.setattr("time.sleep", lambda _: None)


def only(house, code: str, subject: str, check: str = "bsre"):
    found = house.examine()
    assert faults(found) == [(check, subject, code)]
    assert states(found, State.UNKNOWN) == []
    [line] = [one for one in found if one.state is State.FAULT]
    assert NIK not in repr(found)
    return line


def test_bsre_is_well(bsre_house, tmp_path):
    with playing(tmp_path / "bsre") as service:
        bsre_house.at(service.url)
        found = bsre_house.examine()
    assert states(found, State.FAULT, State.UNKNOWN, State.WARNING) == []
    assert ("bsre", ITS_HEAD, "account_active") in states(found, State.OK)
    [clock] = [one for one in found if one.check == "clock"]
    assert service.url in clock.message


def test_bsre_does_not_know_the_signer(bsre_house, tmp_path):
    with playing(tmp_path / "bsre", "not_registered") as service:
        bsre_house.at(service.url)
        only(bsre_house, "account_not_registered", ITS_HEAD)


def test_the_signers_certificate_at_bsre_has_expired(bsre_house, tmp_path):
    with playing(tmp_path / "bsre") as service:
        bsre_house.at(service.url, account="0000000000000003")
        only(bsre_house, "account_expired", ITS_HEAD)


def test_bsre_is_busy_each_time(bsre_house, tmp_path):
    with playing(tmp_path / "bsre", "unavailable=9") as service:
        bsre_house.at(service.url)
        only(bsre_house, "service_busy", service.url)


def test_bsre_that_is_busy_once_is_well(bsre_house, tmp_path):
    with playing(tmp_path / "bsre", "unavailable=1") as service:
        bsre_house.at(service.url)
        assert faults(bsre_house.examine()) == []


def test_bsre_refuses_our_login(bsre_house, tmp_path):
    with playing(tmp_path / "bsre") as service:
        bsre_house.at(service.url, password=b"sandi-lama\n")
        line = only(bsre_house, "login_refused", service.url)
    assert "sandi-lama" not in repr(line)


def test_bsre_is_away(bsre_house):
    bsre_house.at("http://127.0.0.1:9")
    only(bsre_house, "service_unreachable", "http://127.0.0.1:9")


def test_bsres_clock_is_six_minutes_off_while_others_agree_with_ours(bsre_house, tmp_path):
    with playing(tmp_path / "bsre", "clock_off=6") as service:
        bsre_house.at(service.url)
        line = only(bsre_house, "clock_differs", service.url, check="clock")
    assert "6 menit lebih cepat" in line.message


def test_our_clock_is_six_minutes_off_by_all_others(bsre_house, tmp_path):
    from datetime import timedelta

    bsre_house.stamps_at = timedelta(minutes=6)
    with playing(tmp_path / "bsre", "clock_off=6") as service:
        bsre_house.at(service.url)
        line = only(bsre_house, "clock_off", "host", check="clock")
    assert "6 menit lebih lambat" in line.message
    assert service.url in line.message


def test_a_passphrase_is_not_tried_where_only_signing_tries_it(bsre_house, tmp_path):
    with playing(tmp_path / "bsre") as service:
        bsre_house.at(service.url)
        found = bsre_house.examine(Asked(False, ITS_HEAD, bytearray(b"frasa-contoh-satu")))
    assert states(found, State.FAULT, State.UNKNOWN) == []
    assert ("official", ITS_HEAD, "passphrase_not_tried") in states(found, State.WARNING)
    assert service.requests("sign/pdf") == 0


def test_an_official_without_an_account_in_the_file(bsre_house, tmp_path):
    with playing(tmp_path / "bsre") as service:
        bsre_house.at(service.url, account="")
        only(bsre_house, "account_missing", ITS_HEAD)


def test_a_host_file_that_others_can_read(bsre_house, tmp_path):
    bsre_house.at("http://127.0.0.1:9")
    (tmp_path / "host.toml").chmod(0o644)
    found = bsre_house.examine()
    assert faults(found) == [("host", str(tmp_path / "host.toml"), "host_invalid")]
    assert {one[0] for one in states(found, State.UNKNOWN)} == {"bsre"}
    [line] = [one for one in found if one.state is State.FAULT]
    assert "terbaca oleh pengguna lain; beri hak 0600." in line.message


def test_a_back_end_that_is_not_set_up(bsre_house):
    bsre_house.set(signing_host=None)
    only(bsre_house, "backend_not_set_up", "bsre")


# CSC


@pytest.fixture
def csc_house(tmp_path, place):
    """The head's credential is at a CSC service; the seal's key is a file."""
    house = build(tmp_path, place, now=datetime.now(UTC), office=SEALLESS, backend="csc")
    pki = tmp_path / "csc"
    pki.mkdir()
    for name in ("p12", "cert.pem"):
        (house.keys / f"rokan-hilir.kadis.{name}").rename(pki / f"kepala.{name}")
    (pki / "passphrase").write_bytes((house.keys / "passphrase").read_bytes())
    house.csc = SimpleNamespace(folder=pki, anchor=house.pki.root.der)
    house.set(signing_host=tmp_path / "host.toml")

    def at(url: str, credential: str = CREDENTIAL, token: str = TOKEN) -> None:
        write(tmp_path / "token", token.encode())
        text = f'[csc]\nurl = "{url}"\ntoken_file = "token"\nseconds = 5\n[csc.credentials]\n'
        write(tmp_path / "host.toml", (text + (f'"{ITS_HEAD}" = "{credential}"\n' if credential else "")).encode())

    house.at = at
    return house


def test_csc_is_well_and_no_pin_goes_there(csc_house):
    with csc_server(csc_house.csc) as server:
        csc_house.at(server.url)
        found = csc_house.examine()
    assert states(found, State.FAULT, State.UNKNOWN, State.WARNING) == []
    assert ("csc", ITS_HEAD, "credential_fine") in states(found, State.OK)
    assert server.calls == ["credentials/info"]


def test_csc_does_not_know_the_credential(csc_house):
    with csc_server(csc_house.csc) as server:
        csc_house.at(server.url, credential="orang-lain")
        only(csc_house, "credential_unknown", ITS_HEAD, check="csc")


def test_csc_refuses_our_token(csc_house):
    with csc_server(csc_house.csc) as server:
        csc_house.at(server.url, token="token-lama")
        only(csc_house, "login_refused", server.url, check="csc")


def test_csc_has_disabled_the_credential(csc_house):
    with csc_server(csc_house.csc, "disabled") as server:
        csc_house.at(server.url)
        only(csc_house, "account_inactive", ITS_HEAD, check="csc")


def test_csc_is_away(csc_house):
    csc_house.at("http://127.0.0.1:9")
    only(csc_house, "service_unreachable", "http://127.0.0.1:9", check="csc")


def test_csc_holds_another_certificate_than_the_enrolled_one(csc_house):
    csc_house.only_enrolled(ITS_HEAD, csc_house.certify("kadis"))
    with csc_server(csc_house.csc) as server:
        csc_house.at(server.url)
        only(csc_house, "key_differs", ITS_HEAD, check="csc")


def test_a_credential_that_is_not_in_the_file(csc_house):
    with csc_server(csc_house.csc) as server:
        csc_house.at(server.url, credential="")
        only(csc_house, "credential_missing", ITS_HEAD, check="csc")
