"""Pictures of the desk's screens on a phone and on a PC, from offices at work with invented data: `python -m docs.images.desk`.

The offices are the browser tests' own: real server, worker, signing process and Chromium.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

from PIL import Image
from playwright.sync_api import sync_playwright

from service import development
from service.demo import take_turn
from service.settings import PROJECT
from service.sop.model import Verb
from signing.backends.pkcs12 import Pkcs12Backend
from tests.browser.crew import Crew
from tests.browser.house import SIZES, House, Visitor
from tests.support.office import OFFICES, TYPES, row

OUT = Path(__file__).parent / "desk"
ROHIL, ROHUL, MALANG, KUDUS, ANESTESI = TYPES
NAMES = (
    "Siti Contoh Rahmawati, A.Md.RMIK",
    "Bayu Contoh Pratama, A.Md.Kes",
    "Ni Luh Contoh Ayuningtyas, S.Tr.RMIK",
    "Muhammad Contoh Ridwan, A.Md.PK",
    "Theresia Contoh Simbolon, S.K.M.",
    "Rizky Contoh Ramadhan, A.Md.RMIK",
    "Fitriani Contoh Zulaikha, A.Md.RMIK",
    "Yohanes Contoh Wibisono, S.Tr.RMIK",
)
PLACES = (
    "RSUD Contoh Kanjuruhan",
    "Klinik Contoh Medika",
    "Puskesmas Contoh Selatan",
    "RS Contoh Harapan",
)
COLUMNS, GAP, TILE = {"phone": 8, "pc": 4}, 16, {"phone": 240, "pc": 480}
COLOURS = 128
ids = count(41)


@dataclass
class Album:
    """Takes a picture of what somebody sees, at both sizes."""

    taken: dict[str, list[Path]] = field(default_factory=lambda: {size: [] for size in SIZES})

    def take(self, name: str, who: Visitor) -> None:
        for size in SIZES:
            who.at(size)
            who.page.evaluate("window.scrollTo(0, 0)")
            who.page.wait_for_timeout(150)
            path = OUT / f"{len(self.taken[size]) + 1:02}-{name}-{size}.png"
            who.page.screenshot(path=path)
            with Image.open(path) as picture:
                small(picture.convert("RGB")).save(path, optimize=True)
            self.taken[size].append(path)

    def sheets(self) -> None:
        """All of one size on one sheet."""
        for size, paths in self.taken.items():
            width, columns = TILE[size], COLUMNS[size]
            height = width * SIZES[size][1] // SIZES[size][0]
            rows = -(-len(paths) // columns)
            sheet = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP), "#d5d9de")
            for place, path in enumerate(paths):
                with Image.open(path) as picture:
                    tile = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
                y, x = divmod(place, columns)
                sheet.paste(tile, (GAP + x * (width + GAP), GAP + y * (height + GAP)))
            small(sheet).save(OUT / f"{size}.png", optimize=True)


def small(picture: Image.Image) -> Image.Image:
    """The same in 256 colours: those that fill areas stay exactly what they are, the rest is shared out."""
    counted = picture.getcolors(picture.width * picture.height) or []
    areas = [colour for _, colour in sorted(counted, reverse=True)[:COLOURS]]
    rest = picture.quantize(256 - len(areas)).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in areas for value in colour] + rest[: 3 * (256 - len(areas))])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def main() -> int:
    """Play a day at four offices and take the pictures."""
    OUT.mkdir(exist_ok=True)
    for old in OUT.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home, album = Path(folder), Album()
        development.certificates(PROJECT / "templates", home / "keys", now=datetime(2026, 1, 1, tzinfo=UTC))
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        house = House.open(home, home / "keys", chromium)
        try:
            door(house, album)
            reading(house, album)
            tray(house, album)
            counter(house, album)
            decisions(house, album)
            holder(house, album)
            entry(house, album)
            admin(house, album)
        finally:
            house.close()
            chromium.close()
        album.sheets()
    print("\n".join(house.told()), file=sys.stderr)
    return 0


def posted(house: House, kind: tuple[str, str], many: int, until: Verb | None = None) -> list[str]:
    """Post cases of different people, and let everybody act up to an act."""
    found: list[str] = []
    for number in range(many):
        values = {"applicant__nama": NAMES[number % len(NAMES)], "practice__nama": PLACES[number % len(PLACES)]}
        found.append(house.post(*kind, f"HULU-2026-{next(ids):04}", **values))
    for permit in found:
        bring(house, permit, until)
    return found


def bring(house: House, permit: str, until: Verb | None) -> None:
    """Let everybody act, up to this act."""
    while until is not None and house.settle(permit).queue == "person":
        now = row(house.teken, permit)
        if house.teken.pins.open(now.pin).permit_type.procedure.plan[now.position].verb is until:
            return
        take_turn(house.teken, permit)


def door(house: House, album: Album) -> None:
    """Logging in."""
    album.take("masuk", house.visitor().go("/meja/masuk"))


def reading(house: House, album: Album) -> None:
    """An official with parafs to give."""
    waiting = posted(house, MALANG, 6, Verb.PARAF)
    crew = Crew(house, MALANG[0], "phone")
    reader = crew.someone("ahli_muda").go("/meja/")
    album.take("kotak-masuk", reader)
    reader.press(f"main a[href*='{waiting[0]}']")
    album.take("berkas", reader)
    reader.press("a[href$='/kembalikan']")
    album.take("kembalikan", reader)
    album.take("kotak-masuk-kosong", crew.someone("sekretariat_1").go("/meja/"))


def tray(house: House, album: Album) -> None:
    """The head signs."""
    posted(house, ROHIL, 8, Verb.SIGN)
    posted(house, ANESTESI, 4, Verb.SIGN)
    crew = Crew(house, ROHIL[0], "phone")
    head = crew.someone("kadis").go("/meja/ttd")
    head.press(".chooser a.button")
    album.take("baca", head)
    head.press("#sesudah").go("/meja/ttd")
    album.take("tanda-tangan", head)
    head.page.click("details.all summary")
    head.page.check("input[name=sadar]")
    head.press("button[value=semua]")
    album.take("periksa", head)
    with mock.patch.object(Pkcs12Backend, "sign_attributes", _slowly(Pkcs12Backend.sign_attributes)):
        crew.with_passphrase(head)
        head.page.wait_for_timeout(3000)
        album.take("kemajuan", head)
        crew.see_the_end(head)
    album.take("selesai", head)


def counter(house: House, album: Album) -> None:
    """The counter of the same office: prints, survey, hand-over."""
    crew = Crew(house, ROHIL[0], "phone")
    clerk = crew.someone("back_office_1").go("/meja/loket")
    album.take("loket", clerk)
    first = str(clerk.page.locator("main tbody a.cover").first.get_attribute("href")).rpartition("/")[2]
    bring(house, first, Verb.SURVEY)
    album.take("survei", clerk.go(f"/meja/loket/{first}/survei"))
    bring(house, first, Verb.HANDOVER)
    album.take("serah-terima", clerk.go(f"/meja/loket/{first}"))
    album.take("kolektif", clerk.go("/meja/loket/kolektif"))
    crew.act(crew.from_inbox("back_office_1", first), first)
    album.take("buku-serah-terima", clerk.go("/meja/loket/buku"))
    for name, path in (("register", "/meja/register"), ("skm", "/meja/survei"), ("laporan", "/meja/laporan")):
        album.take(name, clerk.go(path))
    album.take("buku-register", clerk.go("/meja/register").press("main a[href*='/register/buku']"))


def decisions(house: House, album: Album) -> None:
    """After issue: a correction, a revocation, and what the head has to confirm."""
    crew = Crew(house, ROHIL[0], "phone")
    clerk = crew.someone("back_office_1").go("/meja/loket/buku")
    permit = str(clerk.page.locator("main tbody a.strong").first.get_attribute("href")).rpartition("/")[2]
    album.take("izin-terbit", clerk.go(f"/meja/izin/{permit}"))
    album.take("perbaikan", clerk.go(f"/meja/izin/{permit}/perbaikan"))
    clerk.go(f"/meja/izin/{permit}/keputusan")
    clerk.page.click("details:has(form[action$='/suspend']) summary")
    clerk.page.fill("form[action$='/suspend'] [name=keputusan]", "SK-44/2026 (contoh)")
    clerk.page.fill("form[action$='/suspend'] [name=alasan]", "Menunggu klarifikasi tempat praktik")
    album.take("keputusan", clerk)
    clerk.press("form[action$='/suspend'] button")
    album.take("keputusan-pimpinan", crew.someone("kadis").go("/meja/keputusan"))


def holder(house: House, album: Album) -> None:
    """The holder's own page."""
    clerk = Crew(house, ROHIL[0], "phone").someone("back_office_1").go("/meja/loket?saring=print")
    permit = str(clerk.page.locator("main tbody a.cover").first.get_attribute("href")).rpartition("/")[2]
    bring(house, permit, Verb.SURVEY)
    fields = OFFICES.permit_type(row(house.teken, permit).office, row(house.teken, permit).type).fields
    born = next(str(one.sample) for one in fields if one.path == "applicant.tanggal_lahir")
    guest = house.visitor().go("/izin-saya")
    album.take("izin-saya", guest)
    guest.page.fill("#tiket", Crew(house, ROHIL[0], "phone").ticket(permit))
    guest.page.fill("#lahir", born)
    album.take("izin-saya-keadaan", guest.press("main form button"))


def _slowly(sign: Callable[..., bytes]) -> Callable[..., bytes]:
    def slow(*given: Any) -> bytes:
        time.sleep(0.8)
        return sign(*given)

    return slow


def entry(house: House, album: Album) -> None:
    """A clerk enters what an applicant brought."""
    clerk = Crew(house, KUDUS[0], "phone").someone("gerai_1").go("/meja/permohonan/baru")
    album.take("permohonan", clerk)
    album.take("permohonan-daftar", clerk.go("/meja/permohonan"))
    album.take("impor", clerk.go("/meja/permohonan/impor"))


def admin(house: House, album: Album) -> None:
    """The admin's screens."""
    one = house.staff(ROHUL[0], duties=["admin"], login="admin.gambar").log_in().go("/meja/admin")
    album.take("admin", one)
    album.take("penugasan", one.go("/meja/admin/penugasan/baru"))
    album.take("libur", one.go("/meja/admin/libur"))
    auditor = house.staff(ROHIL[0], duties=["auditor"], login="auditor.gambar").log_in().go("/meja/audit")
    album.take("audit", auditor)
    album.take("catatan", auditor.go("/meja/audit/catatan"))


if __name__ == "__main__":
    sys.exit(main())
