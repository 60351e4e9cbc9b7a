"""An office that tells its applicants, on both databases, and somebody who takes what it sends."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import time
from pathlib import Path

import pytest

from service import acts
from service.clock import SetClock
from service.notices.gateways import Gateways, Outlet
from service.notices.making import follow
from service.notices.message import Message, NotTaken
from service.notices.sending import send_one
from service.permits import State
from service.sop.load import Catalogue
from service.sop.model import Notices
from service.store import notices as store
from service.wiring import Teken
from tests.notices.receivers import make_certificate
from tests.support.office import NOW, OFFICES, client_of, open_office, payload, play, post, row

OFFICE, TYPE = "malang", "sik-perekam-medis"
PHONE, EMAIL = "+6281234567890", "siti@contoh.example"
POLICY = Notices(
    channels=("whatsapp", "email"),
    kinds=("ready", "returned", "expiring"),
    quiet_from=time(20),
    quiet_to=time(7),
    language="id",
    link="holder",
    expiring_days=60,
    texts={},
)


@dataclass
class Noted:
    """A sender that remembers; `refuses` is what it says next."""

    got: list[Message] = field(default_factory=list)
    refuses: NotTaken | None = None

    def send(self, message: Message) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.got.append(message)


@dataclass
class House:
    """One office with a policy, and two senders."""

    teken: Teken
    clock: SetClock
    client: object
    senders: dict[str, Noted]

    @property
    def gateways(self) -> Gateways:
        return Gateways(tuple(Outlet(name, name, (), one) for name, one in self.senders.items()))

    def with_policy(self, **changes) -> None:
        self.teken = replace(self.teken, offices=told_offices(**changes))

    def post(self, upstream_id: str = "UJI-1", *, wa: str | None = "081234567890", email: str | None = EMAIL) -> str:
        contact = {"applicant__wa": wa, "applicant__email": email}
        body = payload(OFFICE, TYPE, upstream_id, **{key: value for key, value in contact.items() if value})
        for key, value in (("wa", wa), ("email", email)):
            if value is None:
                body["applicant"].pop(key, None)
        return post(self.teken, self.client, body).body["id"]

    def returned(self, upstream_id: str = "UJI-1", **contact) -> str:
        """A case that somebody gave back."""
        permit = self.post(upstream_id, **contact)
        play(self.teken, permit, until=State.DRAFTED)
        acts.give_back(self.teken, f"{OFFICE}/ahli_muda", permit, reason="KTP Siti Contoh tidak terbaca")
        return permit

    def issued(self, upstream_id: str = "UJI-1", **contact) -> str:
        permit = self.post(upstream_id, **contact)
        play(self.teken, permit, until=State.IN_FORCE)
        return permit

    def follow(self) -> None:
        while follow(self.teken):
            pass

    def send(self) -> int:
        """Send all that is due now; return how many were tried."""
        self.follow()
        tried = 0
        while send_one(self.teken, self.gateways):
            tried += 1
        return tried

    def rows(self, **wanted) -> list:
        with self.teken.db.read() as connection:
            found = store.listed(connection)
        return [one for one in found if all(getattr(one, key) == value for key, value in wanted.items())]

    def outcomes(self) -> list[tuple[str, str, str, str | None]]:
        return sorted((one.kind, one.channel, one.outcome, one.cause) for one in self.rows())

    def row(self, permit: str):
        return row(self.teken, permit)


def told_offices(**changes) -> Catalogue:
    office = replace(OFFICES.office(OFFICE), notices=replace(POLICY, **changes))
    return replace(OFFICES, offices={**OFFICES.offices, office.code: office})


@pytest.fixture
def house(tmp_path, keys, request):
    """On SQLite; on both databases where a test asks for `database` too."""
    database = request.getfixturevalue("database") if "database" in request.fixturenames else ""
    clock = SetClock(NOW)
    teken = replace(open_office(tmp_path, keys, database=database, clock=clock), offices=told_offices())
    found = House(teken, clock, client_of(teken, OFFICE), {"whatsapp": Noted(), "email": Noted()})
    found.follow()  # from here on
    yield found
    teken.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))
