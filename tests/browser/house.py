"""An office at work: web server, worker and signing process as threads over one database, and people with phones and office PCs."""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp
from axe_playwright_python.sync_playwright import Axe
from werkzeug.serving import make_server

from service import clients, pipeline
from service.app import create_app
from service.clock import SystemClock
from service.demo import case_of
from service.desk import accounts
from service.wiring import Teken
from tests.desk.people import PASSWORD
from tests.support.office import OFFICES, open_office, row

PHONE, PC = (360, 740), (1280, 800)
SIZES = {"phone": PHONE, "pc": PC}
PATIENCE_MS = 30_000
PATIENCE_SECONDS = 60


@dataclass
class Visitor:
    """A browser window with somebody in front of it. Whatever page he comes to is looked at, once of each kind and size."""

    house: House
    page: Any
    size: str = "phone"
    javascript: bool = True
    login: str = ""
    secret: str = field(default="", repr=False)

    def go(self, path: str) -> Visitor:
        self.page.goto(self.house.url + path)
        return self.look()

    def press(self, what: Any) -> Visitor:
        """Press a button or follow a link (a selector or a locator) to the next page."""
        button = self.page.locator(what).first if isinstance(what, str) else what
        with self.page.expect_navigation():
            button.click()
        return self.look()

    def log_in(self) -> Visitor:
        self.go("/meja/masuk")
        self.page.fill("#f-login", self.login)
        self.page.fill("#f-password", PASSWORD)
        self.press("main button")
        self.page.fill("#f-code", pyotp.TOTP(self.secret).now())
        self.press("main button")
        assert self.page.url.endswith("/meja/"), self.text()
        return self

    def close_and_reopen(self) -> Visitor:
        """The telephone is locked, or the browser's tab is gone; later he is back, still logged in."""
        self.page.close()
        self.page = self.house.page(self.page.context)
        return self

    def slow_line(self, kilobits: int, latency_ms: int = 300) -> Visitor:
        """From now on this page has a slow line."""
        line = self.page.context.new_cdp_session(self.page)
        line.send("Network.enable")
        speed = kilobits * 1024 / 8
        conditions = {"offline": False, "latency": latency_ms, "downloadThroughput": speed, "uploadThroughput": speed}
        line.send("Network.emulateNetworkConditions", conditions)
        return self

    def text(self) -> str:
        return self.page.inner_text("body")

    def has(self, selector: str) -> bool:
        return self.page.locator(selector).count() > 0

    def at(self, size: str) -> Visitor:
        """The same person at a screen of this size."""
        width, height = SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})
        self.size = size
        return self

    def look(self) -> Visitor:
        """See whether everybody can use this page and whether it fits."""
        if not self.has("main"):
            return self
        if self.wider_than_its_window():
            self.house.complaints.append(f"{self.kind()}: wider than its window")
        if self.javascript and self.kind() not in self.house.seen:
            self.house.seen.add(self.kind())
            self.house.complaints += [f"{self.kind()}: {fault}" for fault in self.faults()]
        return self

    def kind(self) -> str:
        """The page without what is this case's own: address, headings of its notes, size."""
        path = re.sub(r"izn_\w+|[0-9a-f]{16,}|\b\w{2,5}_[0-9a-f]{8,}|/[\w-]{22,}", "*", self.page.url.split("?")[0])
        notes = self.page.locator("main .note h2").all_inner_texts()
        return " ".join([path.removeprefix(self.house.url), *sorted({*notes}), self.size])

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
    passphrase: str = field(repr=False)
    complaints: list[str] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    people: dict[tuple[str, str, bool], Visitor] = field(default_factory=dict)
    api_keys: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def open(
        cls, home: Path, keys: Path, chromium: Any, *, passphrase_file: bool = False, signer: bool = True
    ) -> House:
        """The head's passphrase is typed, as at an office; only the seal's secret lies in a file. `signer`: one of its own."""
        given = (
            {} if passphrase_file else {"passphrase_file": home / "none", "seal_passphrase_file": keys / "passphrase"}
        )
        teken = open_office(home, keys, clock=SystemClock(), signing=False, **given)
        server = make_server("127.0.0.1", 0, create_app(teken), threaded=True)
        stopped = threading.Event()
        jobs = [
            threading.Thread(target=server.serve_forever, daemon=True),
            threading.Thread(target=_work, args=(teken, "work", stopped), daemon=True),
        ]
        if signer:
            own = open_office(home, keys, clock=SystemClock(), signing=True, **given)
            jobs.append(threading.Thread(target=_work, args=(own, "sign", stopped), daemon=True))
        for job in jobs:
            job.start()
        secret = (keys / "passphrase").read_text().strip()
        return cls(teken, f"http://127.0.0.1:{server.server_port}", chromium, server, stopped, jobs, secret)

    def visitor(self, size: str = "phone", *, javascript: bool = True, cookies: Any = None) -> Visitor:
        width, height = SIZES[size]
        context = self.chromium.new_context(
            viewport={"width": width, "height": height},
            locale="id-ID",
            java_script_enabled=javascript,
            storage_state=cookies,
        )
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        return Visitor(self, self.page(context), size, javascript)

    def page(self, context: Any) -> Any:
        """A page of this browser whose complaints are heard."""
        page = context.new_page()
        page.on("console", lambda said: self._heard(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        return page

    def staff(
        self, office: str, official: str | None = None, *, size: str = "phone", duties=(), login: str = "", **rest: Any
    ) -> Visitor:
        """Somebody with an account, not logged in yet."""
        who = f"{office}/{official}" if official else None
        login = login or f"{official or '-'.join(duties)}.{office}"
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

    def at_work(self, office: str, official: str, *, size: str = "phone", javascript: bool = True) -> Visitor:
        """An official at his screen. He logs in himself, once; without JavaScript he brings that session along."""
        known = self.people.get((office, official, javascript))
        if known is not None:
            return known.at(size)
        if javascript:
            window = self.staff(office, official, size=size).log_in()
        else:
            session = self.at_work(office, official, size=size).page.context.storage_state()
            window = self.visitor(size, javascript=False, cookies=session)
        self.people[office, official, javascript] = window
        return window

    def post(self, office: str, kind: str, upstream_id: str, **changes: Any) -> str:
        """Post a case, or its correction, as the office's upstream does; return the permit's id."""
        if office not in self.api_keys:
            self.api_keys[office] = clients.add_client(self.teken, office, "Sistem hulu (uji)")[1]
        case = case_of(OFFICES.permit_type(office, kind), upstream_id, self.teken.clock.now())
        for path, value in changes.items():
            group, _, name = path.partition("__")
            case[group][name] = value
        headers = {"Authorization": f"Bearer {self.api_keys[office]}", "Content-Type": "application/json"}
        asked = urllib.request.Request(f"{self.url}/api/v1/cases", json.dumps(case).encode(), headers)
        with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:
            return str(json.load(answer)["id"])

    def settle(self, permit: str, *, patience: float = PATIENCE_SECONDS) -> Any:
        """Wait until the permit waits for a person or for nobody; return its row."""
        until = time.monotonic() + patience
        while (now := row(self.teken, permit)).queue not in {"person", "none"}:
            assert time.monotonic() < until, f"{now.state}, {now.queue}: {now.fault}"
            time.sleep(0.05)
        return now

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        self.stopped.set()
        self.server.shutdown()
        for thread in self.threads:
            thread.join(20)
        self.server.server_close()
        self.teken.close()

    def told(self) -> list[str]:
        """What was complained about since the last time."""
        told, self.complaints = self.complaints, []
        return told

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and "favicon" not in text:
            self.complaints.append(f"{kind}: {text}")


def _work(teken: Teken, queue: str, stopped: threading.Event) -> None:
    while not stopped.is_set():
        if not pipeline.drain(teken, queue):
            stopped.wait(0.05)
    if queue == "sign":
        teken.close()
