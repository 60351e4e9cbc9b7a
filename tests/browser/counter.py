"""A phone at a counter: it visited the office's real server once, papers are scanned with it, and then the server dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service import acts, qr_lists
from service.permits import State
from tests.qr.conftest import House
from tests.support.office import holder, play, row
from tests.support.webserver import WebServer, web_server

HOLDER = "Putri Contoh Handayani"


@dataclass
class Counter:
    """A citizen's phone, the office's server, and papers: visited, unseen, revoked."""

    house: House
    server: WebServer
    phone: Any
    papers: dict[str, Any]
    heard: list[str] = field(default_factory=list)
    cost: list[tuple[str, int]] = field(default_factory=list)
    tone: str = ""

    def url(self, name: str, fragment: str | None = None, code: str | None = None) -> str:
        paper = self.papers[name]
        tail = paper.qr.partition("#")[2] if fragment is None else fragment
        return f"{self.server.url}/V/{code or paper.code}{'#' if tail else ''}{tail}"

    def scan(self, url: str) -> Any:
        """Open an address in a new tab, as a phone's camera does; wait until the page has said something."""
        page = self.phone.new_page()
        page.on("console", lambda said: self.heard.append(said.text))
        page.goto(url)
        page.locator("main .panel").first.wait_for()
        return page

    def told(self, url: str) -> tuple[str, str]:
        """(tone, headline) that an address brings; no field is shown unless the tone is amber."""
        page = self.scan(url)
        try:
            shown = page.locator("main .panel").first
            tone = shown.get_attribute("class").split()[-1]
            if tone == "bad":
                assert page.locator("main dl").count() == 0
                assert HOLDER not in page.content()
            return tone, shown.locator("h1").inner_text()
        finally:
            page.close()


@contextmanager
def open_papers(folder: Path, keys: Path) -> Iterator[tuple[House, dict[str, Any]]]:
    """An office whose QR proves its own data, and its papers by name; one of them was revoked."""
    house = House(folder, keys, "rokan-hulu")
    papers = {}
    for number, name in enumerate(("visited", "unseen", "revoked")):
        permit = house.post(f"UJI-{number:04}")
        play(house.teken, permit)
        papers[name] = permit
    head = holder(house.teken, house.office, "kepala_dinas")
    acts.decide(house.teken, head, papers["revoked"], to=State.REVOKED, reason="uji", decision="SK-1")
    qr_lists.refresh(house.teken)
    yield house, {name: row(house.teken, permit) for name, permit in papers.items()}
    house.teken.close()


@contextmanager
def first_visit(office: tuple[House, dict[str, Any]], chromium: Any) -> Iterator[Counter]:
    """A phone's first visit to the real server, whose access log is as talkative as it can be made; what the visit cost."""
    house, papers = office
    told = {"keys": house.keys, "templates": house.templates}
    with web_server(house.home, "--access-logfile", "-", "--log-level", "debug", **told) as server:
        context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="id-ID")
        asked: list[Any] = []
        context.on("requestfinished", lambda one: asked.append(one))
        counter = Counter(house, server, context, papers)
        page = counter.scan(counter.url("visited"))
        page.evaluate("navigator.serviceWorker.ready")
        page.wait_for_function("caches.match('/qr/offline.json').then(found => !!found)")
        counter.cost = [(one.url, one.sizes()["responseBodySize"]) for one in asked]
        counter.tone = page.locator("main .panel").first.get_attribute("class")
        yield counter
        context.close()


def kill(server: WebServer) -> None:
    """End the server, so that nobody answers."""
    server.process.terminate()
    server.process.wait(60)
