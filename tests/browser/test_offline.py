"""The offline QR in Chromium: the server was visited once and is dead now; papers that the phone has never seen are scanned."""

from __future__ import annotations

import base64
import random
import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from cryptography.hazmat.primitives.asymmetric import ec

from service import acts, qr, qr_lists
from service.permits import State
from tests.qr.conftest import House
from tests.support.office import holder, play, row
from tests.support.webserver import WebServer, web_server
from tests.verification.test_issued_urls import CODE, FRAGMENT_V1, KEY_V1

HOLDER = "Putri Contoh Handayani"
AMBER, RED = "Luring: data cocok dengan kode QR; pencabutan belum diperiksa", "Kode QR tidak cocok"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
RANDOM = random.Random(47)


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


@pytest.fixture(scope="module")
def office(tmp_path_factory, keys):
    house = House(tmp_path_factory.mktemp("luring"), keys, "rokan-hulu")
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
def first_visit(office, chromium):
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


@pytest.fixture(scope="module")
def visit(office, chromium):
    """Online."""
    with first_visit(office, chromium) as counter:
        yield counter


@pytest.fixture(scope="module")
def dead(office, chromium):
    """After the first visit nobody answers."""
    with first_visit(office, chromium) as counter:
        counter.server.process.terminate()
        counter.server.process.wait(60)
        yield counter


def test_online_the_server_has_the_word(visit):
    assert visit.tone == "panel good"
    paths = [url.removeprefix(visit.server.url).partition("#")[0] for url, _ in visit.cost]
    assert sorted(set(paths)) == sorted(
        [f"/V/{visit.papers['visited'].code}", "/qr/verify.js", "/qr/sw.js", "/qr/offline.json"]
    )
    assert len(paths) <= 6  # of those, some from the browser's own cache
    assert sum(dict(visit.cost).values()) < 30_000


def test_online_other_data_in_the_qr_are_told(visit):
    key = visit.house.teken.keys.qr("rokan-hulu")
    said = qr.checked(visit.papers["visited"].code, visit.papers["visited"].qr.partition("#")[2], key.public_key())
    forged = qr.signed(visit.papers["visited"].code, replace(said, number="503/1"), key)
    for fragment, words in (
        (forged, "Data pada kode QR tidak cocok"),
        (visit.papers["unseen"].qr.partition("#")[2], RED),
    ):
        page = visit.scan(visit.url("visited", fragment))
        page.locator("section[role=alert]").wait_for()
        assert page.locator("main .panel").first.locator("h1").inner_text() == words
        assert page.locator("main .panel").nth(1).get_attribute("class") == "panel good"
        page.close()


def test_the_access_log_never_holds_a_fragment(visit):
    for name in visit.papers:
        visit.scan(visit.url(name)).close()
    log = visit.server.log.read_text()
    assert "/V/" in log
    for paper in visit.papers.values():
        fragment = paper.qr.partition("#")[2]
        assert all(fragment[at : at + 12] not in log for at in range(0, len(fragment), 12))
    assert "#" not in log


def test_a_paper_never_seen_is_amber_and_shows_its_data(dead):
    page = dead.scan(dead.url("unseen"))
    paper = dead.papers["unseen"]
    panel = page.locator("main .panel").first
    assert (panel.get_attribute("class"), panel.locator("h1").inner_text()) == ("panel wait", AMBER)
    text = page.inner_text("main")
    for words in (
        paper.number,
        HOLDER,
        "20 November 2026 – 20 November 2031",
        "Perekam Medik",
        "Daftar pencabutan yang",
    ):
        assert words in text
    assert "berlaku, " not in text.lower()
    assert page.locator(".good").count() == 0
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()


def test_in_english_too(dead):
    page = dead.scan(dead.url("unseen").replace("#", "?lang=en#"))
    assert page.locator("h1").inner_text() == "Offline: the data match the QR code; revocation not checked"
    page.close()


def test_a_revoked_one_is_red_offline(dead):
    page = dead.scan(dead.url("revoked"))
    panel = page.locator("main .panel").first
    assert (panel.get_attribute("class"), panel.locator("h1").inner_text()) == ("panel bad", "Luring: izin ini dicabut")
    page.close()


def test_without_a_fragment_nothing_can_be_told(dead):
    assert dead.told(dead.url("unseen", "")) == ("wait", "Tidak dapat diperiksa tanpa jaringan")


def test_a_fragment_of_another_code_is_refused(dead):
    assert dead.told(dead.url("unseen", code=dead.papers["visited"].code)) == ("bad", RED)


def test_any_changed_letter_is_refused(dead):
    """Each class of place: heads, texts, key id, days, r, s, and at random."""
    good = dead.papers["unseen"].qr.partition("#")[2]
    places = sorted({*range(0, len(good), 7), len(good) - 1, *RANDOM.sample(range(len(good)), 12)})
    assert len(places) >= 40
    for at in places:
        other = LETTERS[(LETTERS.index(good[at]) + RANDOM.randrange(1, 32)) % 32]
        assert dead.told(dead.url("unseen", good[:at] + other + good[at + 1 :])) == ("bad", RED), at


def test_what_is_no_fragment_is_refused(dead):
    good = dead.papers["unseen"].qr.partition("#")[2]
    stranger = ec.derive_private_key(9, ec.SECP256R1())
    key = dead.house.teken.keys.qr("rokan-hulu")
    said = qr.checked(dead.papers["unseen"].code, good, key.public_key())
    unknown = replace(said, kid=qr.kid_of(stranger.public_key()))
    borrowed = qr.signed(dead.papers["unseen"].code, said, stranger)
    broken = {
        "unknown key": qr.signed(dead.papers["unseen"].code, unknown, stranger),
        "another's signature under our key's id": borrowed,
        "too long": good + "A" * 400,
        "garbage": "%F0%9F%92%A9",
        "lower case": good.lower(),
        "cut": good[:-8],
        "longer": good + "AAAAAAAA",
        "script": "<script>alert(1)</script>",
        "not canonical": _respelled(dead, said),
    }
    for name, fragment in broken.items():
        assert dead.told(dead.url("unseen", fragment)) == ("bad", RED), name


def test_the_first_fragment_ever_issued_is_read_by_the_pages_own_script(dead):
    """The literal vector of docs/QR.md, with its literal key, through the script that reads papers."""
    page = dead.scan(dead.url("unseen"))
    page.evaluate(
        """async ([kid, x, y]) => {
          const cache = await caches.open("teken-qr-1"), known = await (await cache.match("/qr/offline.json")).json();
          known.keys.push({ office: "rokan-hulu", kid, x, y, state: "retired" });
          await cache.put("/qr/offline.json", new Response(JSON.stringify(known)));
        }""",
        [qr.kid_of(qr.public_key(*KEY_V1)).hex(), *KEY_V1],
    )
    dead.phone.new_cdp_session(page).send("Network.clearBrowserCache")
    page.close()
    assert dead.told(f"{dead.server.url}/V/{CODE}#{FRAGMENT_V1}") == ("wait", AMBER)
    assert dead.told(f"{dead.server.url}/V/{CODE.lower()}#{FRAGMENT_V1}") == ("wait", AMBER)


def test_nothing_was_complained_about(dead):
    """The console says that the network is away, and nothing of our own policy."""
    assert [said for said in dead.heard if not re.search("ERR_CONNECTION_REFUSED|net::ERR", said)] == []


def _respelled(counter, said):
    """Signed with the office's own key, in another spelling than the canonical one."""
    body = qr.written(said).replace(b"\x88\x01", b"\x88\x18\x01", 1)
    key = counter.house.teken.keys.qr("rokan-hulu")
    signature = qr._sign(key, b"teken/qr/1\n" + qr.code_bits(counter.papers["unseen"].code) + body)
    return base64.b32encode(body + signature).decode().rstrip("=")
