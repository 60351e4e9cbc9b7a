"""The public page behind the office's own address: every state it can be in, a clock that can be set, and a browser that finds it there."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from service.app import create_app
from service.clock import SetClock
from tests.support.office import NOW
from tests.verification.standing import World, open_world

HOST, ASTRAY = "izin.malang.example", "izin-malang.example"
UNKNOWN = "0123456789ABCDEF"


@dataclass(frozen=True)
class Shown:
    """One state of the page: whose code, on which day, and the headline in both languages."""

    id: str
    en: str
    code: str = "malang"
    at: datetime = NOW
    host: str = HOST


STATES = {
    "in_force": Shown("Izin ini berlaku", "This permit is in force"),
    "not_yet": Shown("Izin belum mulai berlaku", "Not yet in force", at=datetime(2026, 11, 19, tzinfo=UTC)),
    "expiring": Shown("Berlaku, habis 12 hari lagi", "In force, ends in 12 days", at=datetime(2031, 11, 8, tzinfo=UTC)),
    "tomorrow": Shown("Berlaku, habis besok", "In force, ends tomorrow", at=datetime(2031, 11, 19, tzinfo=UTC)),
    "expired": Shown("Masa berlaku sudah habis", "This permit has expired", at=datetime(2032, 1, 1, tzinfo=UTC)),
    "suspended": Shown("Izin ini dibekukan", "This permit is suspended", "suspended"),
    "revoked": Shown("Izin ini dicabut", "This permit is revoked", "revoked"),
    "replaced": Shown("Sudah digantikan izin baru", "Replaced by a new permit", "old"),
    "unknown": Shown("Kode tidak terdaftar", "The code is not registered", UNKNOWN),
    "undetermined": Shown("Belum dapat dipastikan", "Not certain yet", "away"),
    "form": Shown("Periksa sebuah izin", "Check a permit", ""),
    "astray": Shown("Izin ini berlaku", "This permit is in force", host=ASTRAY),
}


class _Away:
    def ask(self, *_: object) -> Any:
        raise OSError


@dataclass
class Street:
    """The server behind the office's own address, with a clock that the test sets, and a browser that finds it there."""

    world: World
    clock: SetClock
    browser: Any
    heard: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    received: list[int] = field(default_factory=list)

    def address(self, shown: Shown, lang: str) -> str:
        """Return where this state is to be seen, and make it the day on which it is."""
        self.clock.at = shown.at
        tail = "?lang=en" if lang == "en" else ""
        if not shown.code:
            return f"http://{shown.host}/V{tail}"
        known = self.world.permits.get(shown.code)
        return f"http://{shown.host}/V/{self.world[shown.code].code if known else shown.code}{tail}"

    def page(self, width: int, *, javascript: bool = True, **more: Any) -> Any:
        context = self.browser.new_context(
            viewport={"width": width, "height": 740 if width < 1000 else 800}, java_script_enabled=javascript, **more
        )
        page = context.new_page()
        page.on("console", lambda said: self._hear(said.text))
        page.on("pageerror", lambda error: self.heard.append(str(error)))
        page.on("request", lambda asked: self.requests.append(asked.url))
        page.on("requestfinished", lambda asked: self.received.append(asked.sizes()["responseBodySize"]))
        return page

    def _hear(self, text: str) -> None:
        if "status of 404" not in text and "status of 503" not in text:  # the state's own status
            self.heard.append(text)


@contextmanager
def open_street(home: Path, keys: Path, playwright: Any, chromium: str) -> Iterator[Street]:
    """Serve the permits of a world, as the office's own host and as one that is not its own."""
    world = open_world(home, keys, ("malang", "kudus"))
    clock = SetClock(NOW)
    app = create_app(dataclasses.replace(world.teken, clock=clock))
    away = create_app(dataclasses.replace(world.teken, clock=clock, db=_Away()))

    def served(environ: Any, start: Any) -> Any:
        return (away if environ["PATH_INFO"].endswith("/away") else app)(environ, start)

    server = make_server("127.0.0.1", 0, served, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    own = [
        f"--host-resolver-rules=MAP *.example 127.0.0.1:{server.server_port}",
        f"--unsafely-treat-insecure-origin-as-secure=http://{HOST},http://{ASTRAY}",  # outside it has TLS
    ]
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *own])
    try:
        yield Street(world, clock, browser)
    finally:
        browser.close()
        server.shutdown()
        thread.join(20)
        server.server_close()
        world.teken.close()
