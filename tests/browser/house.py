"""An office at work: web server, worker and signing process as threads over one database, and people with phones and office PCs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp
from axe_playwright_python.sync_playwright import Axe
from werkzeug.serving import make_server

from service import pipeline
from service.app import create_app
from service.clock import SystemClock
from service.desk import accounts
from service.wiring import Teken
from tests.desk.people import PASSWORD
from tests.support.office import open_office

PHONE, PC = (360, 740), (1280, 800)
SIZES = {"phone": PHONE, "pc": PC}
PATIENCE_MS = 15_000


@dataclass
class Visitor:
    """A browser window with somebody in front of it."""

    house: House
    page: Any
    login: str = ""
    secret: str = ""

    def go(self, path: str) -> Visitor:
        self.page.goto(self.house.url + path)
        return self

    def log_in(self) -> Visitor:
        self.go("/meja/masuk")
        self.page.fill("#f-login", self.login)
        self.page.fill("#f-password", PASSWORD)
        self.page.click("main button")
        self.page.fill("#f-code", pyotp.TOTP(self.secret).now())
        self.page.click("main button")
        self.page.wait_for_url("**/meja/")
        return self

    def text(self) -> str:
        return self.page.inner_text("body")

    def faults(self) -> list[str]:
        """What axe finds wrong with the page as it stands: rule and the first element."""
        found = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]

    def wider_than_its_window(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"))


@dataclass
class House:
    teken: Teken
    url: str
    chromium: Any
    server: Any
    stopped: threading.Event
    threads: list[threading.Thread]
    complaints: list[str] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)

    @classmethod
    def open(cls, home: Path, keys: Path, chromium: Any, *, passphrase_file: bool = False) -> House:
        """The head's passphrase is typed, as at an office; only the seal's secret lies in a file."""
        given = (
            {} if passphrase_file else {"passphrase_file": home / "none", "seal_passphrase_file": keys / "passphrase"}
        )
        teken = open_office(home, keys, clock=SystemClock(), signing=False, **given)
        signer = open_office(home, keys, clock=SystemClock(), signing=True, **given)
        server = make_server("127.0.0.1", 0, create_app(teken), threaded=True)
        stopped = threading.Event()
        jobs = [
            threading.Thread(target=server.serve_forever, daemon=True),
            threading.Thread(target=_work, args=(teken, "work", stopped), daemon=True),
            threading.Thread(target=_work, args=(signer, "sign", stopped), daemon=True),
        ]
        for job in jobs:
            job.start()
        return cls(teken, f"http://127.0.0.1:{server.server_port}", chromium, server, stopped, jobs)

    def visitor(self, size: str = "phone", *, javascript: bool = True) -> Visitor:
        width, height = SIZES[size]
        context = self.chromium.new_context(
            viewport={"width": width, "height": height}, locale="id-ID", java_script_enabled=javascript
        )
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: self._heard(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        return Visitor(self, page)

    def staff(
        self, office: str, official: str | None = None, *, size: str = "phone", duties=(), **rest: Any
    ) -> Visitor:
        """Somebody with an account, not logged in yet."""
        who = f"{office}/{official}" if official else None
        login = f"{official or '-'.join(duties)}.{office}"
        _, code = accounts.create(
            self.teken, office, login, official=who, name=None if who else "Contoh Petugas", duties=duties
        )
        secret = accounts.fresh_secret()
        earlier = pyotp.TOTP(secret).at(
            int(self.teken.clock.now().timestamp()) - 30
        )  # the present code is for the log-in
        accounts.accept_invitation(self.teken, code, password=PASSWORD, secret=secret, shown=earlier)
        visitor = self.visitor(size, **rest)
        visitor.login, visitor.secret = login, secret
        return visitor

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        self.stopped.set()
        self.server.shutdown()
        for thread in self.threads:
            thread.join(20)
        self.server.server_close()
        self.teken.close()

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and "favicon" not in text:
            self.complaints.append(f"{kind}: {text}")


def _work(teken: Teken, queue: str, stopped: threading.Event) -> None:
    while not stopped.is_set():
        if not pipeline.drain(teken, queue):
            stopped.wait(0.05)
    if queue == "sign":
        teken.close()
