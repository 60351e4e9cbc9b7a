"""`/metrics`: what it tells follows what is so, its cost follows the backlog, and its labels hold nothing of a person or a code."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, update

from service import pipeline
from service.app import create_app
from service.clock import stamp
from service.metrics import exposition
from service.permits import State
from service.settings import PROJECT, Settings
from service.store.tables import metadata, permits, upkeep
from service.store.webhook_tables import endpoints
from service.webhooks import endpoints as webhooks
from service.wiring import open_teken
from tests.store.test_plans import FEW, _plan
from tests.support.office import TYPES, client_of, open_office, payload, play, post
from tests.support.webserver import web_server
from tests.support.world import OFFICE, TYPE, world  # noqa: F401 - a fixture


def told(teken) -> dict[tuple[str, ...], float]:
    """Samples by name and labels."""
    found = {}
    for family in text_string_to_metric_families(exposition(teken).decode()):
        for sample in family.samples:
            found[(sample.name, *sorted(sample.labels.items()))] = sample.value
    return found


def of(samples, name, **labels) -> float:
    return samples[(name, *sorted(labels.items()))]


def changed(teken, permit, **values) -> None:
    with teken.db.write() as connection:
        connection.execute(update(permits).where(permits.c.id == permit).values(**values))


def test_depth_and_age_of_a_queue_follow_what_waits(world):  # noqa: F811
    world.accepted("A-1")
    world.accepted("A-2")
    world.clock.forward(seconds=90)
    place = {"office": OFFICE, "queue": "work", "step": "assemble"}
    before = told(world.teken)
    assert of(before, "teken_queue_permits", **place) == 2
    assert of(before, "teken_queue_oldest_seconds", **place) == 90
    assert of(before, "teken_database_up") == 1
    assert of(before, "teken_scrape_failures") == 0
    pipeline.drain(world.teken, "work")
    assert not [key for key in told(world.teken) if key[0] == "teken_queue_permits" and ("step", "assemble") in key]


def test_a_process_that_died_with_its_lease_is_seen(world):  # noqa: F811
    permit = world.accepted()
    now = world.clock.now()
    changed(world.teken, permit, lease_until=stamp(now), attempts=1)
    assert of(told(world.teken), "teken_leases_late", office=OFFICE) == 1
    world.clock.forward(seconds=-1)
    assert of(told(world.teken), "teken_leases_late", office=OFFICE) == 0


def test_what_is_set_aside_is_counted_until_it_goes_on(world):  # noqa: F811
    from service import acts

    permit = world.accepted()
    changed(world.teken, permit, state=State.PARKED, queue="none", parked_from=State.RECEIVED, fault="archive_damaged")
    assert of(told(world.teken), "teken_permits_stuck", office=OFFICE, why="parked") == 1
    assert of(told(world.teken), "teken_permits_stuck", office="malang", why="parked") == 0
    acts.resume_parked(world.teken, permit)
    assert of(told(world.teken), "teken_permits_stuck", office=OFFICE, why="parked") == 0


def test_documents_below_the_target_are_a_debt_as_long_as_they_are_due_or_fail(world):  # noqa: F811
    permit = world.accepted()
    now = world.clock.now()
    later = {"level": "B-B", "due_at": stamp(now.replace(year=now.year + 1))}
    with world.teken.db.write() as connection:
        connection.execute(upkeep.insert().values(permit=permit, **later))
    place = {"office": OFFICE, "level": "B-B"}
    wanted = dict(world.teken.offices.offices)
    wanted[OFFICE] = replace(wanted[OFFICE], target="B-LTA")
    teken = replace(world.teken, offices=replace(world.teken.offices, offices=wanted))
    assert of(told(teken), "teken_level_debt_documents", **place) == 0
    with world.teken.db.write() as connection:
        connection.execute(update(upkeep).values(fault="timestamp_unreachable"))
    assert of(told(teken), "teken_level_debt_documents", **place) == 1
    assert of(told(world.teken), "teken_level_debt_documents", **place) == 0, "what the office does not want is no debt"
    assert of(told(world.teken), "teken_renewals_failing", office=OFFICE) == 1


def test_certificates_checkpoints_and_register_are_told(world):  # noqa: F811
    first = told(world.teken)
    assert of(first, "teken_certificate_expiry_timestamp_seconds", office=OFFICE, owner="kadis") > 1.7e9
    assert of(first, "teken_checkpoint_timestamp_seconds") == 0
    play(world.teken, world.accepted())
    after = told(world.teken)
    assert of(after, "teken_checkpoint_timestamp_seconds") == world.clock.now().timestamp()
    assert of(after, "teken_register_entries_total", office=OFFICE) == 1
    assert of(after, "teken_journal_events_total") > 5
    assert of(after, "teken_disk_free_bytes", of="archive") > 0


def test_an_upstream_that_takes_no_news_falls_behind(world):  # noqa: F811
    target, _ = webhooks.add(world.teken, world.client.id, "https://hulu.contoh.example/kabar")
    world.accepted()
    play(world.teken, world.accepted("UJI-2"))
    world.clock.forward(seconds=50)
    assert of(told(world.teken), "teken_webhook_lag_seconds", office=OFFICE) == 50
    with world.teken.db.write() as connection:
        connection.execute(update(endpoints).where(endpoints.c.id == target["id"]).values(state="parked"))
    samples = told(world.teken)
    assert of(samples, "teken_webhook_endpoints", office=OFFICE, state="parked") == 1
    assert of(samples, "teken_webhook_lag_seconds", office="malang") == 0


def test_a_database_that_is_away_is_told_and_the_scrape_stands(tmp_path, keys):
    teken = open_office(tmp_path, keys)
    teken.db.dispose()
    (tmp_path / "teken.db").rename(tmp_path / "elsewhere.db")
    (tmp_path / "teken.db").mkdir()
    samples = told(teken)
    assert of(samples, "teken_database_up") == 0
    assert of(samples, "teken_disk_free_bytes", of="home") > 0


def test_a_scrape_reads_no_table_that_grows_without_an_index(tmp_path, keys):
    office, kind = TYPES[0]
    teken = open_office(tmp_path, keys)
    play(teken, post(teken, client_of(teken, office), payload(office, kind)).body["id"])
    asked = {}

    @event.listens_for(teken.db.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked[statement] = parameters

    exposition(teken)
    teken.close()
    with sqlite3.connect(tmp_path / "teken.db") as connection:
        plans = {statement: _plan(connection, statement, values) for statement, values in asked.items()}
    connection.close()
    assert len(plans) > 10
    grows = set(metadata.tables) - FEW - {"standings", "closures", "webhook_endpoints"}
    whole = [
        re.compile(rf"SCAN {table}(?! USING (?:COVERING )?INDEX \w+_(?:due|stuck|failing|failed|unsettled)\b)")
        for table in grows
    ]
    assert not {s: plan for s, plan in plans.items() if any(one.match(step) for one in whole for step in plan)}


@pytest.fixture
def asked(tmp_path, keys):
    """Ask a house with these settings for its metrics, from somewhere."""
    opened = []

    def ask(address="127.0.0.1", headers=None, path="/metrics", **settings):
        teken = open_office(tmp_path, keys, signing=False, **settings)
        opened.append(teken)
        client = create_app(teken).test_client()
        return client.get(path, headers=headers or {}, environ_overrides={"REMOTE_ADDR": address})

    yield ask
    for teken in opened:
        teken.close()


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("::ffff:127.0.0.1", {}, 200),
        ("192.0.2.7", {}, 404),
        ("", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 404),
        ("127.0.0.1", {"Via": "1.1 a"}, 404),
        ("127.0.0.1", {"Authorization": "Bearer "}, 404),
    ],
)
@pytest.mark.parametrize("proxies", [0, 1])
def test_only_this_machine_is_answered_and_never_through_a_proxy(asked, address, headers, status, proxies):
    answer = asked(address, headers, trusted_proxies=proxies)
    assert answer.status_code == status
    assert (b"teken_database_up 1.0" in answer.data) == (status == 200)


def test_named_networks_and_holders_of_the_key_are_answered(asked, tmp_path):
    key = tmp_path / "key"
    key.write_text("kunci-panjang-untuk-prometheus\n")
    given = {"metrics_networks": "10.1.0.0/16", "metrics_token_file": key}
    bearer = {"Authorization": "Bearer kunci-panjang-untuk-prometheus"}
    assert asked("10.1.2.3", **given).status_code == 200
    assert asked("127.0.0.1", **given).status_code == 404
    assert asked("192.0.2.7", bearer, **given).status_code == 200
    assert asked("192.0.2.7", bearer | {"X-Forwarded-For": "192.0.2.7"}, **given).status_code == 200
    assert asked("10.1.2.3", {"Authorization": "Bearer salah"}, **given).status_code == 404
    key.write_text("kurang")
    assert asked("192.0.2.7", {"Authorization": "Bearer kurang"}, **given).status_code == 404


def test_a_stranger_makes_no_series_of_his_own(asked):
    for method in ("MADEUP1", "MADEUP2"):
        client_app = asked(path=f"/tidak/ada/{method}")
        assert client_app.status_code == 404
    asked(path="/V/7K3M9QXT2WPA5D8H")
    asked(path="/V/3374010101900001")
    text = asked().data.decode()
    assert "MADEUP" not in text
    assert "7K3M9QXT2WPA5D8H" not in text
    assert "3374010101900001" not in text
    assert 'route="/V/<path:code>"' in text
    assert 'teken_verifications_total{of="code",result="unknown",route="page"}' in text


def test_the_document_names_every_metric_and_no_other(asked):
    text = asked().data.decode()
    told_of = set(re.findall(r"^# TYPE (\w+) (?:gauge|counter|histogram)$", text, re.MULTILINE))
    told_of = {one for one in told_of if not one.endswith("_created")}
    listed = re.findall(
        r"^\| `(teken_\w+)` \|", (PROJECT / "docs/operating/metrics.md").read_text("utf-8"), re.MULTILINE
    )
    assert sorted(listed) == sorted(told_of)


@pytest.mark.slow
def test_several_processes_of_one_server_count_together(tmp_path):
    open_teken(Settings(home=tmp_path)).close()
    with web_server(tmp_path, "-w", "3", limit_lookups="") as running:
        for _ in range(12):
            assert running.get("/problems/busy").startswith(b"HTTP/1.1 200")
        text = running.get("/metrics").decode()
        assert 'teken_http_requests_total{method="GET",route="/problems/<code>",status="200"} 12.0' in text
        assert "teken_database_up 1.0" in text
        assert running.get("/metrics", "X-Forwarded-For: 127.0.0.1").startswith(b"HTTP/1.1 404")
        folder = counting_in(running.process.pid)
    assert not folder.exists(), "the server left its counters behind"


def counting_in(master: int) -> Path:
    """Where the server's processes count, by what those have mapped that are so far."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    maps = "".join(Path(f"/proc/{child}/maps").read_text() for child in children)
    return Path(re.search(r"(/\S*teken-metrics-\w+)/", maps)[1])
