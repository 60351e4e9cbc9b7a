"""Pictures of the public page in its states, of the check of a file and of a phone without network, on a phone and on a PC.

With invented data: `python -m docs.images.verification`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from docs.images.desk import small
from service import development
from service.settings import PROJECT
from tests.browser.counter import first_visit, kill, open_papers
from tests.browser.street import HOST, STATES, Street, open_street

OUT = Path(__file__).parent / "verification"
SIZES = {"phone": (360, 740), "pc": (1280, 800)}
PICTURES = {
    "berlaku": ("in_force", ""),
    "akan-habis": ("expiring", ""),
    "belum-berlaku": ("not_yet", ""),
    "kedaluwarsa": ("expired", ""),
    "dibekukan": ("suspended", ""),
    "dicabut": ("revoked", ""),
    "digantikan": ("replaced", ""),
    "tidak-terdaftar": ("unknown", ""),
    "belum-pasti": ("undetermined", ""),
    "kode": ("form", ""),
    "alamat-lain": ("astray", ""),
    "rincian": ("in_force", "details"),
}
"""By name: the state, and what is unfolded and shown from there on."""
FILES = {
    "berkas": None,
    "berkas-asli": lambda street: street.world.pdf("malang"),
    "berkas-dicabut": lambda street: street.world.pdf("revoked"),
    "berkas-tidak-asli": lambda street: street.world.pdf("malang") + b"\n% tambahan",
}
"""By name: the file that is checked; none, the empty form."""
OFFLINE = {"luring": "unseen", "luring-dicabut": "revoked"}
"""By name: the paper that is scanned while the server is dead."""
SHEET = ("berlaku", "akan-habis", "dibekukan", "dicabut", "digantikan", "tidak-terdaftar")
GAP, TILE = 12, 150


def main() -> int:
    """Take every picture at both sizes, and put the main ones on one sheet."""
    OUT.mkdir(exist_ok=True)
    for old in OUT.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        keys = Path(folder) / "keys"
        development.certificates(PROJECT / "templates", keys, now=datetime(2026, 1, 1, tzinfo=UTC))
        with open_street(Path(folder), keys, playwright, "/usr/bin/chromium") as street:
            for size in SIZES:
                for name in PICTURES:
                    take(street, name, size)
                for name in FILES:
                    check(street, name, size, Path(folder) / "izin.pdf")
        with (
            chromium(playwright) as browser,
            open_papers(Path(folder) / "luring", keys) as office,
            first_visit(office, browser) as counter,
        ):
            kill(counter.server)
            for name, size in product(OFFLINE, SIZES):
                page = counter.scan(counter.url(OFFLINE[name]))
                page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
                keep(page, name, size)
    sheet([OUT / f"{name}-phone.png" for name in SHEET])
    print("\n".join(street.heard), file=sys.stderr)
    return 0


@contextmanager
def chromium(playwright: Any) -> Iterator[Any]:
    """Debian's own browser."""
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    yield browser
    browser.close()


def take(street: Street, name: str, size: str) -> None:
    """Show one state at one size."""
    state, unfolded = PICTURES[name]
    page = street.page(SIZES[size][0])
    page.goto(street.address(STATES[state], "id"))
    if unfolded:
        page.click(f"{unfolded} summary")
        page.locator(unfolded).evaluate("one => one.scrollIntoView()")
    keep(page, name, size)
    page.context.close()


def check(street: Street, name: str, size: str, path: Path) -> None:
    """Show the form, or what it says of a file."""
    page = street.page(SIZES[size][0])
    page.goto(f"http://{HOST}/periksa")
    if made := FILES[name]:
        path.write_bytes(made(street))
        page.set_input_files("#berkas", str(path))
        page.click("button")
    keep(page, name, size)
    page.context.close()


def keep(page: Any, name: str, size: str) -> None:
    """Write a small picture."""
    path = OUT / f"{name}-{size}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small(picture.convert("RGB")).save(path, optimize=True)


def sheet(paths: list[Path]) -> None:
    """Some of the phone's pictures side by side."""
    height = TILE * SIZES["phone"][1] // SIZES["phone"][0]
    whole = Image.new("RGB", (len(paths) * (TILE + GAP) + GAP, height + 2 * GAP), "#d5d9de")
    for place, path in enumerate(paths):
        with Image.open(path) as picture:
            tile = picture.convert("RGB").resize((TILE, height), Image.Resampling.LANCZOS)
        whole.paste(tile, (GAP + place * (TILE + GAP), GAP))
    small(whole).save(OUT / "states.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
