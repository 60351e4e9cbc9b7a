"""Sessions: kept here, so that one ends at once when its account, or the person's trust in his phone, does."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, select, update

from service.acts import COUNTER as AT_COUNTER
from service.clock import instant, stamp
from service.desk import accounts, book, throttle
from service.desk.accounts import Account
from service.errors import Unauthenticated
from service.sop.model import RoleCode, Verb
from service.store.desk_tables import devices
from service.store.desk_tables import sessions as table

if TYPE_CHECKING:
    from service.wiring import Teken

IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)
PASSWORD_ONLY = timedelta(minutes=5)
_SEEN_EVERY = timedelta(minutes=1)
SIGNS = "signs"
"""Stands for every role that signs, in whatever words the office names it."""
COUNTER, REGISTRAR = "counter", "registrar"
"""Stand for every role that serves holders, and every role that answers for the numbers, in the office's own procedures."""


class LoginWrong(Unauthenticated):
    """Login, password or code is wrong; which one is not said."""

    code = "login_wrong"


@dataclass(frozen=True, slots=True)
class Session:
    """Who is there. `strong`: has shown the second factor; before that he may do nothing else."""

    account: Account
    roles: tuple[str, ...]
    csrf: str = field(repr=False)
    strong: bool
    key: str = field(repr=False)
    signs: bool = False
    serves: tuple[str, ...] = ()  # COUNTER, REGISTRAR

    def is_one_of(self, *wanted: str) -> bool:
        """Tell whether he holds one of the roles today (SIGNS, COUNTER, REGISTRAR: one of that kind), or one of the duties."""
        held = {*self.roles, *self.account.duties, *self.serves, *((SIGNS,) if self.signs else ())}
        return not held.isdisjoint(wanted)


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of whoever knocks: his address, and the device cookie that he shows."""

    source: str
    device: str = field(default="", repr=False)


def log_in(teken: Teken, login: str, password: str, caller: Caller) -> str:
    """Return the token of a session that still has to show its second factor.

    Raises LoginWrong, TooMany (with `retry_after`).
    """
    with teken.db.read() as connection:
        found = accounts.by_password(connection, login, password)
    with teken.db.write() as connection:
        buckets = _buckets(teken, connection, login, caller)
        right = throttle.tried(connection, buckets, teken.clock.now(), lambda: found is not None and found.ready)
        if not right:
            _refused(teken, connection, "session.password", account="")
    if found is None or not right:
        raise LoginWrong
    return _start(teken, found, strong=False)


def confirm(teken: Teken, token: str, code: str, caller: Caller) -> tuple[str, str]:
    """Show the second factor: returns a new session token and the device's token.

    Raises LoginWrong, TooMany.
    """
    here = find(teken, token)
    if here is None:
        raise LoginWrong
    now = teken.clock.now()
    with teken.db.write() as connection:
        buckets = _buckets(teken, connection, here.account.login, caller)
        right = throttle.tried(
            connection, buckets, now, lambda: accounts.use_totp(teken, connection, here.account.id, code)
        )
        if right:
            throttle.forgiven(connection, next(iter(buckets)))
            connection.execute(delete(table).where(table.c.token_hash == here.key))  # never the id from before
        else:
            _refused(teken, connection, "session.code", account=here.account.id, office=here.account.office)
    if not right:
        raise LoginWrong
    return _start(teken, here.account, strong=True), _remembered(teken, here.account, caller)


def enter(teken: Teken, account: Account) -> str:
    """Return a full session for somebody who has just shown both factors: at the end of an invitation."""
    return _start(teken, account, strong=True)


def find(teken: Teken, token: str) -> Session | None:
    """Return the session of a token, unless it is over; its idle time begins anew."""
    now, key = teken.clock.now(), _hashed(token)
    with teken.db.read() as connection:
        row = connection.execute(select(table).where(table.c.token_hash == key)).first()
        if row is None or instant(row.expires_at) <= now or instant(row.seen_at) + IDLE <= now:
            return None
        account = accounts.find(connection, row.account)
        if account is None:
            return None
        held = accounts.roles(connection, teken, account)
    if now - instant(row.seen_at) > _SEEN_EVERY:
        with teken.db.write() as connection:
            connection.execute(update(table).where(table.c.token_hash == key).values(seen_at=stamp(now)))
    known = teken.offices.office(account.office).roles
    signs = any(RoleCode(role) in known and known[RoleCode(role)].signs for role in held)
    return Session(account, held, row.csrf, row.strong_at is not None, key, signs, _serves(teken, account.office, held))


def end(teken: Teken, session: Session) -> None:
    """Log out."""
    with teken.db.write() as connection:
        connection.execute(delete(table).where(table.c.token_hash == session.key))
        office = session.account.office
        book.note(teken, office=office, account=session.account.id, action="session.ended", connection=connection)


def _serves(teken: Teken, office: str, held: tuple[str, ...]) -> tuple[str, ...]:
    """Return which kinds of role these are, by the plans of all the office's procedures."""
    acts = [act for kind in teken.offices.types(office) for act in kind.procedure.plan if act.role in held]
    kinds = {
        COUNTER: any(act.verb in AT_COUNTER for act in acts),
        REGISTRAR: any(act.verb is Verb.NUMBER for act in acts),
    }
    return tuple(kind for kind, holds in kinds.items() if holds)


def _start(teken: Teken, account: Account, *, strong: bool) -> str:
    token, now = secrets.token_urlsafe(32), teken.clock.now()
    with teken.db.write() as connection:
        connection.execute(delete(table).where(table.c.expires_at <= stamp(now)))
        row = {
            "token_hash": _hashed(token),
            "account": account.id,
            "csrf": secrets.token_urlsafe(24),
            "started_at": stamp(now),
            "seen_at": stamp(now),
            "strong_at": stamp(now) if strong else None,
            "expires_at": stamp(now + (LONGEST if strong else PASSWORD_ONLY)),
        }
        connection.execute(insert(table).values(**row))
        if strong:
            book.note(teken, office=account.office, account=account.id, action="session.started", connection=connection)
    return token


def _buckets(teken: Teken, connection: Connection, login: str, caller: Caller) -> dict[str, int]:
    """A known device is counted by itself; a stranger by account and source, by source, and with all strangers to the account."""
    key, name = accounts.desk_key(teken), login.strip().lower()
    known = select(devices.c.account).where(devices.c.token_hash == _hashed(caller.device))
    owner = connection.execute(known).scalar_one_or_none() if caller.device else None
    mine = accounts.find(connection, owner) if owner else None
    if mine is not None and mine.login == name:
        return {key.hidden("device", _hashed(caller.device)): throttle.FREE_TRIES}
    return {
        key.hidden("pair", name, caller.source): throttle.FREE_TRIES,
        key.hidden("source", caller.source): throttle.FREE_FROM_SOURCE,
        key.hidden("strangers", name): throttle.FREE_FROM_STRANGERS,
    }


def _refused(teken: Teken, connection: Connection, action: str, *, account: str, office: str = "") -> None:
    book.note(teken, office=office, account=account, action=action, outcome=LoginWrong.code, connection=connection)


def _remembered(teken: Teken, account: Account, caller: Caller) -> str:
    """Return the device's token, the one it has or a new one; it opens nothing, it only is counted by itself."""
    with teken.db.write() as connection:
        known = select(devices.c.account).where(devices.c.token_hash == _hashed(caller.device))
        if caller.device and connection.execute(known).scalar_one_or_none() == account.id:
            return caller.device
        token = secrets.token_urlsafe(24)
        row = {"token_hash": _hashed(token), "account": account.id, "at": stamp(teken.clock.now())}
        connection.execute(insert(devices).values(**row))
    return token


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
