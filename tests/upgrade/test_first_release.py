"""What the first release issued holds under the program of today: documents, codes, register; and its waiting case goes on."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing, suppress

import pytest
from sqlalchemy import select, text

from service.app import create_app
from service.audit import audit
from service.clients import Client
from service.errors import Conflict
from service.permits import State
from service.store import Database
from service.store.migrate import schema_state
from service.store.tables import documents, permits
from service.verification import verify_file
from tests.support.office import client_of, payload, play, post, row
from tests.upgrade.world import SAMPLE, leave, upgraded

ISSUED = ("rokan-hilir", "rokan-hulu", "kudus")
ROHIL = ("rokan-hilir", "sip-perekam-medis")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def old(request, tmp_path_factory, keys):
    """The upgraded house, with each permit as it was before: by its upstream id."""
    home = tmp_path_factory.mktemp(f"lama-{request.param}")
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    name = server.create() if server else ""
    database = server.url(name) if server else ""
    leave(home, database)
    before = _before(database or f"sqlite:///{home / 'teken.db'}")
    with closing(upgraded(home, keys, database)) as teken:
        assert {known: _still(teken, one) for known, one in before.items()} == before
        yield teken, before
    if server:
        server.drop(name)


def _before(url: str) -> dict:
    with closing(_Old(url)) as first, first.read() as connection:
        assert schema_state(connection) == "behind"
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "0001"
        rows = connection.execute(text("SELECT * FROM permits")).mappings()
        return {one["upstream_id"]: dict(one) for one in rows}


def _still(teken, before: dict) -> dict:
    """What was known of a permit, as it is known now."""
    now = row(teken, before["id"])._asdict()
    return {name: now.get(name) for name in before}


class _Old(Database):
    close = Database.dispose


@pytest.mark.parametrize("office", ISSUED)
def test_a_code_that_was_printed_then_is_in_force(old, office):
    teken, before = old
    told = before[f"LAMA-{office}"]
    address = told["verify_url"]
    path = address[address.upper().index("/V/") :]
    asked = create_app(teken).test_client()
    assert asked.get(path).status_code == asked.get(path.lower()).status_code == 200
    said = asked.get(f"/api/v1/verify/{path.rpartition('/')[2]}").get_json()
    assert (said["state"], said["permit"]["number"]) == ("in_force", told["number"])


@pytest.mark.parametrize("office", ISSUED)
def test_a_document_that_was_released_then_is_identical(old, office):
    teken, before = old
    pdf = teken.archive.get(before[f"LAMA-{office}"]["released_sha"])
    said = verify_file(teken, pdf)
    assert (said.verdict, said.permit_state) == ("identical", "in_force")
    altered = pdf.replace(b"/Type /Catalog", b"/Type /Katalog", 1)
    assert altered != pdf
    assert verify_file(teken, altered).verdict not in {"identical", "authentic"}


def test_the_audit_finds_nothing_and_the_archive_is_whole(old):
    teken, _ = old
    found = audit(teken)
    assert found.violations == ()
    assert found.walked["documents"] >= len(ISSUED)
    for sha in _named(teken):
        assert hashlib.sha256(teken.archive.get(sha)).hexdigest() == sha


def _named(teken) -> set[str]:
    with teken.db.read() as connection:
        return {
            *connection.execute(select(documents.c.sha)).scalars(),
            *connection.execute(select(permits.c.pin)).scalars(),
        }


def test_the_case_that_waited_goes_on_and_the_next_gets_the_next_number(old):
    teken, before = old
    waiting = before["LAMA-menunggu"]
    assert (waiting["state"], waiting["number_no"]) == ("numbered", 2)
    with suppress(Conflict):  # the paper names the signer's certificate of then: it is made again first, and read again
        play(teken, waiting["id"])
    play(teken, waiting["id"])
    after = row(teken, waiting["id"])
    assert (after.state, after.number) == (State.IN_FORCE, waiting["number"])
    new = post(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "BARU")).body["id"]
    play(teken, new)
    assert row(teken, new).number_no == 3
    assert audit(teken).violations == ()


def test_its_own_client_is_told_that_its_case_is_there(old):
    """The same case posted again after the upgrade is the same permit, not a second one."""
    teken, before = old
    told = before["LAMA-kudus"]
    again = post(teken, Client(told["client"], "kudus", "uji"), json.loads((SAMPLE / "posted.json").read_text()))
    assert again.body["id"] == told["id"]
    with teken.db.read() as connection:
        same = select(documents.c.sha).join(permits, permits.c.id == documents.c.permit)
        found = connection.execute(same.where(permits.c.upstream_id == "LAMA-kudus")).scalars().all()
    assert found == [told["released_sha"]]
