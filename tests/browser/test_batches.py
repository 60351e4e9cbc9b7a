"""A whole tray on a telephone: a slow line, a slow key, two failures, and a screen that is locked half-way."""

from __future__ import annotations

import importlib
import subprocess
import time

import pytest
from playwright.sync_api import Error as PageError
from playwright.sync_api import expect
from sqlalchemy import func, select

from service.permits import State
from service.store.batch_tables import batch_items
from signing import SigningFailed
from signing.backends.pkcs12 import Pkcs12Backend
from tests.batch.processes import announced, environment, signing
from tests.browser.crew import PATIENT, Crew
from tests.browser.house import PATIENCE_SECONDS, House, Visitor
from tests.support.office import TYPES, row

pytestmark = pytest.mark.played

OFFICE, TYPE = TYPES[0]
step = importlib.import_module("service.steps.sign")  # the package offers the function of that name
MANY, KILOBITS, SECONDS = 30, 400, 0.9
ENDED = -1


def signed(house: House, batch: str | None = None) -> int:
    query = select(func.count()).where(batch_items.c.result == "signed")
    if batch is not None:
        query = query.where(batch_items.c.batch == batch)
    with house.teken.db.read() as connection:
        return connection.execute(query).scalar_one()


def watch(house: House, head: Visitor, until: int) -> None:
    """Look at the page until so many are signed: it never runs ahead of the truth, and always catches up."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while (true := signed(house)) < until:
        assert time.monotonic() < patience, f"{true} signed"
        shown = int(head.page.inner_text(".tally .figure"))
        assert shown <= signed(house)
        head.page.wait_for_function(
            "least => !(document.querySelector('.tally .figure')?.textContent < least)", arg=true
        )
        head.page.wait_for_timeout(500)


@pytest.mark.slow
def test_thirty_documents_over_a_slow_line_with_a_locked_screen(house, monkeypatch):
    broken: set[str] = set()
    quick, filled = Pkcs12Backend.sign_attributes, step.to_fill

    def slow(*given, **named):
        time.sleep(SECONDS)
        return quick(*given, **named)

    def failing(teken, permit, bundle):
        if permit.id in broken:
            raise SigningFailed("backend_failed", "invented")
        return filled(teken, permit, bundle)

    monkeypatch.setattr(Pkcs12Backend, "sign_attributes", slow)
    monkeypatch.setattr(step, "to_fill", failing)
    crew = Crew(house, OFFICE, "phone")
    permits = [house.post(OFFICE, TYPE, f"BANYAK-{number}") for number in range(MANY)]
    for permit in permits:
        house.settle(permit)
    broken.update((permits[3], permits[17]))

    head = crew.someone("kadis").slow_line(KILOBITS).go("/meja/").press(".nav a[href='/meja/ttd']")
    assert f"{MANY} naskah menunggu" in head.text()
    head.page.click("details.all summary")
    head.page.check("input[name=sadar]")
    head.press("button[value=semua]")
    crew.with_passphrase(head)
    watch(house, head, MANY // 3)
    head.close_and_reopen()
    patience = time.monotonic() + PATIENCE_SECONDS
    while signed(house) < MANY // 2 and time.monotonic() < patience:
        time.sleep(0.2)
    head.slow_line(KILOBITS).go("/meja/ttd").press("a.going")
    watch(house, head, MANY - 5)
    ended = head.page.locator("#kemajuan h1")
    expect(ended).to_have_text(f"{MANY - 2} berhasil, 2 gagal", **PATIENT)
    assert signed(house) == MANY - 2

    broken.clear()
    head.look()
    crew.with_passphrase(head)
    expect(ended).to_have_text("Semua sudah ditandatangani", **PATIENT)
    for permit in permits:
        house.settle(permit)
    assert {row(house.teken, permit).state for permit in permits} == {State.IN_FORCE}


def figure(head: Visitor) -> int | None:
    """How many signed papers the page shows; ENDED once it speaks of the end, None while it is being loaded."""
    try:
        shown = head.page.query_selector(".tally .figure")
        if shown is not None:
            return int(shown.text_content())
        return ENDED if head.page.query_selector("#kemajuan h1") is not None else None
    except PageError:
        return None


def batch_of(head: Visitor) -> str:
    return str(head.page.url.rpartition("/")[2])


def at_the_signature(house: House, many: int, name: str = "RIBU") -> list[str]:
    """Post so many cases, and wait until the worker has laid their papers before the head."""
    permits = [house.post(OFFICE, TYPE, f"{name}-{number}") for number in range(many)]
    for permit in permits:
        house.settle(permit, patience=PATIENCE_SECONDS + many)
    return permits


def order_all(crew: Crew) -> Visitor:
    """The head signs all that lies in his tray with one passphrase; he looks at the batch's page."""
    head = crew.someone("kadis").go("/meja/ttd")
    head.page.click("details.all summary")
    head.page.check("input[name=sadar]")
    head.press("button[value=semua]")
    crew.with_passphrase(head)
    return head


def see_through(crew: Crew, head: Visitor, permits: list[str], doomed: subprocess.Popen) -> list[tuple[int, int]]:
    """Kill one of the signing processes at a third of the batch, and watch it to its end and each permit to its issue.

    Returns what the page showed, and the truth right after.
    """
    house, batch, seen = crew.house, batch_of(head), []
    while (shown := figure(head)) != ENDED:
        true = signed(house, batch)
        seen += [(shown, true)] if shown is not None else []
        if true >= len(permits) // 3 and doomed.poll() is None:
            doomed.kill()
        head.page.wait_for_timeout(300)
    crew.see_the_end(head)
    assert doomed.poll() is not None, "it was killed while documents waited"
    assert "Semua sudah ditandatangani" in head.text()
    for permit in permits:
        house.settle(permit, patience=PATIENCE_SECONDS + len(permits))
    assert {row(house.teken, permit).state for permit in permits} == {State.IN_FORCE}
    assert house.told() == []
    return seen


@pytest.mark.slow
def test_a_signing_process_is_killed_and_the_page_tells_the_truth(tmp_path, keys, chromium):
    house = House.open(tmp_path, keys, chromium, signer=False)
    try:
        crew, permits = Crew(house, OFFICE, "phone"), at_the_signature(house, MANY)
        with signing(2, tmp_path / "log", environment(tmp_path, keys)) as (first, _):
            announced(house.teken, 2)
            seen = see_through(crew, order_all(crew), permits, first)
    finally:
        house.close()
    assert seen
    assert all(shown <= true for shown, true in seen), seen
    assert [shown for shown, _ in seen] == sorted(shown for shown, _ in seen)
