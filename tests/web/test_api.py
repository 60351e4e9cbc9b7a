from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
from sqlalchemy import select

from service import clients, intake, queries
from service.errors import Busy, IdempotencyRunning, TooMany
from service.store import StoreBusy
from service.store.tables import revisions
from tests.web.conftest import OFFICE, TYPE, WITH_PHOTO


def post(house, body=None, **rest):
    return house.ask("POST", "/api/v1/cases", json=body or house.good(), **rest)


def test_a_case_is_accepted_and_found_again(house):
    answer = post(house)
    said = answer.get_json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == said["url"] == f"/api/v1/permits/{said['id']}"
    assert said["upstream_id"] == "RV-2026-001234"
    assert (said["revision"], said["warnings"]) == (1, [])
    permit = house.ask("GET", said["url"]).get_json()
    assert (permit["id"], permit["office"], permit["type"], permit["number"]) == (said["id"], OFFICE, TYPE, None)


def test_every_type_takes_its_own_example(house):
    for permit_type in house.teken.offices:
        answer = post(house, house.good(permit_type.office, permit_type.code), office=permit_type.office)
        if answer.status_code == 409:  # one client, one upstream_id: an office's second type needs its own
            body = house.good(permit_type.office, permit_type.code, upstream_id="RV-2")
            answer = post(house, body, office=permit_type.office)
        assert answer.status_code == 202, answer.get_json()


def test_the_same_case_is_the_same_permit_however_it_is_written(house):
    first = post(house).get_json()
    body = json.dumps(dict(reversed(house.good().items())), indent=3, ensure_ascii=True)
    again = house.ask("POST", "/api/v1/cases", data=body, headers={"Content-Type": "application/json"}).get_json()
    assert again["id"] == first["id"]
    assert house.rows()["permits"] == 1


def test_other_content_is_a_conflict_that_says_what_to_do(house):
    post(house)
    body = house.good()
    body["practice"]["nama"] = "Klinik Contoh"
    answer = post(house, body)
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/case_differs")
    assert "upstream_id" in answer.get_json()["detail"]


def test_idempotency_key(house):
    headers = {"Idempotency-Key": "RV-2026-001234-terbit"}
    first = post(house, headers=headers)
    assert "Idempotency-Replayed" not in first.headers
    again = post(house, headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.get_json()) == (202, first.get_json())
    other = post(house, house.good(upstream_id="RV-2"), headers=headers)
    assert (other.status_code, other.get_json()["type"]) == (422, "/problems/idempotency_mismatch")
    assert house.rows()["permits"] == 1


def test_a_refused_body_does_not_use_up_its_key(house):
    headers = {"Idempotency-Key": "k"}
    assert post(house, house.good(request_kind="?"), headers=headers).status_code == 422
    assert post(house, headers=headers).status_code == 202


def test_warnings_are_told_in_words(house):
    body = house.good()
    body["str"]["masa_berlaku"] = "2026-12-20"
    (warning,) = post(house, body).get_json()["warnings"]
    assert warning == {"pointer": "/str/masa_berlaku", "code": "str_ends_soon", "detail": "STR berakhir dalam 30 hari"}


@pytest.mark.parametrize(
    "text", ["{{7*7}}", "{0.__class__}", '#read("/etc/passwd")', "<script>alert(1)</script>", "%s $(id)", "O'Neil; --"]
)
def test_template_syntax_is_accepted_as_the_text_that_it_is(house, text):
    body = house.good()
    body["applicant"]["nama"] = f"Siti {text}"
    answer = post(house, body)
    assert answer.status_code == 202
    with house.teken.db.read() as connection:
        kept = connection.execute(select(revisions.c.body)).scalar_one()
    assert json.loads(kept)["applicant"]["nama"] == f"Siti {text}"


def test_strangers_see_nothing(house):
    """Alice's permit does not exist for Bob, a client of the same office, nor for Charlie of another."""
    mine = post(house).get_json()["url"]
    _, bob = clients.add_client(house.teken, OFFICE, "Aplikasi lain")
    for key in (bob, house.keys["malang"]):
        headers = {"Authorization": f"Bearer {key}"}
        for path in (mine, f"{mine}/document"):
            assert house.ask("GET", path, headers=headers).status_code == 404
        answer = house.ask("POST", f"{mine}/withdraw", json={"reason": "x"}, headers=headers)
        assert answer.status_code == 404
        assert house.ask("GET", "/api/v1/events", headers=headers).get_json() == {"events": [], "next": 0}


def test_withdraw_and_events(house):
    url = post(house).get_json()["url"]
    answer = house.ask("POST", f"{url}/withdraw", json={"reason": "Salah kirim"})
    assert (answer.status_code, answer.get_json()["state"]) == (200, "closed")
    feed = house.ask("GET", "/api/v1/events?limit=1").get_json()
    assert [event["type"] for event in feed["events"]] == ["case.accepted"]
    rest = house.ask("GET", f"/api/v1/events?after={feed['next']}").get_json()
    assert [event["type"] for event in rest["events"]] == ["permit.withdrawn"]


def test_no_document_before_issue(house):
    url = post(house).get_json()["url"]
    answer = house.ask("GET", f"{url}/document")
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/not_issued")


def test_the_document_is_exactly_what_is_stored(house, monkeypatch):
    pdf = b"%PDF-1.7 stored"
    document = queries.Document(pdf, hashlib.sha256(pdf).hexdigest(), "izin-izn_1.pdf")
    monkeypatch.setattr(queries, "document", lambda *_: document)
    answer = house.ask("GET", "/api/v1/permits/izn_1/document")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "application/pdf", pdf)
    assert answer.headers["ETag"] == f'"{document.sha256}"'
    assert answer.headers["Content-Disposition"] == 'attachment; filename="izin-izn_1.pdf"'


def test_schema_is_open_to_all(house):
    answer = house.ask("GET", f"/api/v1/offices/{OFFICE}/types/{TYPE}/schema", headers={"Authorization": None})
    assert answer.mimetype == "application/schema+json"
    assert answer.get_json()["properties"]["office"] == {"const": OFFICE}


@pytest.mark.parametrize(
    ("error", "status", "code", "after"),
    [
        (Busy(retry_after=9), 503, "busy", "9"),
        (StoreBusy("OperationalError"), 503, "busy", "5"),
        (TooMany(retry_after=30), 429, "too_many", "30"),
        (TooMany(), 429, "too_many", "60"),
        (IdempotencyRunning(), 409, "idempotency_running", None),
        (RuntimeError("NIK 1407014101970001 of Siti"), 500, "internal", None),
    ],
)
def test_errors_of_the_core(house, monkeypatch, capsys, error, status, code, after):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(intake, "accept", fail)
    answer = post(house)
    assert (answer.status_code, answer.get_json()["type"]) == (status, f"/problems/{code}")
    assert answer.headers.get("Retry-After") == after
    logged = "".join(capsys.readouterr())
    for secret in ("1407014101970001", "Siti"):
        assert secret not in answer.get_data(as_text=True) + logged
    if status == 500:
        assert answer.get_json()["request_id"] in logged


def test_readiness_says_what_fails(house, monkeypatch):
    assert house.ask("GET", "/readyz").get_json() == {"status": "ok", "checks": {"database": True, "archive": True}}
    monkeypatch.setattr(queries, "ready", lambda _: {"database": True, "archive": False})
    answer = house.ask("GET", "/readyz")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.get_json()["checks"] == {"database": True, "archive": False}
    assert house.ask("GET", "/healthz").status_code == 200


def test_language_follows_the_asker(shared_house):
    ask = shared_house.ask
    for header, language, title in (
        ({}, "id", "Tidak ditemukan"),
        ({"Accept-Language": "en-GB,en;q=0.9,id;q=0.1"}, "en", "Not found"),
        ({"Accept-Language": "fr"}, "id", "Tidak ditemukan"),
        ({"Accept-Language": "id,en;q=0.9"}, "id", "Tidak ditemukan"),
        ({"Accept-Language": ";;;=,"}, "id", "Tidak ditemukan"),
    ):
        answer = ask("GET", "/nothing", headers=header)
        assert (answer.headers["Content-Language"], answer.get_json()["title"]) == (language, title)


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_people_get_a_page(shared_house):
    answer = shared_house.ask("GET", "/<script>", headers=BROWSER)
    page = answer.get_data(as_text=True)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert '<html lang="id">' in page
    assert "Tidak ditemukan" in page
    assert "<script>" not in page
    assert answer.headers["Request-Id"] in page
    assert shared_house.ask("GET", "/api/v1/nothing", headers=BROWSER).mimetype == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/", "/problems/busy", "/nothing"])
def test_pages_need_nothing_from_anywhere(shared_house, path):
    """The policy allows the style that stands in the page, and the page asks for nothing else."""
    answer = shared_house.ask("GET", path, headers=BROWSER)
    page = answer.get_data(as_text=True)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<(script|img|link|iframe)|style=|https?://|\son\w+=", page)


@pytest.mark.parametrize("path", ["/healthz", "/api/openapi.json", "/nothing", "/api/v1/events", "/api/"])
def test_every_answer_carries_the_strict_headers(shared_house, path):
    headers = shared_house.ask("GET", path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert re.fullmatch("[0-9a-f]{16}", headers["Request-Id"])


def test_key_is_challenged(shared_house):
    answer = shared_house.ask("GET", "/api/v1/events", headers={"Authorization": None})
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="teken"'


def test_the_photo_is_kept_clean(house):
    answer = post(house, house.good(*WITH_PHOTO), office=WITH_PHOTO[0])
    assert answer.status_code == 202
