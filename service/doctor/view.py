"""What the checks look at, each opened when it is first needed, none of it for writing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from service.doctor.moments import Reading
from service.expiring import owners
from service.host import HostInvalid, SigningHost, read_host
from service.keys import is_seal
from service.sop.load import Catalogue, read_offices, tree
from service.store import Database, StoreBusy
from service.store.migrate import schema_state
from service.trust import trust
from signing import OnlineRevocation, Trust

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.clock import Clock
    from service.settings import Settings
    from service.sop.model import Office


class OutOfSight(Exception):
    """What the check rests on is missing, which the check named here tells."""

    def __init__(self, check: str) -> None:
        self.check = check
        super().__init__(check)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the operator wants beyond looking: the seals' keys opened, and one official's with his passphrase. Once each."""

    open_keys: bool = False
    official: str = ""
    passphrase: bytearray = field(default_factory=bytearray, repr=False)


class View:
    """One examination. `readings` collects what other clocks say on the way."""

    def __init__(self, settings: Settings, clock: Clock, asked: Asked) -> None:
        self.settings, self.clock, self.asked = settings, clock, asked
        self.revocation = OnlineRevocation(settings.crl_urls)
        self.readings: list[Reading] = []

    @cached_property
    def database(self) -> Database:
        """The database, opened so that not even SQLite's own files change."""
        return Database(self.settings.database, busy_seconds=self.settings.busy_seconds, look_only=True)

    def close(self) -> None:
        """Give back the connections."""
        self.database.dispose()

    @cached_property
    def schema(self) -> str:
        """Whether the tables are there: current, behind, ahead, empty, unreachable."""
        try:
            with self.database.read() as connection:
                return schema_state(connection)
        except (StoreBusy, SQLAlchemyError, OSError):
            return "unreachable"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection to a database of today's schema. Raises OutOfSight."""
        if self.schema != "current":
            raise OutOfSight("database")
        with self.database.read() as connection:
            yield connection

    @cached_property
    def offices(self) -> Catalogue:
        """Those offices that can be read at all."""
        return read_offices(tree(self.settings.templates))[0]

    @property
    def trusted(self) -> Trust:
        """Our anchors. Raises OutOfSight."""
        try:
            found = trust(self.settings)
        except (OSError, ValueError):
            raise OutOfSight("anchors") from None
        return found

    @cached_property
    def host(self) -> SigningHost:
        """This host's tokens and services. Raises OutOfSight."""
        try:
            return read_host(self.settings.signing_host)
        except HostInvalid:
            raise OutOfSight("host") from None

    @cached_property
    def signs_here(self) -> bool:
        """Whether this is a signing host. A host that names foreign ones and has nothing to sign with is none."""
        given = self.settings
        own = given.signing_host is not None or given.identity.exists() or any(given.keys.glob("*.p12"))
        return own or not given.pinned_signers

    def owners(self, connection: Connection, office: Office) -> list[str]:
        """Whose certificates the office uses today: its signatories', and its seal's where a procedure seals."""
        sealed = any(one.procedure.sealed for one in self.offices.types(office.code))
        found = owners(connection, office, self.clock.now())
        return [one for one in found if sealed or not is_seal(one)]

    def owners_by(self, backend: str) -> list[str]:
        """Whose keys lie behind a back-end, over all offices. Raises OutOfSight."""
        found = []
        with self.read() as connection:
            for office in self.offices.offices.values():
                found += [one for one in self.owners(connection, office) if backend_of(office, one) == backend]
        return found


def backend_of(office: Office, owner: str) -> str:
    """Return where a key of the office lies: the head's and the seal's may lie apart."""
    return office.signing.seal_backend if is_seal(owner) else office.signing.backend
