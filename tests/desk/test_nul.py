"""A NUL byte, which PostgreSQL takes in no text, in any field of any form: told plainly, never a fault of ours. New forms too."""

from __future__ import annotations

import re

import pytest

from service.app import create_app
from service.clock import SetClock
from service.desk import holder
from service.settings import PROJECT
from tests.desk.people import Desk
from tests.desk.shelf import KUDUS, Upstream
from tests.desk.test_outsiders import almighty
from tests.support.office import NOW, open_office, play

FACES = ("desk", "holder", "verify", "about")
NAMES = sorted(
    {
        name
        for page in (PROJECT / "service/web").rglob("*.html")
        for name in re.findall(r'name="([a-z_][\w.-]*)"', page.read_text())
    }
    - {"csrf"}
)
NUL = "a\0b"


@pytest.fixture
def town(tmp_path, keys, postgres):
    teken = open_office(tmp_path, keys, clock=SetClock(NOW), database=postgres)
    yield Desk(teken, teken.clock, create_app(teken))
    teken.close()


def test_no_form_stumbles_over_a_nul(town):
    permit = Upstream(town.teken, KUDUS).send()
    play(town.teken, permit)
    person = almighty(town, "kudus", "gerai_1")
    holders = town.app.test_client()
    holders.set_cookie(
        "teken_izin", holder.desk_key(town.teken).seal(f"{permit} 2027-01-01T00:00:00.000000Z", "holder")
    )
    assert {"tiket", "lahir", "alasan", "kode", "passphrase"} <= set(NAMES)
    tried = 0
    for rule in town.app.url_map.iter_rules():
        face = rule.endpoint.partition(".")[0]
        if face not in FACES:
            continue
        path = re.sub(r"<(?:\w+:)?\w+>", lambda one: "1" if "int:" in one[0] else permit, rule.rule)
        if "POST" in rule.methods:
            for form in ({"csrf": person.csrf, **dict.fromkeys(NAMES, NUL)}, {"csrf": person.csrf, NUL: "x"}):
                browser = holders if face == "holder" else person.browser
                answer = browser.post(path, data=form)
                assert 400 <= answer.status_code < 500, (path, answer.status_code)
                tried += 1
        if "GET" in rule.methods:
            for name in ("kode", "cari", "hal", "jenis", "dari", "saring", "lang", "bahasa"):
                answer = person.browser.get(path, query_string={name: NUL})
                assert answer.status_code < 500, (path, name)
                answer.close()
    assert tried > 60
