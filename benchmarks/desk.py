"""A tray of many documents on the desk's own page, one of two signing processes killed at a third of it.

`python -m benchmarks.desk 1000`: at no moment may the page show more than is signed; at the end everything is.
"""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import sync_playwright

from service import development
from service.settings import PROJECT
from tests.browser.test_batches import sign_with_one_killed


def main(arguments: list[str]) -> int:
    """Measure; say how the page kept up."""
    many = int(arguments[0]) if arguments else 1000
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        development.certificates(PROJECT / "templates", home / "keys", key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        start = time.monotonic()
        seen = sign_with_one_killed(home, home / "keys", chromium, many)
        took = time.monotonic() - start
        chromium.close()
    ahead = sum(shown > true for shown, true in seen)
    behind = max(true - shown for shown, true in seen)
    print(
        f"{many} documents, {took:.0f} s in all, {len(seen)} looks: {ahead} ahead of the truth, at most {behind} behind it"
    )
    return 1 if ahead else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
