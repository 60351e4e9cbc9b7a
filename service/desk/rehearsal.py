"""On one machine, for a look around: everybody of the offices has an account, and a click is a log-in. Never where others can reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, select

from service.canonical import dumps
from service.clock import stamp
from service.desk import sessions
from service.desk.accounts import Account, roles
from service.errors import NotFound
from service.sop.model import RoleCode
from service.store.desk_tables import accounts
from service.store.tables import officials

if TYPE_CHECKING:
    from service.wiring import Teken

EXTRA = (
    ("admin", "Admin Contoh", ("admin",)),
    ("admin2", "Admin Kedua Contoh", ("admin",)),
    ("auditor", "Auditor Contoh", ("auditor",)),
)


@dataclass(frozen=True, slots=True)
class Role:
    """Somebody whom a visitor may be."""

    account: Account
    titles: tuple[str, ...]


def allowed(teken: Teken) -> bool:
    """Tell whether this installation is a rehearsal."""
    return teken.settings.development_login


def cast(teken: Teken) -> dict[str, list[Role]]:
    """Return who may be played, by office; accounts that are missing are made."""
    _check(teken)
    with teken.db.write() as connection:
        _employ(teken, connection)
        found: dict[str, list[Role]] = {office: [] for office in sorted(teken.offices.offices)}
        usable = select(accounts).where(accounts.c.disabled_at.is_(None)).order_by(accounts.c.id)
        for row in connection.execute(usable).all():
            account, titled = Account.of(row), teken.offices.office(row.office).roles
            titles = (titled[RoleCode(role)].title for role in roles(connection, teken, account) if role in titled)
            found[row.office].append(Role(account, tuple(titles)))
    return found


def play(teken: Teken, account: str) -> str:
    """Return a session for this account. Raises NotFound: also wherever this is no rehearsal."""
    for people in cast(teken).values():
        for one in people:
            if one.account.id == account:
                return sessions.enter(teken, one.account)
    raise NotFound("account_unknown")


def passphrase(teken: Teken) -> str | None:
    """Return the development keys' passphrase, for the head's tray."""
    _check(teken)
    file = teken.settings.passphrase
    return file.read_text("ascii").strip() if file.is_file() else None


def _employ(teken: Teken, connection: Connection) -> None:
    known = set(connection.execute(select(accounts.c.login)).scalars())
    staff: list[tuple[str, str, str | None, str, tuple[str, ...]]] = [
        (one.office, one.id.partition("/")[2], one.id, one.name, ())
        for one in connection.execute(select(officials)).all()
    ]
    staff += [(office, code, None, name, duties) for office in teken.offices.offices for code, name, duties in EXTRA]
    for office, code, official, name, duties in staff:
        if (login := f"{code}.{office}") in known:
            continue
        row = {"id": f"acc_{office}_{code}", "office": office, "login": login, "official": official, "name": name}
        made = {"duties": dumps(list(duties)), "created_at": stamp(teken.clock.now()), "totp_step": 0}
        connection.execute(insert(accounts).values(**row, **made))


def _check(teken: Teken) -> None:
    if not allowed(teken):
        raise NotFound
