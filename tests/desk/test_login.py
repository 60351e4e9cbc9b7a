"""Logging in: two factors, nothing that tells a guesser anything, sessions that end, and a lock-out that nobody can turn on others."""

from __future__ import annotations

import re

import pyotp
import pytest
from sqlalchemy import select

from service.clock import SetClock
from service.desk import accounts
from service.errors import Invalid
from service.store.desk_tables import accounts as table
from service.store.desk_tables import desk_log, failures
from service.store.desk_tables import sessions as stored
from service.web.desk.routing import WHO
from tests.desk.people import PASSWORD
from tests.desk.racing import at_once

OFFICE = "rokan-hilir"


def test_an_invitation_leads_to_the_inbox(desk):
    _, code = accounts.create(desk.teken, OFFICE, "kadis", official=f"{OFFICE}/kadis")
    guest = desk.stranger()
    guest.get(f"/meja/undangan/{code}")
    assert "Selamat datang, Ratna Wulandari" in guest.text
    secret = guest.page.split('name="secret" value="')[1].split('"')[0]
    shown = pyotp.TOTP(secret).at(desk.clock.now())
    guest.post(f"/meja/undangan/{code}", {"password": PASSWORD, "secret": secret, "code": shown})
    assert (guest.status, guest.headers["Location"]) == (303, "/meja/")
    assert "Tidak ada yang menunggu Anda" in (guest.get("/meja/") and guest.text)
    guest.get(f"/meja/undangan/{code}")
    assert guest.status == 404, "an invitation works once"


@pytest.mark.parametrize(("password", "fault"), [("pendek", "password_length"), ("aaaaaaaaaaaaaaaa", "password_plain")])
def test_a_weak_password_is_refused(desk, password, fault):
    _, code = accounts.create(desk.teken, OFFICE, "kadis", official=f"{OFFICE}/kadis")
    secret = accounts.fresh_secret()
    shown = pyotp.TOTP(secret).at(desk.clock.now())
    with pytest.raises(Invalid) as refused:
        accounts.accept_invitation(desk.teken, code, password=password, secret=secret, shown=shown)
    assert [one.code for one in refused.value.faults] == [fault]


def test_password_and_code_are_both_needed(desk):
    person = desk.employ(OFFICE, "kadis")
    person.get("/meja/masuk")
    person.post("/meja/masuk", {"login": person.login, "password": PASSWORD})
    assert person.status == 303
    person.get("/meja/")
    assert (person.status, person.headers["Location"].split("?")[0]) == (303, "/meja/masuk"), "half logged in is not in"
    person.get("/meja/masuk/kode")
    person.post("/meja/masuk/kode", {"code": "000000"})
    assert person.status == 401
    person.post("/meja/masuk/kode", {"code": person.code()})
    assert person.status == 303
    person.get("/meja/")
    assert person.status == 200


def test_a_code_counts_once(desk):
    person = desk.employ(OFFICE, "kadis")
    code = person.code()
    for expected in (303, 401):
        person.browser = desk.app.test_client()
        person.get("/meja/masuk")
        person.post("/meja/masuk", {"login": person.login, "password": PASSWORD})
        person.get("/meja/masuk/kode")
        person.post("/meja/masuk/kode", {"code": code})
        assert person.status == expected


def test_an_invitation_that_two_use_at_once_is_one_accounts_beginning(each_desk):
    teken = each_desk.teken
    _, code = accounts.create(teken, OFFICE, "kadis", official=f"{OFFICE}/kadis")
    secrets = [accounts.fresh_secret() for _ in range(2)]
    shown = [pyotp.TOTP(one).at(each_desk.clock.now()) for one in secrets]
    answers = at_once(
        *(
            lambda secret=secret, shown=shown: accounts.accept_invitation(
                teken, code, password=PASSWORD, secret=secret, shown=shown
            )
            for secret, shown in zip(secrets, shown, strict=True)
        )
    )
    assert [type(one) for one in answers].count(accounts.InvitationOver) == 1


def test_unknown_login_and_wrong_password_look_the_same(desk):
    person = desk.employ(OFFICE, "kadis")
    texts = set()
    for login in (person.login, "tidak.ada"):
        guest = desk.stranger()
        guest.get("/meja/masuk")
        guest.post("/meja/masuk", {"login": login, "password": "salah sama sekali"})
        assert guest.status == 401
        texts.add(guest.text)
    assert len(texts) == 1


def test_the_session_gets_a_new_name_when_it_becomes_strong(desk):
    person = desk.employ(OFFICE, "kadis")
    person.get("/meja/masuk")
    person.post("/meja/masuk", {"login": person.login, "password": PASSWORD})
    before = person.headers["Set-Cookie"]
    person.get("/meja/masuk/kode")
    person.post("/meja/masuk/kode", {"code": person.code()})
    assert person.headers["Set-Cookie"].split(";")[0] != before.split(";")[0]
    assert {"HttpOnly", "SameSite=Strict"} <= {part.strip() for part in person.headers["Set-Cookie"].split(";")}
    with desk.teken.db.read() as connection:
        assert len(connection.execute(select(stored)).all()) == 1, "the half session is gone"


def test_over_https_cookies_are_host_cookies(desk):
    person = desk.employ(OFFICE, "kadis")
    person.get("/meja/masuk", base_url="https://localhost")
    person.post("/meja/masuk", {"login": person.login, "password": PASSWORD}, base_url="https://localhost")
    cookie = person.headers["Set-Cookie"]
    assert cookie.startswith("__Host-teken_meja=")
    assert "Secure" in cookie


@pytest.mark.parametrize(("pause", "status"), [({"minutes": 29}, 200), ({"minutes": 31}, 303), ({"hours": 13}, 303)])
def test_an_idle_session_ends(desk, pause, status):
    person = desk.at_work(OFFICE, "kadis")
    desk.clock.forward(**pause)
    person.get("/meja/")
    assert person.status == status


def test_a_session_that_is_used_all_day_ends_too(desk):
    person = desk.at_work(OFFICE, "kadis")
    for _ in range(12 * 3):
        desk.clock.forward(minutes=20)
        person.get("/meja/")
    assert person.status == 303


def test_logging_out_ends_the_session_for_every_copy_of_the_cookie(desk):
    person = desk.at_work(OFFICE, "kadis")
    thief = desk.app.test_client()
    copied = person.browser.get_cookie("teken_meja").value
    thief.set_cookie("teken_meja", copied)
    assert thief.get("/meja/").status_code == 200
    person.post("/meja/keluar")
    assert thief.get("/meja/").status_code == 303


@pytest.mark.parametrize("act", ["disable_in", "invite_again_in"])
def test_taking_an_account_away_ends_its_sessions_at_once(desk, act):
    person = desk.at_work(OFFICE, "kadis")
    with desk.teken.db.read() as connection:
        account = connection.execute(select(table.c.id)).scalar_one()
    with desk.teken.db.write() as connection:
        getattr(accounts, act)(desk.teken, connection, account, by="operator")
    person.get("/meja/")
    assert person.status == 303
    person.log_in()
    assert person.status == 401


def test_guessing_is_slowed_down_and_the_owner_still_gets_in(desk):
    """The owner's phone logged in before: strangers who guess at his account can't lock it."""
    owner = desk.at_work(OFFICE, "kadis")
    owner.post("/meja/keluar")
    guesser, seen = desk.stranger(), []
    for _ in range(60):
        guesser.get("/meja/masuk")
        guesser.post("/meja/masuk", {"login": owner.login, "password": "coba-coba saja"})
        seen.append(guesser.status)
    assert seen[:5] == [401] * 5
    assert set(seen[5:]) == {429}
    assert int(guesser.headers["Retry-After"]) > 0
    owner.log_in()
    assert owner.status == 200


def test_guessing_from_many_places_is_slowed_down_too(desk):
    person = desk.employ(OFFICE, "kadis")
    statuses = []
    for number in range(40):
        guest = desk.stranger()
        address = {"REMOTE_ADDR": f"203.0.113.{number}"}
        guest.get("/meja/masuk")
        guest.post("/meja/masuk", {"login": person.login, "password": "coba-coba saja"}, environ_base=address)
        statuses.append(guest.status)
    assert statuses.count(401) == 20


def test_codes_are_not_guessed_either(desk):
    person = desk.employ(OFFICE, "kadis")
    statuses = []
    for _ in range(12):
        person.get("/meja/masuk")
        person.post("/meja/masuk", {"login": person.login, "password": PASSWORD})
        if person.status != 303:
            statuses.append(person.status)
            continue
        person.get("/meja/masuk/kode")
        person.post("/meja/masuk/kode", {"code": "123456"})
        statuses.append(person.status)
    assert statuses.count(401) == 5
    assert statuses[-1] == 429


def test_a_form_of_another_site_or_session_is_refused(desk):
    person = desk.at_work(OFFICE, "kadis")
    for csrf, headers in (("", {}), ("x" * 32, {}), (None, {"Sec-Fetch-Site": "cross-site"})):
        person.post("/meja/keluar", csrf=csrf, headers=headers)
        assert person.status == 403
    person.get("/meja/")
    assert person.status == 200, "still logged in"


def test_going_on_never_leads_to_another_site(desk):
    person = desk.at_work(OFFICE, "kadis")
    for address in ("https://jahat.example/", "//jahat.example", "/meja/..//jahat.example", "\\\\jahat.example"):
        person.get("/meja/masuk", query_string={"lanjut": address})
        assert person.headers["Location"] == "/meja/"


def test_every_route_says_who_may_use_it(desk):
    routes = [rule.endpoint for rule in desk.app.url_map.iter_rules() if rule.endpoint.startswith("desk.")]
    assert set(routes) == set(WHO)
    assert len(routes) > 5


def test_whoever_is_not_logged_in_sees_only_the_door(desk):
    guest = desk.stranger()
    for rule in desk.app.url_map.iter_rules():
        if not rule.endpoint.startswith("desk.") or WHO[rule.endpoint].anyone:
            continue
        path = re.sub(r"<int:\w+>", "1", rule.rule).replace("<", "").replace(">", "")
        for method in rule.methods & {"GET", "POST"}:
            response = guest.browser.open(path, method=method)
            assert response.status_code in {303, 403}, path
            assert response.status_code == 403 or response.headers["Location"].startswith("/meja/masuk")


def test_what_is_stored_tells_neither_password_nor_secret_nor_who_failed(desk):
    person = desk.at_work(OFFICE, "kadis")
    guest = desk.stranger()
    guest.get("/meja/masuk")
    guest.post("/meja/masuk", {"login": person.login, "password": "salah sama sekali"})
    with desk.teken.db.read() as connection:
        everything = repr([connection.execute(select(one)).all() for one in (table, stored, failures, desk_log)])
    assert PASSWORD not in everything
    assert person.secret not in everything
    assert person.browser.get_cookie("teken_meja").value not in everything
    with desk.teken.db.read() as connection:
        assert person.login not in repr(connection.execute(select(failures)).all())


def test_the_log_knows_who_came_and_who_was_refused(desk):
    person = desk.at_work(OFFICE, "kadis")
    person.post("/meja/keluar", csrf="x")
    with desk.teken.db.read() as connection:
        lines = [(one.action, one.outcome) for one in connection.execute(select(desk_log)).all()]
    assert ("session.started", "ok") in lines
    assert ("logout", "form_outdated") in lines


def test_a_secret_of_one_account_opens_nothing_of_another(desk):
    key = accounts.desk_key(desk.teken)
    sealed = key.seal("JBSWY3DP", "acc_a")
    assert key.open(sealed, "acc_a") == "JBSWY3DP"
    assert key.open(sealed, "acc_b") is None
    assert (desk.teken.settings.home / "desk.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("proxies", "believed"), [(0, False), (1, True)])
def test_a_proxy_is_believed_only_if_it_is_ours(tmp_path, keys, proxies, believed):
    from service.app import create_app
    from tests.desk.people import Desk
    from tests.support.office import NOW, open_office

    teken = open_office(tmp_path, keys, trusted_proxies=proxies)
    desk = Desk(teken, SetClock(NOW), create_app(teken))
    person = desk.employ(OFFICE, "kadis")
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    person.get("/meja/masuk", headers=told)
    person.post("/meja/masuk", {"login": person.login, "password": PASSWORD}, headers=told)
    assert person.headers["Set-Cookie"].startswith("__Host-") is believed
    teken.close()


def test_passwords_are_hashed_as_rfc_9106_recommends(quick_hashes):
    """Its second choice, for where memory is scarce: 64 MiB, three passes, four lanes, argon2id."""
    measure = quick_hashes
    assert (measure.memory_cost, measure.time_cost, measure.parallelism) == (65536, 3, 4)
    assert measure.type.name == "ID"
