"""A code's answer: every standing, what it shows, and that it tells nothing of what is not issued."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from service.archive import ArchiveDamaged
from service.codes import grouped
from service.store import Database, StoreBusy
from service.verification import PermitState, by_code
from service.verification.holder import shown
from tests.support.office import NOW, client_of, payload, post, row
from tests.verification.conftest import OFFICES, PRIVATE

UNKNOWN = "0123456789ABCDEF"
WIB_MIDNIGHT = timedelta(hours=17)  # 00.00 WIB is 17.00 UTC of the day before


def on(year, month, day, **more) -> datetime:
    """The first instant of a day in western Indonesia."""
    return datetime(year, month, day, tzinfo=UTC) - timedelta(hours=7) + timedelta(**more)


@pytest.mark.parametrize(
    ("name", "at", "state"),
    [
        ("malang", NOW, "in_force"),
        ("malang", on(2026, 11, 20, microseconds=-1), "not_yet"),
        ("malang", on(2026, 11, 20), "in_force"),
        ("malang", on(2031, 10, 21, microseconds=-1), "in_force"),
        ("malang", on(2031, 10, 21), "expiring"),
        ("malang", on(2031, 11, 21, microseconds=-1), "expiring"),
        ("malang", on(2031, 11, 21), "expired"),
        ("suspended", NOW, "suspended"),
        ("resumed", NOW, "in_force"),
        ("revoked", NOW, "revoked"),
        ("revoked", on(2040, 1, 1), "revoked"),
        ("old", NOW, "replaced"),
        ("new", NOW, "in_force"),
    ],
)
def test_each_standing(world, name, at, state):
    assert by_code(world.teken, world[name].code, at=at).state == state


def test_known_or_not_a_code_is_one_and_the_same_question(world):
    """Of what is in force: certificates are read once, and a successor is looked for only where there may be one."""
    engine, asked, known = world.teken.db.engine, [], world["malang"].code

    def note(_connection, _cursor, statement, *_):
        asked.append(statement)

    by_code(world.teken, known, at=NOW)
    event.listen(engine, "before_cursor_execute", note)
    try:
        states = [by_code(world.teken, code, at=NOW).state for code in (known, UNKNOWN, "no code at all")]
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert states == [PermitState.IN_FORCE, PermitState.UNKNOWN, PermitState.UNKNOWN]
    assert (len(asked), len(set(asked))) == (3, 1)


def test_what_is_shown(world):
    answer = by_code(world.teken, world["kudus"].code, at=NOW)
    permit = answer.permit
    assert (permit.number, permit.profession, permit.type_name) == (
        "446/001.XI.26/SIP-PM/DPMPTSP",
        "Perekam Medis",
        "Izin Praktik Perekam Medis",
    )
    assert permit.official_title == "Plt. Kepala Dinas"
    assert permit.official == "Nur Hidayati Lestariningsih, S.H., M.H."
    assert permit.holder == "Dewi C*** L***"  # the office's policy is `masked`
    assert permit.place[0] == ("", "RSUD Contoh Kudus")
    assert [(one.field, one.level) for one in permit.versions[0].signatures] == [
        ("ttd_kepala", "B-B"),
        ("segel", "B-B"),
    ]
    assert permit.versions[0].sha256 == world["kudus"].released_sha
    assert permit.is_example
    assert permit.replaced_by is None


def test_the_successor_is_named_once_it_is_released(world):
    assert by_code(world.teken, world["old"].code, at=NOW).permit.replaced_by == world["new"].code
    assert [one.what for one in by_code(world.teken, world["old"].code, at=NOW).permit.history] == [
        "issued",
        "replaced",
    ]
    assert [one.what for one in by_code(world.teken, world["resumed"].code, at=NOW).permit.history] == [
        "issued",
        "suspended",
        "resumed",
    ]


@pytest.mark.parametrize("write", [str, str.lower, grouped, lambda code: f" {grouped(code).lower()} "])
def test_however_it_is_typed(world, write):
    assert by_code(world.teken, write(world["malang"].code), at=NOW).state == PermitState.IN_FORCE


def test_what_looks_alike_is_taken_for_what_was_printed(world):
    code = world["malang"].code
    looks = code.replace("1", "l").replace("0", "o")
    assert by_code(world.teken, looks, at=NOW).permit.code == code


@pytest.mark.parametrize("typed", ["", "x", UNKNOWN, "U" * 16, "é" * 16, "' OR 1=1 --", "\x00" * 16, "0" * 10_000])
def test_anything_else_is_unknown(world, typed):
    assert by_code(world.teken, typed, at=NOW) == by_code(world.teken, UNKNOWN, at=NOW)


def test_unknown_and_not_issued_answer_the_same_bytes(world, browse):
    """No oracle (I5): page and JSON, status, body and every header but the request's own id."""
    client = client_of(world.teken, "malang")
    waiting = post(world.teken, client, payload("malang", OFFICES["malang"], "UJI-menunggu")).body["id"]
    code = row(world.teken, waiting).code
    for path in ("/V/", "/v/", "/api/v1/verify/"):
        unknown, not_issued = browse().get(path + UNKNOWN), browse().get(path + code)
        assert unknown.status_code == not_issued.status_code == 404
        assert unknown.data == not_issued.data
        assert [h for h in unknown.headers if h[0] != "Request-Id"] == [
            h for h in not_issued.headers if h[0] != "Request-Id"
        ]


def test_unknown_and_not_issued_do_the_same_work(world, monkeypatch):
    asked: list[str] = []
    engine = world.teken.db.engine

    def note(*given) -> None:
        asked.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    client = client_of(world.teken, "malang")
    waiting = post(world.teken, client, payload("malang", OFFICES["malang"], "UJI-menunggu-2")).body["id"]
    work = []
    for code in (row(world.teken, waiting).code, UNKNOWN, "no code at all"):
        asked.clear()
        by_code(world.teken, code, at=NOW)
        work.append(list(asked))
    event.remove(engine, "before_cursor_execute", note)
    assert work[0] == work[1] == work[2]


def personal(world, name: str) -> dict[str, str]:
    """Every value of the case that the public must not see, as stored and as people write it."""
    body = payload(name, OFFICES[name], f"UJI-{name}", **PRIVATE)
    secret = {f"applicant.{key}": str(value) for key, value in body["applicant"].items() if key != "nama"}
    secret |= {f"str.{key}": str(value) for key, value in body["str"].items()}
    for who, given in body.get("recommendations", {}).items():
        secret |= {f"recommendations.{who}.{key}": str(value) for key, value in given.items()}
    secret["born"] = _in_words(body["applicant"]["tanggal_lahir"])
    secret["nip"] = json.loads(world[name].signatory)["nip"]
    secret |= {"id": world[name].id, "upstream": world[name].upstream_id, "client": world[name].client}
    secret["photo"] = body.get("photo", {}).get("data", "no photo")[:60]
    secret.pop("applicant.jenis_kelamin", None)  # one letter
    if name == "kudus":  # masked
        secret |= {f"name {word}": word for word in body["applicant"]["nama"].replace(",", "").split()[2:]}
    return secret


def _in_words(day: str) -> str:
    months = "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember".split()
    year, month, number = day.split("-")
    return f"{int(number)} {months[int(month) - 1]} {year}"


@pytest.mark.parametrize("name", list(OFFICES))
@pytest.mark.parametrize("path", ["/V/{}", "/V/{}?lang=en", "/api/v1/verify/{}"])
def test_nothing_personal_is_shown(world, browse, name, path):
    answer = browse().get(path.format(world[name].code))
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    shown_at_all = {
        key for key, value in personal(world, name).items() if re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text)
    }
    assert shown_at_all == set()


@pytest.mark.parametrize("name", ["suspended", "revoked"])
def test_why_is_never_told(world, browse, name):
    for path in ("/V/", "/api/v1/verify/"):
        text = browse().get(path + world[name].code).get_data(as_text=True)
        assert "rahasia" not in text.lower()
        assert "SK 1/2026" not in text


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("Siti Nurhaliza Rahmawati, A.Md.RMIK", "Siti N*** R***"),
        ("Siti Aminah", "Siti A***"),
        ("Suharti", "S***"),
        ("dr. Ahmad Fauzi, Sp.An.", "dr. Ahmad F***"),
        ("Muh. Ali", "Muh. A***"),
        ("", "***"),
    ],
)
def test_masked_names(name, masked):
    assert shown(name, "masked") == masked
    assert shown(name, "full") == name


class _Away:
    """A database that fails as given."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def ask(self, *_):
        raise self.error


@pytest.mark.parametrize(
    "error", [StoreBusy("locked"), OperationalError("SELECT", {}, Exception("gone")), OSError("disk")]
)
def test_without_the_register_nothing_is_certain(world, browse, error):
    """Neither green nor red, for a known code and an unknown one alike."""
    for code in (world["malang"].code, UNKNOWN):
        page = browse(db=_Away(error)).get(f"/V/{code}")
        assert page.status_code == 503
        assert page.headers["Retry-After"]
        text = page.get_data(as_text=True)
        assert "Belum dapat dipastikan" in text
        assert 'class="panel wait"' in text
        answer = browse(db=_Away(error)).get(f"/api/v1/verify/{code}")
        assert (answer.status_code, answer.json["state"], answer.json["permit"]) == (503, "undetermined", None)


def test_a_server_that_does_not_answer_is_no_verdict_either(world):
    away = dataclasses.replace(world.teken, db=Database("postgresql://nobody@127.0.0.1:1/none", busy_seconds=1))
    assert by_code(away, world["malang"].code, at=NOW).state == PermitState.UNDETERMINED


def test_a_damaged_archive_is_no_verdict_either(world):
    class Damaged:
        def open(self, pin):
            raise ArchiveDamaged(pin)

    damaged = dataclasses.replace(world.teken, pins=Damaged())
    assert by_code(damaged, world["malang"].code, at=NOW).state == PermitState.UNDETERMINED
