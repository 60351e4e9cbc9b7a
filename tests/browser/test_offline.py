"""The offline QR in Chromium: the server was visited once and is dead now; papers that the phone has never seen are scanned."""

from __future__ import annotations

import base64
import random
import re
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from cryptography.hazmat.primitives.asymmetric import ec

from service import qr
from tests.browser.counter import HOLDER, first_visit, kill, open_papers
from tests.verification.test_issued_urls import CODE, FRAGMENT_V1, KEY_V1

AMBER, RED = "Luring: data cocok dengan kode QR; pencabutan belum diperiksa", "Kode QR tidak cocok"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
RANDOM = random.Random(47)


@pytest.fixture(scope="module")
def office(tmp_path_factory, keys):
    with open_papers(tmp_path_factory.mktemp("luring"), keys) as opened:
        yield opened


@pytest.fixture(scope="module")
def visit(office, chromium):
    """Online."""
    with first_visit(office, chromium) as counter:
        yield counter


@pytest.fixture(scope="module")
def dead(office, chromium):
    """After the first visit nobody answers."""
    with first_visit(office, chromium) as counter:
        kill(counter.server)
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
    page.close()


ENGLISH = "Offline: the data match the QR code; revocation not checked"


@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize(("query", "said"), [("", AMBER), ("?lang=en", ENGLISH)], ids=["id", "en"])
def test_it_reads_well_at_every_width(dead, width, query, said):
    page = dead.scan(dead.url("unseen").replace("#", f"{query}#"))
    page.set_viewport_size({"width": width, "height": 740})
    assert page.locator("h1").inner_text() == said
    assert page.locator("main").get_attribute("lang") == ("en" if query else "id")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
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
