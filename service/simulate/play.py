"""What the simulator knows: its script (`bsre.toml`), the switches that are on, its keys, codes and clock."""

from __future__ import annotations

import itertools
import secrets
import time
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from certs.make_dev_pki import make_dev_pki
from service.errors import TekenError
from signing import Pkcs12Backend, Timestamper, open_pkcs12

CODE_DIGITS: Final = 6


class QuirkUnknown(TekenError):
    """There is no such switch, or its value is not a number."""

    code = "quirk_unknown"


@cache
def script() -> Mapping[str, Any]:
    """`bsre.toml`."""
    return tomllib.loads(resources.files(__package__).joinpath("bsre.toml").read_text("utf-8"))


def parse(switches: Iterable[str]) -> dict[str, float]:
    """`NAME` or `NAME=NUMBER` to values. Raises QuirkUnknown."""
    known = script()["quirk"]
    found: dict[str, float] = {}
    for switch in switches:
        name, _, value = switch.partition("=")
        try:
            found[name] = float(value or known[name].get("default", 1))
        except (KeyError, ValueError):
            raise QuirkUnknown(quirk=switch, known=", ".join(known)) from None
        if name not in known:
            raise QuirkUnknown(quirk=switch, known=", ".join(known))
    return found


@dataclass(slots=True)
class Given:
    """What a person's code is still good for."""

    at: datetime
    documents: int
    requests: int = 0


@dataclass(slots=True)
class Play:
    """One running simulation. `folder` gets a development PKI with one certificate per invented account.

    `timestamper` stamps what it signs, as the real service is said to; none of its own is simulated.
    """

    folder: Path
    on: dict[str, float]
    codes: dict[str, str] = field(default_factory=dict)
    timestamper: Timestamper | None = None
    _given: dict[str, Given] = field(default_factory=dict)
    _keys: dict[str, Pkcs12Backend] = field(default_factory=dict, repr=False)
    _number: itertools.count[int] = field(default_factory=itertools.count, repr=False)
    _refused: int = 0

    def __post_init__(self) -> None:
        people = [(number, one["name"]) for number, one in self.accounts.items() if not one.get("seal")]
        seals = [(number, one["name"]) for number, one in self.accounts.items() if one.get("seal")]
        make_dev_pki(self.folder, people, seals, key="p256")

    @property
    def accounts(self) -> Mapping[str, Any]:
        return dict(script()["account"])

    def account(self, number: str, *, seal: bool) -> Mapping[str, Any] | None:
        """An active account of that kind, as the service sees it when it signs; otherwise it is `not registered`."""
        found = self.accounts.get(number)
        usable = found is not None and found["status"] == "ISSUE" and bool(found.get("seal")) == seal
        return None if "not_registered" in self.on or not usable else found

    def key(self, number: str) -> Pkcs12Backend:
        if number not in self._keys:
            passphrase = (self.folder / "passphrase").read_bytes().strip()
            self._keys[number] = open_pkcs12(self.folder / f"{number}.p12", passphrase)
        return self._keys[number]

    def new_code(self, number: str, documents: int = 1) -> str:
        self._given[number] = Given(self.now(), documents)
        self.codes[number] = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        return self.codes[number]

    def takes_secret(self, number: str, account: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
        """The account's passphrase, or the code that was sent last."""
        if "wrong_passphrase" in self.on:
            return False
        if "totp" in body:
            sent = self.codes.get(number, secrets.token_hex())
            right = secrets.compare_digest(str(body["totp"]).encode(), sent.encode())
            return right and (bool(account.get("seal")) or self._still_good(number, len(body.get("file", []))))
        return bool(account["passphrase"]) and body.get("passphrase") == account["passphrase"]

    def _still_good(self, number: str, documents: int) -> bool:
        """What a person's code covers is not known of the real service: three switches play three answers."""
        given = self._given[number]
        used, left = given.requests, given.documents
        given.requests, given.documents = used + 1, left - documents
        age = self.now() - given.at
        return not (
            ("totp_once" in self.on and used)
            or ("totp_counted" in self.on and documents > left)
            or ("totp_minutes" in self.on and age >= timedelta(minutes=self.on["totp_minutes"]))
        )

    def refuses_now(self) -> int:
        """429 or 503 for the first so many requests, otherwise 0."""
        for name, status in (("too_many", 429), ("unavailable", 503)):
            if self._refused < self.on.get(name, 0):
                self._refused += 1
                return status
        return 0

    def now(self) -> datetime:
        """The simulated service's clock."""
        return datetime.now(UTC) + timedelta(minutes=self.on.get("clock_off", 0))

    def own_field(self) -> str:
        """A field name as the service makes them: `sig_` and milliseconds."""
        return f"sig_{int(time.time() * 1000) + next(self._number)}"
