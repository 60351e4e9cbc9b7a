"""Accounts as admins give and take them: alone for whoever neither signs nor administers, otherwise two decide. The last admin stays."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from service.desk import accounts, proposals
from service.desk.accounts import Account
from service.desk.forms import Form, told
from service.errors import Conflict, NotFound
from service.people import local_day
from service.store.desk_tables import accounts as table
from service.store.tables import mandates

if TYPE_CHECKING:
    from service.desk.proposals import Proposal
    from service.wiring import Teken

CREATE, INVITE = "account.create", "account.invite"


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a wish: a proposal, or at once an account with its invitation, which is shown once."""

    proposal: str | None = None
    account: Account | None = None
    invitation: str | None = None


def create(teken: Teken, who: Account, form: Form, duties: tuple[str, ...]) -> Made:
    """Make an account (`pengguna`, `pejabat` or `nama`), or propose it if its holder signs or administers. Raises Invalid, NotFound."""
    official, name = form.fields.get("pejabat") or None, " ".join(form.fields.get("nama", "").split())[:120] or None
    login = form.fields.get("pengguna", "")
    payload = {"login": login, "official": official, "name": name, "duties": sorted(set(duties))}
    with suppress(_Powerful), teken.db.write() as connection:
        made, code = accounts.create_in(
            teken, connection, who.office, login, official=official, name=name, duties=duties, by=who.id
        )
        if _powerful(connection, teken, made):
            raise _Powerful  # tried and taken back, so that whoever confirms meets no surprise
        return Made(account=made, invitation=code)
    return Made(proposal=proposals.propose(teken, who, CREATE, payload, subject=official))


def invite_again(teken: Teken, who: Account, account: str) -> Made:
    """Give an account a fresh beginning, or propose it if its holder signs or administers. Raises NotFound, Conflict("last_admin")."""
    with teken.db.write() as connection:
        found = _account(connection, who.office, account)
        _keep_an_admin(connection, found)
        if not _powerful(connection, teken, found):
            return Made(account=found, invitation=accounts.invite_again_in(teken, connection, account, by=who.id))
    payload = {"account": found.id, "login": found.login, "name": found.name, "duties": list(found.duties)}
    return Made(proposal=proposals.propose(teken, who, INVITE, payload, subject=account))


def disable(teken: Teken, who: Account, account: str) -> None:
    """Take an account away, at once. Raises NotFound, Conflict("last_admin")."""
    with teken.db.write() as connection:
        _keep_an_admin(connection, _account(connection, who.office, account))
        accounts.disable_in(teken, connection, account, by=who.id)


def carry_create(teken: Teken, connection: Connection, found: Proposal) -> Made:
    """Carry out. Raises as `accounts.create`."""
    given, by = found.payload, str(found.decided_by)
    whose = {key: given[key] for key in ("official", "name", "duties")}
    account, code = accounts.create_in(teken, connection, found.office, given["login"], by=by, **whose)
    told(teken, connection, found, account=account.id, duties=list(account.duties))
    return Made(account=account, invitation=code)


def carry_invite(teken: Teken, connection: Connection, found: Proposal) -> Made:
    """Carry out. Raises NotFound, Conflict("last_admin")."""
    account = _account(connection, found.office, found.payload["account"])
    _keep_an_admin(connection, account)
    code = accounts.invite_again_in(teken, connection, account.id, by=str(found.decided_by))
    told(teken, connection, found, account=account.id)
    return Made(account=account, invitation=code)


class _Powerful(Exception):
    """One admin does not make this account alone."""


def _account(connection: Connection, office: str, account: str) -> Account:
    row = connection.execute(select(table).where(table.c.id == account, table.c.office == office)).first()
    if row is None:
        raise NotFound("account_unknown")
    return Account.of(row)


def _keep_an_admin(connection: Connection, leaving: Account) -> None:
    """Locks the office's accounts: two admins who disable each other at once are one after the other."""
    mine = (table.c.office == leaving.office) & table.c.disabled_at.is_(None)
    rows = connection.execute(select(table).where(mine).order_by(table.c.id).with_for_update()).all()
    staying = [one for one in map(Account.of, rows) if "admin" in one.duties and one.ready and one.id != leaving.id]
    if "admin" in leaving.duties and leaving.ready and not staying:
        raise Conflict("last_admin")


def _powerful(connection: Connection, teken: Teken, account: Account) -> bool:
    """Tell whether the account may confirm what others propose: an admin's, or that of somebody who signs now or later."""
    if "admin" in account.duties:
        return True
    roles = teken.offices.office(account.office).roles
    signing = [code for code, role in roles.items() if role.signs]
    today = local_day(teken.offices.office(account.office), teken.clock.now()).isoformat()
    held = (mandates.c.official == account.official) & mandates.c.role.in_(signing)
    lasting = mandates.c.valid_to.is_(None) | (mandates.c.valid_to >= today)
    return connection.execute(select(mandates.c.id).where(held, lasting)).first() is not None
