"""A whole life of five offices with real processes, faults included; then nothing of a person is in a log, a metric or an error."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from service import clients, queries
from service.canonical import dumps
from service.demo import case_of, take_turn
from service.permits import State
from service.settings import PROJECT, Settings
from service.store.tables import permits, tickets
from service.wiring import Teken, open_teken
from tests.desk.people import PASSWORD, Desk, Person
from tests.seeing.street import Browser, Hurried, Street
from tests.support.office import TYPES, row
from tests.support.webserver import web_server

OFFICE, TYPE = TYPES[0]
REQUEST_ID = "0af7651916cd43dd8448eb211c80319c"
WRONG, PHONE, MAIL, NAME = "frasa-sandi-keliru-77", "081298765432", "warga.rahasia@surat.example", "Rahasia Tersembunyi"
PRIVATE = ("applicant", "str", "practice", "recommendations")


@dataclass
class House:
    """A running office, and everything personal or secret that was ever said to it."""

    teken: Teken
    street: Street
    home: Path
    secrets: set[str] = field(default_factory=set)

    def texts(self) -> dict[str, str]:
        found = {path.name: path.read_text("utf-8", "replace") for path in self.home.glob("*.log")}
        found["metrics"] = self.street.browser().get("/metrics").get_data(as_text=True)
        return found | {f"refusal {n}": one.decode("utf-8", "replace") for n, one in enumerate(self.street.refusals)}


@contextmanager
def running(home: Path, keys: Path, forms: dict[str, str]):
    """Web, worker and signing process, each writing its log in its own form."""
    ours = {"home": home, "keys": keys, "poll_seconds": 0.05, "retry_seconds": 0.1, "max_attempts": 2, "worker_nice": 0}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TEKEN_")}
    with ExitStack() as stack:
        teken = stack.enter_context(closing(open_teken(Settings(home=home, keys=keys))))
        for queue in ("work", "sign"):
            given = {f"TEKEN_{name.upper()}": str(value) for name, value in {**ours, "log": forms[queue]}.items()}
            log = stack.enter_context((home / f"{queue}.log").open("ab"))
            command = [sys.executable, "worker.py", queue]
            process = subprocess.Popen(command, cwd=PROJECT, env=clean | given, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        options = ("--access-logfile", "-")
        server = stack.enter_context(web_server(home, *options, keys=keys, log=forms["web"], limit_reports=""))
        yield House(teken, Street(server.url), home)


def leaves(value) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(leaves, value.values()), set())
    return {value} if isinstance(value, str) else set()


def post(house: House, key: str, case: dict, **headers: str):
    given = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers}
    return house.street.browser().post("/api/v1/cases", dumps(case).encode(), given)


def known(house: House, case: dict) -> dict:
    """Everything that a case says of a person is a secret from here on; short words are too common to look for."""
    said = set().union(*(leaves(case.get(group, {})) for group in PRIVATE))
    house.secrets |= {one for one in said if len(one) >= 8 and one != "SEUMUR_HIDUP"}
    return case


def until(house: House, permit: str, done, *, alone: bool = False):
    deadline = time.monotonic() + 120
    while not done(found := row(house.teken, permit)):
        assert time.monotonic() < deadline, (found.state, found.queue, found.fault)
        if alone or not take_turn(house.teken, permit):
            time.sleep(0.05)
    return found


def bad_cases(house: House, key: str, case: dict) -> None:
    """What upstream may get wrong, with the applicant's data in the wrong place."""
    nik, name = case["applicant"]["nik"], case["applicant"]["nama"]
    own = {"upstream_id": "SALAH-1"}
    post(house, key, {**case, **own, "applicant": {**case["applicant"], "nik": f"{nik}9"}})
    post(house, key, {**case, **own, name: nik, "type": nik})
    post(house, key, {**case, **own, "applicant": {**case["applicant"], nik: name, "tanggal_lahir": nik}})
    post(house, key, {**case, **own, "photo": {"media_type": nik, "data": name}})
    post(house, key, {**case, "applicant": {**case["applicant"], "nama": NAME}}, **{"Idempotency-Key": f"{nik}"})
    post(house, f"{nik}.{nik}", case)
    asker = house.street.browser()
    asker.post(
        "/api/v1/cases",
        f'{{"nik": "{nik}", {name}'.encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    asker.post("/api/v1/cases", nik.encode(), {"Authorization": f"Bearer {key}", "Content-Type": f"text/{nik}"})
    asker.ask(f"/api/v1/permits/{nik}", headers={"Authorization": f"Bearer {key}"})
    asker.ask(f"/api/v1/events?after={nik}9", headers={"Authorization": f"Bearer {key}"})
    asker.get("/tidak/ada/" + urllib.parse.quote(f"{nik}?nama={name}"))


def as_public(house: House, permit, pdf: bytes) -> None:
    """Codes right and wrong, files with a telling name, and a report with somebody's telephone number."""
    asker = house.street.browser()
    assert asker.get(f"/V/{permit.code}").status_code == 200
    asker.get(f"/api/v1/verify/{permit.code}")
    asker.get(f"/V/{PHONE}")
    asker.get("/V?kode=" + urllib.parse.quote(f"{NAME} {PHONE}"))
    for path in ("/periksa", "/api/v1/verify"):
        for content in (pdf, pdf[:4000], NAME.encode()):
            head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{NAME} {PHONE}.pdf"\r\n\r\n'.encode()
            asker.post(path, head + content + b"\r\n--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"})
    told = {"kode": permit.code, "beda": "name", "uraian": f"{NAME} bukan saya", "kontak": MAIL, "kantor": OFFICE}
    assert asker.post("/lapor", told).status_code == 303
    form = Browser(Street(house.street.url))  # shows whoever typed it what he typed: no answer for anybody else
    assert form.post("/lapor", {**told, "kontak": f"{MAIL} {PHONE}" * 40, "beda": NAME}).status_code == 422


def at_the_desk(house: House, key: str, case: dict) -> None:
    """The head, whose own pages tell him what he may see and what he typed, logs in, is wrong about password, code and passphrase, searches by name, and signs with what he types."""
    desk = Desk(house.teken, Hurried(), None)
    desk.app = type("", (), {"test_client": lambda _self: Browser(Street(house.street.url))})()
    head: Person = desk.employ(OFFICE, "kadis")
    house.secrets |= {head.secret}
    head.log_in(password=WRONG)
    head.get("/meja/masuk")
    head.post("/meja/masuk", {"login": NAME, "password": PHONE})
    assert "Keluar" in head.log_in(), head.text
    house.secrets |= {one.value for one in head.browser.cookies if len(str(one.value)) > 8} | {head.csrf}
    permit = json.loads(post(house, key, case).get_data())["id"]
    until(house, permit, lambda one: one.queue == "person" and one.state == State.NUMBERED and one.final_sha)
    head.get("/meja/?" + urllib.parse.urlencode({"cari": case["applicant"]["nama"]}))
    head.get(f"/meja/izin/{permit}")
    head.get(f"/meja/ttd/baca/{permit}")
    for typed in (WRONG, house.passphrase):
        head.get("/meja/ttd")
        head.post("/meja/ttd/periksa", {"pilihan": "semua", "sadar": "ya"})
        assert head.status == 303, head.text
        head.get(head.headers["Location"])
        form = re.search(r'action="(/meja/ttd/tandatangani/[0-9a-f]{64})"', head.page)
        assert form, head.text
        head.post(form[1], {"passphrase": typed})
        assert head.status == 303, head.text
        settled = State.NUMBERED if typed == WRONG else State.IN_FORCE
        until(house, permit, lambda one: one.state == settled and one.queue == "person", alone=True)
    returned = json.loads(post(house, key, case | {"upstream_id": "KEMBALI-1"}).get_data())["id"]
    until(house, returned, lambda one: one.queue == "person" and one.final_sha)
    address = f"/meja/izin/{returned}/kembalikan"
    back = dict(re.findall(r'name="(revision|position)" value="([^"]*)"', head.get(address)))
    back |= {"alasan": "data", "uraian": f"NIK {case['applicant']['nik']} keliru, hubungi {PHONE}"}
    head.post(address, back)
    assert (head.status, row(house.teken, returned).state) == (422, State.NUMBERED), head.text
    head.post(address, back | {"uraian": "Nomor tidak sama dengan kartu"})
    assert (head.status, row(house.teken, returned).state) == (303, State.RETURNED), head.text


def damaged(house: House, key: str, case: dict) -> str:
    """Files that the archive has lost: the worker fails until the permit is parked, and says so."""
    permit = json.loads(post(house, key, case).get_data())["id"]
    until(house, permit, lambda one: one.queue == "person", alone=True)
    with house.teken.db.write() as connection:
        connection.execute(permits.update().where(permits.c.id == permit).values(pin="0" * 64, queue="work"))
    until(house, permit, lambda one: one.state == State.PARKED, alone=True)
    return permit


@pytest.mark.slow
@pytest.mark.parametrize(
    "forms",
    [
        {"web": "json", "work": "json", "sign": "text"},
        pytest.param({"web": "text", "work": "text", "sign": "json"}, marks=pytest.mark.thorough),
    ],
    ids=["json", "text"],
)
def test_nothing_of_a_person_is_in_a_log_a_metric_or_an_error(tmp_path, keys, forms):
    with running(tmp_path, keys, forms) as house:
        house.passphrase = (keys / "passphrase").read_text().strip()
        house.secrets |= {house.passphrase, WRONG, PHONE, MAIL, NAME, PASSWORD}
        issued = []
        for number, (office, kind) in enumerate(TYPES):
            _, key = clients.add_client(house.teken, office, "Sistem hulu")
            house.secrets |= {key, key.partition(".")[2]}
            permit_type = house.teken.offices.permit_type(office, kind)
            case = known(house, case_of(permit_type, f"UTUH-{number}", Hurried().now()))
            answer = post(house, key, case, **{"Request-Id": REQUEST_ID} if not number else {})
            issued.append(json.loads(answer.get_data())["id"])
            if not number:
                assert answer.headers["Request-Id"] == REQUEST_ID
                bad_cases(house, key, case)
                at_the_desk(house, key, case | {"upstream_id": "MEJA-1"})
                damaged(house, key, case | {"upstream_id": "RUSAK-1"})
        for permit in issued:
            until(house, permit, lambda one: one.queue == "none")
        rows = [row(house.teken, one) for one in issued]
        assert {one.state for one in rows} == {State.IN_FORCE}
        house.secrets |= {one.code for one in rows}
        with house.teken.db.read() as connection:
            house.secrets |= set(connection.execute(select(tickets.c.code)).scalars())
        as_public(house, rows[0], queries.released(house.teken, rows[0]).pdf)
        texts = house.texts()
    assert_well_formed(texts, forms, issued[0])
    assert len(house.secrets) > 40
    assert len(house.street.refusals) >= 12
    told = {(name, one) for name, text in texts.items() for one in house.secrets if is_in(one, text)}
    assert not told


def is_in(secret: str, text: str) -> bool:
    """As it is, in an address, as JSON writes it, and without what is between its groups."""
    forms = {secret, urllib.parse.quote(secret), urllib.parse.quote_plus(secret), json.dumps(secret)[1:-1]}
    return any(one.lower() in text.lower() for one in forms)


def assert_well_formed(texts: dict[str, str], forms: dict[str, str], permit: str) -> None:
    """Logs of machines are objects; the request leads to the permit and the permit to its steps; something did go wrong."""
    for process, form in forms.items():
        text = texts[f"{process}.log"]
        assert text
        if form == "json":
            lines = [json.loads(line) for line in text.splitlines()]
            assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
            assert {line["process"] for line in lines} == {process}
        elif process != "web":
            assert not text.startswith("{")
    assert REQUEST_ID in texts["web.log"]
    assert permit in texts["web.log"]
    assert all(one in texts["work.log"] for one in ("step_done", "step_deferred", permit, "archive"))
    assert "step_done" in texts["sign.log"]
