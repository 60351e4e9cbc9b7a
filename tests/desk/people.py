"""People at the desk: invite somebody, set up his account, log in as he would, and read the pages that he gets."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

import pyotp

from service.clock import SetClock
from service.desk import accounts
from service.wiring import Teken

PASSWORD = "kuda laut di teluk biru"


@dataclass
class Person:
    """A browser with somebody in front of it."""

    desk: Desk
    login: str
    secret: str
    browser: Any = field(repr=False)
    page: str = ""
    status: int = 0
    headers: Any = None

    def get(self, path: str, **rest: Any) -> str:
        return self._kept(self.browser.get(path, **rest))

    def post(self, path: str, data: dict[str, Any] | None = None, *, csrf: str | None = None, **rest: Any) -> str:
        token = self.csrf if csrf is None else csrf
        return self._kept(self.browser.post(path, data={"csrf": token, **(data or {})}, **rest))

    @property
    def csrf(self) -> str:
        """The token of the last page that had a form."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.page)
        if found is None:
            self.get("/meja/")
            found = re.search(r'name="csrf" value="([^"]+)"', self.page)
        return found.group(1) if found else ""

    @property
    def text(self) -> str:
        """What a reader sees, roughly."""
        bare = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", self.page, flags=re.S)
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", bare))).strip()

    def code(self) -> str:
        """The authenticator's code; the clock moves on first, since no code counts twice."""
        self.desk.clock.forward(seconds=30)
        return pyotp.TOTP(self.secret).at(self.desk.clock.now())

    def log_in(self, password: str = PASSWORD) -> str:
        self.get("/meja/masuk")
        self.post("/meja/masuk", {"login": self.login, "password": password})
        if self.status == 303:
            self.get(self.headers["Location"])
            self.post("/meja/masuk/kode", {"code": self.code()})
        return self.get("/meja/") if self.status == 303 else self.page

    def _kept(self, response: Any) -> str:
        self.page, self.status, self.headers = response.get_data(as_text=True), response.status_code, response.headers
        return self.page


@dataclass
class Desk:
    teken: Teken
    clock: SetClock
    app: Any

    def stranger(self) -> Person:
        return Person(self, "", "", self.app.test_client())

    def employ(self, office: str, official: str | None = None, *, duties=(), login: str = "") -> Person:
        """Give an official (or somebody with duties) an account that is set up, not logged in."""
        name = login or (official or "-".join(duties)) + "." + office
        who = f"{office}/{official}" if official else None
        account, code = accounts.create(
            self.teken, office, name, official=who, name=None if who else "Contoh Petugas", duties=duties
        )
        secret = accounts.fresh_secret()
        shown = pyotp.TOTP(secret).at(self.clock.now())
        accounts.accept_invitation(self.teken, code, password=PASSWORD, secret=secret, shown=shown)
        return Person(self, account.login, secret, self.app.test_client())

    def at_work(self, office: str, official: str | None = None, **rest: Any) -> Person:
        """The same, logged in."""
        person = self.employ(office, official, **rest)
        person.log_in()
        assert person.status == 200, person.text
        return person
