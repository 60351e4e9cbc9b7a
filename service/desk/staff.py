"""The office's people: officials, dated mandates, certificates and accounts. What changes who may act, two admins decide.

An admin alone makes the account of somebody who neither signs nor administers, and takes accounts away; the last admin stays.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select, update

from service import signatories
from service.clock import instant, stamp
from service.desk import accounts, calendar, certificate, proposals
from service.desk.accounts import Account
from service.desk.forms import Form, told
from service.errors import Conflict, Fault, Invalid, NotFound
from service.identifiers import IdentifierInvalid, parse_nip
from service.people import PREFIX, enrol, local_day, seal_owner
from service.sop.model import Office, RoleCode
from service.store.desk_tables import Decision
from service.store.desk_tables import accounts as table
from service.store.tables import certificates, mandates, officials

if TYPE_CHECKING:
    from service.desk.proposals import Proposal
    from service.wiring import Teken

OFFICIAL, GIVE, END, ENROL, CREATE, INVITE = (
    "official.add",
    "mandate.give",
    "mandate.end",
    "certificate.enrol",
    "account.create",
    "account.invite",
)
WARN = timedelta(days=60)
"""A certificate that ends sooner is shown as ending."""
_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True, slots=True)
class Mandate:
    """One dated mandate; `when` is past, now or later on the office's local day."""

    id: str
    role: str
    title: str
    kind: str
    valid_from: str
    valid_to: str | None
    decision: str | None
    when: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """An enrolled certificate, public."""

    sha256: str
    subject: str
    begins: date
    ends: date
    when: str  # past | now | soon (ends within two months) | later


@dataclass(frozen=True, slots=True)
class Official:
    """One official with all mandates and certificates, newest first."""

    id: str
    name: str
    nip: str | None
    rank: str | None
    mandates: tuple[Mandate, ...]
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class People:
    """An office's officials, and the certificates of its seal (None: it has none)."""

    officials: tuple[Official, ...]
    seal: tuple[Certificate, ...] | None


def people(teken: Teken, office: str) -> People:
    """Return everybody of an office, by name."""
    place, now = teken.offices.office(office), teken.clock.now()
    day = local_day(place, now)
    with teken.db.read() as connection:
        rows = connection.execute(
            select(officials).where(officials.c.office == office).order_by(officials.c.name)
        ).all()
        held = connection.execute(select(mandates).where(mandates.c.office == office)).all()
        mine = certificates.c.owner.in_([*(row.id for row in rows), seal_owner(place)])
        enrolled = connection.execute(
            select(certificates).where(mine).order_by(certificates.c.not_after.desc(), certificates.c.sha256)
        ).all()
    return People(
        tuple(
            Official(
                row.id,
                row.name,
                row.nip,
                row.rank,
                tuple(_mandate(place, one, day) for one in _newest_first(held) if one.official == row.id),
                tuple(_certificate(place, one, now) for one in enrolled if one.owner == row.id),
            )
            for row in rows
        ),
        tuple(_certificate(place, one, now) for one in enrolled if one.owner == seal_owner(place))
        if place.seal_name
        else None,
    )


def roles_of(office: Office) -> dict[str, str]:
    """Return the titles of the roles that somebody can hold here, by code."""
    return {str(code): role.title for code, role in office.roles.items() if role.internal}


def propose_official(teken: Teken, who: Account, form: Form) -> str:
    """Propose a new official: fields `kode`, `nama`, `nip`, `pangkat`. Raises Invalid."""
    faults: list[Fault] = []
    code = form.text("kode", faults, 40)
    payload = {
        "official": f"{who.office}/{code}",
        "name": form.text("nama", faults, 120),
        "nip": form.text("nip", faults, 24, required=False),
        "rank": form.text("pangkat", faults, 80, required=False),
    }
    if code and not _CODE.fullmatch(code):
        faults.append(Fault("/kode", "official_code_shape"))
    if payload["nip"]:
        try:
            payload["nip"] = parse_nip(payload["nip"]).digits
        except IdentifierInvalid as unfit:
            faults.append(Fault("/nip", unfit.code))
    with teken.db.read() as connection:
        if connection.execute(select(officials.c.id).where(officials.c.id == payload["official"])).first():
            faults.append(Fault("/kode", "official_code_taken"))
    _refuse(faults)
    return proposals.propose(teken, who, OFFICIAL, payload, subject=payload["official"])


def propose_mandate(teken: Teken, who: Account, form: Form) -> str:
    """Propose a mandate: fields `pejabat`, `jabatan`, `jenis`, `mulai`, `sampai`, `keputusan`. Raises Invalid."""
    faults: list[Fault] = []
    payload = {
        "official": form.text("pejabat", faults, 120),
        "role": form.choice("jabatan", faults, roles_of(teken.offices.office(who.office))),
        "kind": form.choice("jenis", faults, tuple(PREFIX)),
        "valid_from": form.day("mulai", faults),
        "valid_to": form.day("sampai", faults, required=form.fields.get("jenis") == "plh"),
        "decision": form.text("keputusan", faults, 120),
    }
    if not faults:
        with teken.db.read() as connection:
            faults += _mandate_faults(connection, teken, who.office, payload)
    _refuse(faults)
    return proposals.propose(teken, who, GIVE, payload, subject=payload["official"])


def propose_end(teken: Teken, who: Account, form: Form) -> str:
    """Propose the last day of a mandate: fields `mandat`, `sampai`, `keputusan`. Yesterday ends it at once. Raises Invalid, NotFound."""
    faults: list[Fault] = []
    place = teken.offices.office(who.office)
    last, decision = form.day("sampai", faults), form.text("keputusan", faults, 120)
    with teken.db.read() as connection:
        row = _mandate_of(connection, who.office, form.fields.get("mandat", ""))
    yesterday = local_day(place, teken.clock.now()) - timedelta(days=1)
    if last is not None and date.fromisoformat(last) < yesterday:
        faults.append(Fault("/sampai", "date_past"))
    if last is not None and row.valid_to is not None and last >= row.valid_to:
        faults.append(Fault("/sampai", "mandate_ends_sooner"))
    _refuse(faults)
    payload = {
        "mandate": row.id,
        "official": row.official,
        "role": row.role,
        "kind": row.kind,
        "valid_to": last,
        "decision": decision,
    }
    return proposals.propose(teken, who, END, payload, subject=row.official)


def propose_certificate(teken: Teken, who: Account, owner: str, data: bytes) -> str:
    """Propose to enrol a public certificate (PEM or DER) of an official or of the office's seal. Raises Invalid, NotFound."""
    place, now = teken.offices.office(who.office), teken.clock.now()
    brought = certificate.read(data, now)
    with teken.db.read() as connection:
        _check_owner(connection, place, owner)
        known = (certificates.c.owner == owner) & (certificates.c.sha256 == brought.sha256)
        if connection.execute(select(certificates.c.sha256).where(known)).first() is not None:
            raise Invalid(faults=(Fault("/berkas", "certificate_known"),))
    payload = {
        "owner": owner,
        "certificate_sha256": brought.sha256,
        "subject": brought.subject,
        "issuer": brought.issuer,
        "not_before": brought.not_before,
        "not_after": brought.not_after,
        "pem": brought.pem,
    }
    return proposals.propose(teken, who, ENROL, payload, subject=owner)


class _Powerful(Exception):
    """One admin does not make this account alone."""


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a wish: a proposal, or at once an account with its invitation, which is shown once."""

    proposal: str | None = None
    account: Account | None = None
    invitation: str | None = None


def create_account(teken: Teken, who: Account, form: Form, duties: tuple[str, ...]) -> Made:
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


def waiting(teken: Teken, office: str) -> list[Proposal]:
    """Return what two admins still have to decide, newest first."""
    return proposals.of_kinds(teken, office, KINDS, state=Decision.OPEN)


def decided(teken: Teken, office: str, most: int = 20) -> list[Proposal]:
    """Return what was decided last."""
    found = proposals.of_kinds(teken, office, KINDS, most=2 * most)
    return [one for one in found if one.state != Decision.OPEN][:most]


def confirm(teken: Teken, who: Account, proposal: str) -> Made:
    """Carry out what another admin proposed; papers that name the wrong signer are made again at once.

    Raises NotFound, Conflict, Invalid, as `proposals.confirm` and what is carried out.
    """
    _own_kind(teken, who, proposal)
    made = Made()

    def carry(teken: Teken, connection: Connection, found: Proposal) -> None:
        nonlocal made
        made = KINDS[found.kind](teken, connection, found) or made

    kind = proposals.confirm(teken, who, proposal, carry).kind
    if kind in {GIVE, END, ENROL}:
        signatories.renew(teken, who.office)
    return made


def refuse(teken: Teken, who: Account, proposal: str) -> None:
    """Decline, or take the own one back. Raises NotFound, Conflict."""
    _own_kind(teken, who, proposal)
    proposals.refuse(teken, who, proposal)


def _own_kind(teken: Teken, who: Account, proposal: str) -> None:
    """An admin decides what admins propose, and nothing of permits."""
    if proposals.find(teken, who.office, proposal).kind not in KINDS:
        raise NotFound("proposal_unknown")


def _add_official(teken: Teken, connection: Connection, found: Proposal) -> None:
    given = found.payload
    if connection.execute(select(officials.c.id).where(officials.c.id == given["official"])).first() is not None:
        raise Conflict("official_known")
    row = {"id": given["official"], "office": found.office, "name": given["name"]}
    connection.execute(insert(officials).values(**row, nip=given["nip"] or None, rank=given["rank"] or None))
    told(teken, connection, found, official=given["official"])


def _give(teken: Teken, connection: Connection, found: Proposal) -> None:
    connection.execute(select(officials.c.id).where(officials.c.office == found.office).with_for_update()).all()
    _refuse(_mandate_faults(connection, teken, found.office, found.payload))
    row = {key: found.payload[key] for key in ("official", "role", "kind", "valid_from", "valid_to", "decision")}
    mandate = f"man_{secrets.token_hex(8)}"
    connection.execute(insert(mandates).values(id=mandate, office=found.office, **row))
    told(teken, connection, found, mandate=mandate, **row)


def _end(teken: Teken, connection: Connection, found: Proposal) -> None:
    given = found.payload
    row = _mandate_of(connection, found.office, given["mandate"])
    if row.valid_to is not None and row.valid_to <= given["valid_to"]:
        raise Conflict("mandate_over")
    connection.execute(update(mandates).where(mandates.c.id == row.id).values(valid_to=given["valid_to"]))
    told(teken, connection, found, mandate=row.id, valid_to=given["valid_to"], decision=given["decision"])


def _enrol(teken: Teken, connection: Connection, found: Proposal) -> None:
    given = found.payload
    _check_owner(connection, teken.offices.office(found.office), given["owner"])
    sha = enrol(connection, given["owner"], given["pem"].encode(), teken.clock.now())
    told(teken, connection, found, owner=given["owner"], certificate_sha256=sha, not_after=given["not_after"])


def _create(teken: Teken, connection: Connection, found: Proposal) -> Made:
    given, by = found.payload, str(found.decided_by)
    whose = {key: given[key] for key in ("official", "name", "duties")}
    account, code = accounts.create_in(teken, connection, found.office, given["login"], by=by, **whose)
    told(teken, connection, found, account=account.id, duties=list(account.duties))
    return Made(account=account, invitation=code)


def _invite(teken: Teken, connection: Connection, found: Proposal) -> Made:
    account = _account(connection, found.office, found.payload["account"])
    _keep_an_admin(connection, account)
    code = accounts.invite_again_in(teken, connection, account.id, by=str(found.decided_by))
    told(teken, connection, found, account=account.id)
    return Made(account=account, invitation=code)


KINDS: Mapping[str, Callable[[Teken, Connection, Proposal], Made | None]] = {
    OFFICIAL: _add_official,
    GIVE: _give,
    END: _end,
    ENROL: _enrol,
    CREATE: _create,
    INVITE: _invite,
    calendar.ADD: calendar.add,
    calendar.REMOVE: calendar.remove,
}


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Invalid(faults=tuple(faults))


def _mandate_faults(connection: Connection, teken: Teken, office: str, given: Mapping[str, Any]) -> list[Fault]:
    """Whoever signs is one person at a time: a second mandate of the same kind for a signing role waits for the first's end."""
    mine = (officials.c.id == given["official"]) & (officials.c.office == office)
    if connection.execute(select(officials.c.id).where(mine)).first() is None:
        return [Fault("/pejabat", "official_not_here")]
    start, end = given["valid_from"], given["valid_to"]
    if end is not None and end < start:
        return [Fault("/sampai", "period_backwards")]
    role = teken.offices.office(office).roles[RoleCode(given["role"])]
    same = (mandates.c.office == office) & (mandates.c.role == given["role"]) & (mandates.c.kind == given["kind"])
    if not role.signs:
        same &= mandates.c.official == given["official"]
    overlaps = same & ((mandates.c.valid_to.is_(None)) | (mandates.c.valid_to >= start))
    if end is not None:
        overlaps &= mandates.c.valid_from <= end
    if connection.execute(select(mandates.c.id).where(overlaps)).first() is not None:
        return [Fault("/mulai", "mandate_overlaps")]
    return []


def _mandate_of(connection: Connection, office: str, mandate: str) -> Row[Any]:
    row = connection.execute(select(mandates).where(mandates.c.id == mandate, mandates.c.office == office)).first()
    if row is None:
        raise NotFound("mandate_unknown")
    return row


def _check_owner(connection: Connection, office: Office, owner: str) -> None:
    mine = (officials.c.id == owner) & (officials.c.office == office.code)
    if connection.execute(select(officials.c.id).where(mine)).first() is not None:
        return
    if owner != seal_owner(office) or office.seal_name is None:
        raise NotFound("official_unknown")


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


def _newest_first(held: Sequence[Row[Any]]) -> list[Row[Any]]:
    return sorted(held, key=lambda one: (one.valid_from, one.id), reverse=True)


def _mandate(office: Office, row: Row[Any], day: date) -> Mandate:
    today = day.isoformat()
    when = "later" if row.valid_from > today else "now"
    if row.valid_to is not None and (row.valid_to < today or row.valid_to < row.valid_from):
        when = "past"
    role = office.roles.get(RoleCode(row.role))
    title = f"{PREFIX[row.kind]} {role.title if role else row.role}".strip()
    return Mandate(row.id, row.role, title, row.kind, row.valid_from, row.valid_to, row.decision, when)


def _certificate(office: Office, row: Row[Any], now: datetime) -> Certificate:
    when = "now" if row.not_after > stamp(now + WARN) else "soon"
    if row.not_before > stamp(now):
        when = "later"
    if row.not_after <= stamp(now):
        when = "past"
    begins, ends = (local_day(office, instant(one)) for one in (row.not_before, row.not_after))
    return Certificate(row.sha256, certificate.named(row.der), begins, ends, when)
