"""Signed requests: changed, copied, late or borrowed ones are refused; the key itself never travels."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from service import client_keys
from service.clients import Scope, add_client
from service.request_signing import header
from tests.web.conftest import OFFICE, open_house

NONCES = (f"nonce-{number:010}" for number in range(10**6))
EVENTS = "/api/v1/events?after=0"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    opened = open_house(tmp_path_factory.mktemp("signed"))
    yield opened
    opened.teken.close()


@pytest.fixture(scope="module")
def signer(house):
    return add_client(house.teken, OFFICE, "Hulu yang menandatangani", must_sign=True)


def ask(house, authorization: str, target: str = EVENTS, method: str = "GET", **rest):
    return house.app.test_client().open(target, method=method, headers={"Authorization": authorization}, **rest)


def signed(house, key: str, target: str = EVENTS, method: str = "GET", body: bytes = b"", *, late=0, nonce=None) -> str:
    at = house.teken.clock.now() + timedelta(seconds=late)
    return header(key, method, target, body, at=at, nonce=nonce or next(NONCES))


def refused(answer) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["type"].rpartition("/")[2]


def test_a_signed_request_is_answered(house, signer):
    assert ask(house, signed(house, signer[1])).status_code == 200


def test_a_signed_case_is_accepted(house, signer):
    body = json.dumps(house.good(upstream_id="TTD-1")).encode()
    target = "/api/v1/cases"
    authorization = signed(house, signer[1], target, "POST", body)
    answer = ask(house, authorization, target, "POST", data=body, content_type="application/json")
    assert answer.status_code == 202, answer.get_json()


@pytest.mark.parametrize("late", [-301, 301, 10**9])
def test_a_stale_one_is_refused(house, signer, late):
    assert refused(ask(house, signed(house, signer[1], late=late))) == (401, "signature_stale")


@pytest.mark.parametrize("late", [-299, 299])
def test_clocks_may_differ_by_some_minutes(house, signer, late):
    assert ask(house, signed(house, signer[1], late=late)).status_code == 200


def test_a_copy_is_refused(house, signer):
    authorization = signed(house, signer[1])
    assert ask(house, authorization).status_code == 200
    assert refused(ask(house, authorization)) == (401, "signature_used")


@pytest.mark.parametrize(
    "change",
    [
        {"target": "/api/v1/events?after=1"},
        {"target": "/api/v1/permits/izn_1"},
        {"method": "POST", "data": b"{}", "content_type": "application/json"},
        {"data": b"x"},
    ],
)
def test_a_changed_one_is_refused(house, signer, change):
    target = change.pop("target", EVENTS) if "method" not in change else "/api/v1/cases"
    authorization = signed(house, signer[1], EVENTS if target != "/api/v1/cases" else target)
    assert refused(ask(house, authorization, target, **change)) == (401, "unauthenticated")


def test_the_body_of_a_case_is_signed(house, signer):
    body, target = json.dumps(house.good(upstream_id="TTD-2")).encode(), "/api/v1/cases"
    authorization = signed(house, signer[1], target, "POST", body)
    other = body.replace(b"TTD-2", b"TTD-3")
    answer = ask(house, authorization, target, "POST", data=other, content_type="application/json")
    assert refused(answer) == (401, "unauthenticated")


def test_whoever_must_sign_may_not_send_the_key(house, signer):
    assert refused(ask(house, f"Bearer {signer[1]}")) == (401, "signature_required")


def test_another_key_signs_nothing_in_its_name(house, signer):
    _, other = add_client(house.teken, "kudus", "Lain")
    forged = signed(house, other).replace(other.partition(".")[0], signer[1].partition(".")[0])
    assert refused(ask(house, forged)) == (401, "unauthenticated")


@pytest.mark.parametrize("text", ["", " Key=a", " Key=a, Timestamp=1, Nonce=short, Signature=" + "0" * 64])
def test_what_is_no_signature_is_no_key(house, text):
    assert refused(ask(house, "TEKEN-HMAC-SHA256" + text)) == (401, "unauthenticated")


def test_a_missing_scope_is_told(house):
    client, key = add_client(house.teken, OFFICE, "Hanya kejadian", scopes=frozenset({Scope.EVENTS}))
    assert ask(house, f"Bearer {key}").status_code == 200
    assert refused(ask(house, f"Bearer {key}", "/api/v1/permits/izn_1")) == (403, "scope_missing")
    answer = ask(house, f"Bearer {key}", "/api/v1/cases", "POST", data=b"{}", content_type="application/json")
    assert refused(answer) == (403, "scope_missing")
    client_keys.revoke(house.teken, client.id)
    assert refused(ask(house, f"Bearer {key}")) == (401, "unauthenticated")


def test_nonces_are_forgotten_once_they_are_of_no_use(house, signer):
    from sqlalchemy import func, select

    from service.store.client_tables import request_nonces

    ask(house, signed(house, signer[1]))
    house.teken.clock.forward(minutes=11)
    assert ask(house, signed(house, signer[1])).status_code == 200
    with house.teken.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(request_nonces)).scalar_one() == 1
