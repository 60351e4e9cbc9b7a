"""Accounts: who may log in. SOP roles come from mandates alone; an account adds a password, a second factor and duties."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import argon2
import pyotp
from sqlalchemy import Connection, Row, insert, select, update

from service.canonical import dumps
from service.clock import stamp
from service.desk import book
from service.desk.secret import DeskKey
from service.errors import Conflict, Fault, Invalid, NotFound
from service.people import local_day
from service.store.desk_tables import accounts, sessions
from service.store.tables import mandates, officials

if TYPE_CHECKING:
    from service.wiring import Teken

DUTIES = ("admin", "operator", "auditor", "ajudan")
SHORTEST, LONGEST = 12, 128
INVITATION = timedelta(hours=72)
ISSUER = "Teken"
_hasher = argon2.PasswordHasher()


class InvitationOver(NotFound):
    """The invitation was used, has run out, or never was."""

    code = "invitation_over"


@dataclass(frozen=True, slots=True)
class Account:
    """One person at the desk."""

    id: str
    office: str
    login: str
    name: str
    official: str | None
    duties: tuple[str, ...]
    ready: bool  # has a password and a second factor

    @classmethod
    def of(cls, row: Row[Any]) -> Account:
        """Return the account of a row."""
        ready = row.password_hash is not None and row.totp_sealed is not None
        return cls(row.id, row.office, row.login, row.name, row.official, tuple(json.loads(row.duties)), ready)


def desk_key(teken: Teken) -> DeskKey:
    """Return this installation's desk key."""
    return DeskKey.at(teken.settings.home / "desk.key")


def create(
    teken: Teken,
    office: str,
    login: str,
    *,
    official: str | None = None,
    name: str | None = None,
    duties: Iterable[str] = (),
    by: str = "operator",
) -> tuple[Account, str]:
    """Make an account and return it with its invitation code, which is shown once.

    Raises NotFound (office, official), Invalid (login, duties), Conflict("login_taken").
    """
    with teken.db.write() as connection:
        return create_in(teken, connection, office, login, official=official, name=name, duties=duties, by=by)


def create_in(
    teken: Teken,
    connection: Connection,
    office: str,
    login: str,
    *,
    official: str | None = None,
    name: str | None = None,
    duties: Iterable[str] = (),
    by: str,
) -> tuple[Account, str]:
    """As `create`, in the caller's transaction."""
    teken.offices.office(office)
    chosen, wanted = tuple(sorted(set(duties))), login.strip().lower()
    if not wanted or len(wanted) > 64 or not all(c.isalnum() or c in "._-@" for c in wanted):  # noqa: PLR2004 - letters
        raise Invalid(faults=(Fault("/login", "login_form"),))
    if any(duty not in DUTIES for duty in chosen):
        raise Invalid(faults=(Fault("/duties", "not_a_choice", {"choices": ", ".join(DUTIES)}),))
    code, now = secrets.token_urlsafe(18), teken.clock.now()
    name = _name(connection, office, official) if official is not None else name
    if not name:
        raise Invalid(faults=(Fault("/name", "required"),))
    taken = accounts.c.login == wanted
    if official is not None:
        taken |= accounts.c.official == official
    if connection.execute(select(accounts.c.id).where(taken)).first() is not None:
        raise Conflict("login_taken")
    row = {
        "id": f"acc_{secrets.token_hex(10)}",
        "office": office,
        "login": wanted,
        "official": official,
        "name": name,
        "duties": dumps(list(chosen)),
        "created_at": stamp(now),
        "totp_step": 0,
        **_invitation(code, now),
    }
    connection.execute(insert(accounts).values(**row))
    book.note(teken, office=office, account=by, action="account.created", connection=connection, subject=row["id"])
    made = connection.execute(select(accounts).where(accounts.c.id == row["id"])).one()
    return Account.of(made), code


def invite_again(teken: Teken, account: str, *, by: str) -> str:
    """Return a fresh invitation: the old password, second factor and every session end at once.

    Raises NotFound.
    """
    with teken.db.write() as connection:
        return invite_again_in(teken, connection, account, by=by)


def invite_again_in(teken: Teken, connection: Connection, account: str, *, by: str) -> str:
    """As `invite_again`, in the caller's transaction."""
    code = secrets.token_urlsafe(18)
    fresh = {"password_hash": None, "totp_sealed": None, "disabled_at": None, **_invitation(code, teken.clock.now())}
    _change(teken, connection, account, by, "account.invited", **fresh)
    return code


def disable_in(teken: Teken, connection: Connection, account: str, *, by: str) -> None:
    """Nobody logs in with it any more, and who is logged in is out; in the caller's transaction. Raises NotFound."""
    now = stamp(teken.clock.now())
    _change(teken, connection, account, by, "account.disabled", disabled_at=now, invite_hash=None)


def invited(teken: Teken, code: str) -> Account:
    """Return whose invitation this is. Raises InvitationOver."""
    with teken.db.read() as connection:
        return Account.of(_invited(connection, code, teken.clock.now()))


def fresh_secret() -> str:
    """Return a new TOTP secret (base32, RFC 6238) to be shown once."""
    return pyotp.random_base32()


def totp_address(account: Account, secret: str) -> str:
    """Return the otpauth address that an authenticator app scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=account.login, issuer_name=ISSUER)


def accept_invitation(teken: Teken, code: str, *, password: str, secret: str, shown: str) -> Account:
    """Set password and second factor, which has to be shown once; the invitation is over.

    Raises InvitationOver, Invalid (password too weak, code wrong).
    """
    now = teken.clock.now()
    faults = [*_password_faults(password)]
    step = _step_of(secret, shown, now)
    if step is None:
        faults.append(Fault("/code", "totp_wrong"))
    if faults:
        raise Invalid(faults=tuple(faults))
    hashed = _hasher.hash(password)
    with teken.db.write() as connection:
        row = _invited(connection, code, now, lock=True)
        values = {
            "password_hash": hashed,
            "totp_sealed": desk_key(teken).seal(secret, row.id),
            "totp_step": step,
            "invite_hash": None,
            "invite_until": None,
        }
        connection.execute(update(accounts).where(accounts.c.id == row.id).values(**values))
        book.note(teken, office=row.office, account=row.id, action="account.set_up", connection=connection)
        return Account.of(connection.execute(select(accounts).where(accounts.c.id == row.id)).one())


def by_password(connection: Connection, login: str, password: str) -> Account | None:
    """Return the account if login and password are right; in the same time otherwise."""
    row = connection.execute(select(accounts).where(accounts.c.login == login.strip().lower())).first()
    known = row is not None and row.password_hash is not None and row.disabled_at is None
    hashed = str(row.password_hash) if row is not None and known else _nobody()
    try:
        _hasher.verify(hashed, password[: LONGEST + 1])
    except argon2.exceptions.VerificationError:
        return None
    return Account.of(row) if row is not None and known else None


def use_totp(teken: Teken, connection: Connection, account: str, shown: str) -> bool:
    """Tell whether the code is right now; each code counts once."""
    row = connection.execute(select(accounts).where(accounts.c.id == account).with_for_update()).one()
    secret = desk_key(teken).open(row.totp_sealed, account) if row.totp_sealed else None
    step = _step_of(secret, shown, teken.clock.now()) if secret else None
    if step is None or step <= row.totp_step:
        return False
    connection.execute(update(accounts).where(accounts.c.id == account).values(totp_step=step))
    return True


def find(connection: Connection, account: str) -> Account | None:
    """Return an account that may be used."""
    row = connection.execute(select(accounts).where(accounts.c.id == account, accounts.c.disabled_at.is_(None))).first()
    return Account.of(row) if row is not None else None


def of_office(teken: Teken, office: str) -> list[tuple[Account, bool]]:
    """Return an office's accounts by login, each with whether it is disabled."""
    with teken.db.read() as connection:
        rows = connection.execute(select(accounts).where(accounts.c.office == office).order_by(accounts.c.login)).all()
    return [(Account.of(row), row.disabled_at is not None) for row in rows]


def roles(connection: Connection, teken: Teken, account: Account) -> tuple[str, ...]:
    """Return the SOP roles that this person holds today, by mandate."""
    if account.official is None:
        return ()
    day = local_day(teken.offices.office(account.office), teken.clock.now()).isoformat()
    mine = (mandates.c.official == account.official) & (mandates.c.valid_from <= day)
    held = connection.execute(select(mandates.c.role, mandates.c.valid_to).where(mine)).all()
    return tuple(sorted({one.role for one in held if one.valid_to is None or day <= one.valid_to}))


@cache
def _nobody() -> str:
    """A hash of nothing anybody knows: an unknown login takes as long as a wrong password."""
    return _hasher.hash(secrets.token_hex(16))


def _name(connection: Connection, office: str, official: str) -> str:
    found = select(officials.c.name).where(officials.c.id == official, officials.c.office == office)
    name = connection.execute(found).scalar_one_or_none()
    if name is None:
        raise NotFound("official_unknown")
    return str(name)


def _invitation(code: str, now: datetime) -> dict[str, str]:
    return {"invite_hash": _hashed(code), "invite_until": stamp(now + INVITATION)}


def _invited(connection: Connection, code: str, now: datetime, *, lock: bool = False) -> Row[Any]:
    """`lock`: of two who use the code at once the second one waits, and finds it used."""
    query = select(accounts).where(accounts.c.invite_hash == _hashed(code), accounts.c.invite_until > stamp(now))
    query = query.where(accounts.c.disabled_at.is_(None))
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise InvitationOver
    return row


def _change(teken: Teken, connection: Connection, account: str, by: str, action: str, **values: Any) -> None:
    row = connection.execute(select(accounts).where(accounts.c.id == account)).first()
    if row is None:
        raise NotFound("account_unknown")
    connection.execute(update(accounts).where(accounts.c.id == account).values(**values))
    connection.execute(sessions.delete().where(sessions.c.account == account))
    book.note(teken, office=row.office, account=by, action=action, connection=connection, subject=account)


def _password_faults(password: str) -> Iterable[Fault]:
    """NIST SP 800-63B: length counts, rules of composition do not."""
    if not SHORTEST <= len(password) <= LONGEST:
        yield Fault("/password", "password_length", {"least": str(SHORTEST), "most": str(LONGEST)})
    elif len(set(password)) < 5:  # noqa: PLR2004 - "aaaaaaaaaaaa" is no password
        yield Fault("/password", "password_plain")


def _step_of(secret: str, shown: str, now: datetime) -> int | None:
    """Return the time step of a right code: this one, or a neighbour for clocks that differ."""
    totp, code = pyotp.TOTP(secret), "".join(shown.split())
    for step in (0, -1, 1):
        at = now + timedelta(seconds=step * totp.interval)
        if secrets.compare_digest(totp.at(at).encode(), code.encode(errors="replace")):
            return totp.timecode(at)
    return None


def _hashed(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
