"""Pictures of the public page in its states, on a phone and on a PC, with invented data: `python -m docs.images.verification`."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from docs.images.desk import small
from service import development
from service.settings import PROJECT
from tests.browser.street import STATES, Street, open_street

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
    sheet([OUT / f"{name}-phone.png" for name in SHEET])
    print("\n".join(street.heard), file=sys.stderr)
    return 0


def take(street: Street, name: str, size: str) -> None:
    """Show one state at one size."""
    state, unfolded = PICTURES[name]
    page = street.page(SIZES[size][0])
    page.goto(street.address(STATES[state], "id"))
    if unfolded:
        page.click(f"{unfolded} summary")
        page.locator(unfolded).evaluate("one => one.scrollIntoView()")
    path = OUT / f"{name}-{size}.png"
    page.screenshot(path=path)
    page.context.close()
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
