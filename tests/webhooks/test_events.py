"""The events that a client is told are those that docs/operating/webhooks.md lists, with data like its examples."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from service import acts, corrections, queries
from service.permits import State
from service.settings import PROJECT
from service.webhooks.types import LIFE_CYCLE, PROGRESS, TYPES
from tests.support.office import client_of, holder, open_office, payload, play, post, row
from tests.support.world import OFFICE, TYPE

TEXT = (PROJECT / "docs" / "operating" / "webhooks.md").read_text(encoding="utf-8")
EXAMPLES = {
    name: json.loads(example)
    for name, example in re.findall(r"^\| `([a-z_.]+)` \|[^|]*\| `(\{.*\})` \|$", TEXT, re.MULTILINE)
}
ALWAYS = {"upstream_id", "state", "revision"}
SELDOM = {"permit.number_voided"}  # the turn of the year: tests/acts plays it


def test_the_document_lists_every_type():
    listed = re.findall(r"`((?:case|permit)\.[a-z_]+)`", TEXT.partition("## Events")[2])
    assert tuple(EXAMPLES) == LIFE_CYCLE
    assert set(PROGRESS) <= set(listed)
    assert set(listed) - TYPES == set()


def test_every_type_that_the_code_tells_a_client_is_listed():
    """By name in the source; the few that are composed are played elsewhere and listed by hand."""
    told = re.compile(r'(?:tell|finish|Done|Entry)\((?:[^"()\n]*,)?\s*"((?:case|permit)\.[a-z_]+)"')
    found = set()
    for path in Path(PROJECT, "service").rglob("*.py"):
        found |= set(told.findall(path.read_text(encoding="utf-8")))
    assert len(found) > 20
    assert found - TYPES == set()


@pytest.fixture(scope="module")
def told(tmp_path_factory, keys):
    """The life of four permits as their client hears of it: type by type the data of the last event."""
    home = tmp_path_factory.mktemp("events")
    with closing(open_office(home, keys)) as teken:
        client = client_of(teken, OFFICE)

        def case(upstream_id: str, **changes) -> str:
            return post(teken, client, payload(OFFICE, TYPE, upstream_id, **changes)).body["id"]

        first = case("UJI-1")
        play(teken, first, until=State.NUMBERED)
        head = holder(teken, OFFICE, "kepala_dinas")
        acts.give_back(teken, head, first, reason="STR belum diunggah")
        case("UJI-1", applicant__alamat="Jalan Contoh 2")
        play(teken, first)
        for to in (State.SUSPENDED, State.IN_FORCE):
            acts.decide(teken, head, first, to=to, decision="800/12/2026", reason="pemeriksaan")
        second = case("UJI-2", request_kind="PERPANJANGAN", replaces=row(teken, first).number)
        play(teken, second)
        acts.decide(teken, head, second, to=State.REVOKED, decision="800/14/2026", reason="pelanggaran")
        third = case("UJI-3")
        play(teken, third, until=State.NUMBERED)
        corrections.withdraw(teken, client, third, "pemohon mundur")
        yield {one["type"]: one["data"] for one in queries.events(teken, client, 0, 500)["events"]}


@pytest.mark.parametrize("name", [one for one in LIFE_CYCLE if one not in SELDOM])
def test_an_event_has_the_data_that_the_document_shows(told, name):
    always = ALWAYS - {"revision"} if name == "permit.withdrawn" else ALWAYS
    assert set(told[name]) == set(EXAMPLES[name]) | always


def test_nothing_else_happened(told):
    assert set(told) <= TYPES
