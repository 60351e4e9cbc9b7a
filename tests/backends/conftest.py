"""Offices whose head or seal signs elsewhere: at the simulated BSrE, at a CSC service, in a SoftHSM2 token. Everything else is real."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service import acts, batch, batch_ends, pipeline
from service.clock import SystemClock
from service.settings import PROJECT, Settings
from service.sop import load_offices
from service.store import dispatches
from service.store.tables import documents, events, quarantine
from service.wiring import Teken, open_teken
from tests.procedures.stories import edit
from tests.signing.simulated import NIK, SEAL, SECRET, Service, playing
from tests.support.office import client_of, holder, payload, play, post, row, take_turn, work

HILIR = ("rokan-hilir", "sip-perekam-medis")  # the number first, no seal
HULU = ("rokan-hulu", "surat-izin-perekam-medik")  # the number first, and a seal
PASSPHRASE = SECRET.text.encode()


@dataclass
class Home:
    """A folder with everything that an operator would set up for one office. `start` opens a process of it."""

    folder: Path
    keys: Path
    database: str
    kind: tuple[str, str]
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def office(self) -> str:
        return self.kind[0]

    @property
    def templates(self) -> Path:
        return self.folder / "templates"

    def values(self, **more: Any) -> dict[str, Any]:
        return {
            "home": self.folder / "home",
            "keys": self.folder / "keys",
            "database_url": self.database,
            "templates": self.templates,
            "trust": self.folder / "trust.pem",
            "intermediates": self.folder / "issuing.pem",
            "signing_host": self.folder / "host.toml",
            "passphrase_file": self.folder / "none",
            "seal_passphrase_file": self.keys / "passphrase",
            "retry_seconds": 0,
            **self.settings,
            **more,
        }

    def start(self, *, signing: bool = True, clock: Any = None, **more: Any) -> Teken:
        given = Settings(**self.values(**more))
        return open_teken(given, clock=clock or SystemClock(), signing=signing, offices=load_offices(self.templates))

    def enrol(self, owner: str, certificate: Path) -> None:
        """Put another certificate beside the keys, and take the key file away."""
        name = owner.replace("/", ".")
        (self.folder / "keys" / f"{name}.p12").unlink(missing_ok=True)
        shutil.copy(certificate, self.folder / "keys" / f"{name}.cert.pem")

    def host(self, text: str) -> None:
        path = self.folder / "host.toml"
        path.write_text(text)
        path.chmod(0o600)

    def secret(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.write_text(text)
        path.chmod(0o600)
        return path


def furnish(folder: Path, keys: Path, database: str, kind: tuple[str, str], signing: str, *trusted: Path) -> Home:
    """An office whose `[signing]` is this text, trusting the development CA and those of the folders in `trusted`."""
    home = Home(folder, keys, database, kind)
    shutil.copytree(keys, folder / "keys")
    shutil.copytree(PROJECT / "templates", home.templates)
    if '"bsre"' in signing and kind == HULU:  # its pictures are too coarse for a QR that proves its own data
        edit(home.templates / kind[0] / "office.toml", "offline = true", "offline = false")
    with (home.templates / kind[0] / "office.toml").open("a") as file:
        file.write("\n" + signing if signing.startswith("[") else f"\n[signing]\n{signing}\n")
    for name, out in (("root.pem", "trust.pem"), ("issuing.pem", "issuing.pem")):
        (folder / out).write_text("".join((place / name).read_text() for place in (keys, *trusted)))
    return home


def head_of(kind: tuple[str, str]) -> str:
    """The official (office/code) who holds the role that signs, with no end."""
    office = load_offices(PROJECT / "templates").offices[kind[0]]
    signs = {role.code for role in office.roles.values() if role.signs}
    holds = {one.code: [role for role, _, _, until, _ in one.roles if until is None] for one in office.people}
    return next(f"{kind[0]}/{code}" for code, roles in holds.items() if signs & set(roles))


@dataclass
class Desk:
    """An office at work: web, worker and signing process in one."""

    teken: Teken
    kind: tuple[str, str]
    service: Service | None = None
    serial: Iterator[int] = field(default_factory=count)
    client: Any = None

    @property
    def head(self) -> str:
        return holder(self.teken, self.kind[0], str(self._role()))

    def _role(self) -> str:
        procedure = self.teken.offices.permit_type(*self.kind).procedure
        return next(act.role for act in procedure.plan if act.verb == "sign")

    def fill(self, number: int) -> list[tuple[str, str]]:
        """So many permits in the head's tray: (permit, hash of what he read)."""
        self.client = self.client or client_of(self.teken, self.kind[0])
        ids = [
            post(self.teken, self.client, payload(*self.kind, f"BERKAS-{next(self.serial)}")).body["id"]
            for _ in range(number)
        ]
        for permit in ids:
            self._until_the_head(permit)
        return [(permit, row(self.teken, permit).final_sha) for permit in ids]

    def _until_the_head(self, permit: str) -> None:
        while True:
            work(self.teken)
            now = row(self.teken, permit)
            act = self.teken.pins.open(now.pin).permit_type.procedure.plan[now.position]
            if now.queue == "person" and act.verb == "sign":
                return
            assert take_turn(self.teken, permit), now

    def open(self, listed, passphrase: bytes = PASSPHRASE) -> batch.Batch:
        pipeline.advance(self.teken, "sign")  # makes itself known
        return batch.open_batch(self.teken, self.head, listed, bytearray(passphrase))

    def sign(self, most: int = 1000) -> None:
        for _ in range(most):
            if not pipeline.advance(self.teken, "sign"):
                return

    def signed(self, number: int = 1, passphrase: bytes = PASSPHRASE) -> tuple[batch.Batch, list[str]]:
        """Fill the tray, sign it, and let the work end."""
        listed = self.fill(number)
        opened = self.open(listed, passphrase)
        self.sign()
        pipeline.drain(self.teken, "work")
        return batch.status(self.teken, opened.id), [permit for permit, _ in listed]

    def row(self, permit: str):
        return row(self.teken, permit)

    def told(self, permit: str) -> list[str]:
        """The journal of one permit from the order to sign on, without its prefix."""
        with self.teken.db.read() as connection:
            query = select(events.c.type).where(events.c.permit == permit).order_by(events.c.seq)
            types = [one.removeprefix("permit.") for one in connection.execute(query).scalars()]
        return types[types.index("sign_ordered") :]

    def dispatches(self, permit: str) -> list[str]:
        with self.teken.db.read() as connection:
            return [one.outcome for one in dispatches.of_permit(connection, permit)]

    def quarantined(self, permit: str) -> list[str]:
        with self.teken.db.read() as connection:
            return list(connection.execute(select(quarantine.c.why).where(quarantine.c.permit == permit)).scalars())

    def signatures(self, permit: str) -> list[dict[str, Any]]:
        """What is recorded of the newest version's signatures."""
        with self.teken.db.read() as connection:
            query = select(documents.c.signatures).where(documents.c.permit == permit)
            return json.loads(connection.execute(query.order_by(documents.c.version.desc())).scalars().first())

    def released(self, permit: str) -> int:
        with self.teken.db.read() as connection:
            return len(connection.execute(select(documents).where(documents.c.permit == permit)).all())

    def order(self, permit: str) -> None:
        acts.order_signature(self.teken, self.head, permit, seen_sha=self.row(permit).final_sha)

    def work(self) -> None:
        pipeline.drain(self.teken, "work")

    def tend(self) -> None:
        batch_ends.tend(self.teken)

    def to_the_end(self, permit: str) -> str:
        play(self.teken, permit)
        work(self.teken)
        return row(self.teken, permit).state


@pytest.fixture(scope="session")
def bsre_keys(tmp_path_factory) -> Path:
    """The simulated service's own PKI, the same for every quirk."""
    folder = tmp_path_factory.mktemp("bsre")
    with playing(folder):
        return folder


@contextmanager
def bsre_office(
    folder: Path,
    keys: Path,
    bsre_keys: Path,
    *quirks: str,
    kind: tuple[str, str] = HILIR,
    signing: str = 'backend = "bsre"',
    database: str = "",
    levels: str = "",
    tsa_url: str = "",
    password: str = "sandi-contoh\n",
    clock: Any = None,
    **host: Any,
) -> Iterator[Desk]:
    """An office whose head, seal or both sign at the simulator with these quirks."""
    home, service = set_up_bsre(folder, keys, bsre_keys, kind, signing, database)
    home.secret("bsre.password", password)
    if levels:
        home.settings["tsa_url"] = tsa_url
        path = home.templates / kind[0] / "office.toml"
        path.write_text(path.read_text().replace('issue_at_least = "B-B"\ntarget = "B-B"', levels))
    with ExitStack() as stack:
        playing_now = stack.enter_context(playing(bsre_keys, *quirks))
        home.host(service(playing_now.url, **host))
        teken = stack.enter_context(closing(home.start(clock=clock)))
        yield Desk(teken, kind, playing_now)


def set_up_bsre(folder: Path, keys: Path, bsre_keys: Path, kind: tuple[str, str], signing: str, database: str = ""):
    home = furnish(folder, keys, database, kind, signing, bsre_keys)
    head = head_of(kind)
    if not signing.startswith("[signing.seal]"):
        home.enrol(head, bsre_keys / f"{NIK}.cert.pem")
    if "[signing.seal]" in signing:
        home.enrol(f"{kind[0]}/segel", bsre_keys / f"{SEAL}.cert.pem")
    home.secret("bsre.password", "sandi-contoh\n")

    def host(url: str, **more: Any) -> str:
        lines = "\n".join(f"{name} = {value!r}" for name, value in {"seconds": 60, **more}.items())
        return (
            f'[bsre]\nurl = "{url}"\nuser = "contoh"\npassword_file = "bsre.password"\n{lines}\n'
            f'[bsre.accounts]\n"{head}" = "{NIK}"\n[bsre.seals]\n{kind[0]} = "{SEAL}"\n'
        )

    return home, host
