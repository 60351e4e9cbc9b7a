"""Who asks too often waits; nobody else does, and the answer tells nothing of codes."""

from __future__ import annotations

import pytest

from service.app import create_app
from service.codes import CODE_LENGTH, crockford
from service.settings import Settings, SettingsInvalid
from service.web import limits
from service.web.limits import NETWORK
from service.web.sources import UNREADABLE, source
from tests.support.office import open_office

MANY = 4
"""A day: a window that ends while the test runs would let one more through."""
LIMITS = {"limit_lookups": f"{MANY}/day", "trusted_proxies": 1}


@pytest.fixture
def ask(tmp_path, keys):
    opened = []

    def start(**settings):
        teken = open_office(tmp_path, keys, **{**LIMITS, **settings})
        opened.append(teken)
        browser = create_app(teken).test_client()

        def get(path=None, *, ip=None, remote="127.0.0.1", **rest):
            headers = {"X-Forwarded-For": ip} if ip else {}
            return browser.get(
                path or f"/V/{crockford(CODE_LENGTH)}", headers=headers, environ_base={"REMOTE_ADDR": remote}, **rest
            )

        return get

    yield start
    for teken in opened:
        teken.close()


def statuses(get, ips, **rest):
    return [get(ip=ip, **rest).status_code for ip in ips]


def test_one_address_waits_and_its_neighbour_does_not(ask):
    get = ask()
    assert statuses(get, ["203.0.113.7"] * (MANY + 1)) == [404] * MANY + [429]
    assert get(ip="203.0.113.8").status_code == 404
    refused = get(ip="203.0.113.7", path="/api/v1/verify/0")
    assert refused.status_code == 429
    assert refused.mimetype == "application/problem+json"
    assert refused.json["type"] == "/problems/too_many_checks"
    assert 0 < int(refused.headers["Retry-After"]) <= 2 * 86400
    page = get(ip="203.0.113.7", path="/V/x")
    assert (page.status_code, "Set-Cookie" in page.headers) == (429, False)
    assert get(ip="203.0.113.7", path="/V?kode=x").status_code == 303  # sent on, and counted there


def test_the_form_and_the_front_page_are_not_counted(ask):
    get = ask()
    assert {get(ip="203.0.113.7", path=path).status_code for path in ["/", "/V", "/v"] * 5} == {200}


def test_whoever_is_over_his_own_limit_shuts_nobody_of_his_network_out(ask):
    get = ask()
    for _ in range(MANY * NETWORK * 2):
        get(ip="203.0.113.7")
    assert get(ip="203.0.113.8").status_code == 404


def test_a_network_has_a_limit_of_its_own(ask):
    get = ask()
    answered = statuses(get, [f"203.0.113.{n}" for n in range(1, MANY * NETWORK + 3)])
    assert answered == [404] * MANY * NETWORK + [429] * 2
    assert get(ip="203.0.114.1").status_code == 404


def test_addresses_of_one_household_are_one(ask):
    get = ask()
    assert statuses(get, [f"2001:db8:1:2::{n:x}" for n in range(MANY + 1)])[-1] == 429
    assert get(ip="2001:db8:1:3::1").status_code == 404


def test_known_and_unknown_codes_count_the_same(world, browse):
    """A limit that counted misses only would tell hits apart."""
    browser = browse(settings=world.teken.settings.model_copy(update=LIMITS))
    codes = [world["malang"].code, crockford(CODE_LENGTH), "x", world["kudus"].code, world["malang"].code]
    headers = {"X-Forwarded-For": "203.0.113.7"}
    assert [browser.get(f"/V/{code}", headers=headers).status_code for code in codes] == [200, 404, 404, 200, 429]


def test_what_strangers_forge_is_not_believed(ask):
    """Behind one proxy only the last entry is the proxy's own word."""
    get = ask()
    forged = [f"198.51.100.{n}, 203.0.113.7" for n in range(MANY + 1)]
    assert statuses(get, forged)[-1] == 429
    assert get(ip="203.0.113.7, 198.51.100.1").status_code == 404


def test_without_proxies_no_header_is_believed(ask):
    get = ask(trusted_proxies=0)
    assert statuses(get, [f"198.51.100.{n}" for n in range(MANY + 1)], remote="203.0.113.7")[-1] == 429


def test_behind_two_proxies_the_second_last_counts(ask):
    get = ask(trusted_proxies=2)
    chain = [f"198.51.100.{n}, 203.0.113.7, 10.0.0.1" for n in range(MANY + 1)]
    assert statuses(get, chain)[-1] == 429
    assert get(ip="203.0.113.8, 10.0.0.1").status_code == 404


def test_made_up_addresses_share_one_count(ask):
    get = ask()
    assert statuses(get, [f"garbage-{n}" for n in range(MANY + 1)])[-1] == 429


def test_this_machine_itself_is_not_limited(ask):
    """Behind a proxy that nobody told us of, everybody would be one."""
    get = ask(trusted_proxies=0)
    assert set(statuses(get, [None] * MANY * 3)) == {404}


def test_processes_count_together_in_redis(ask, redis_server, monkeypatch):
    monkeypatch.setattr(limits, "WAIT_SECONDS", 60)  # or a moment's pause has a process count alone
    redis_server.forget()
    first, second = ask(redis_url=redis_server.url), ask(redis_url=redis_server.url)
    answered = [get(ip="203.0.113.7").status_code for get in (first, second, first, second, first)]
    assert answered == [404] * MANY + [429]
    kept = redis_server.client().keys("*limit*")
    assert kept
    assert not [key for key in kept if b"203.0.113" in key]


def test_a_redis_that_is_away_silences_nothing(ask):
    """Each process counts alone meanwhile."""
    get = ask(redis_url="redis://127.0.0.1:1/0")
    assert statuses(get, ["203.0.113.7"] * (MANY + 1)) == [404] * MANY + [429]


@pytest.mark.parametrize(
    ("remote", "address", "network"),
    [
        ("203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("203.0.113.7:4711", "203.0.113.7/32", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("[2001:db8:1:2:3::4]:4711", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
    ],
)
def test_addresses_as_proxies_write_them(remote, address, network):
    found = source(remote)
    assert (found.address, found.network, found.local) == (address, network, False)


@pytest.mark.parametrize(
    "remote", ["x", "1.2.3", "1.2.3.4.5", "[", "[]", "[x]:1", "1.2.3.4:x", "::1::", "٣.1.1.1", "9" * 5000]
)
def test_addresses_that_are_none(remote):
    assert source(remote) == UNREADABLE


@pytest.mark.parametrize("remote", ["", None, "127.0.0.1", "::1", "127.8.8.8:1", "::ffff:127.0.0.1"])
def test_this_machine(remote):
    assert source(remote).local


@pytest.mark.parametrize("wrong", ["often", "0/minute", "-1/minute", "5", "5/fortnight"])
def test_a_limit_that_is_none_refuses_to_start(wrong):
    with pytest.raises(SettingsInvalid, match="TEKEN_LIMIT_LOOKUPS"):
        Settings.from_environment({"TEKEN_LIMIT_LOOKUPS": wrong})


def test_no_limit_is_a_choice(ask):
    get = ask(limit_lookups="")
    assert set(statuses(get, ["203.0.113.7"] * 90)) == {404}
