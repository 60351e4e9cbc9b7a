"""What the head chose to sign: frozen when he chooses, looked at again before he types, opened as a batch once.

The list lies in the archive under its hash, which the desk's log names: what he was shown can be told years later.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from service import batch, people
from service.archive import ArchiveDamaged
from service.batch_order import recipients
from service.canonical import dumps
from service.clock import instant, stamp
from service.desk import book
from service.desk.tray import Item, Paper, described, papers
from service.errors import Fault, Invalid, NotFound, TekenError
from service.handover import LONGEST, wipe
from service.store import StoreBusy
from service.store.batch_tables import batches
from service.store.desk_tables import accounts, desk_log
from signing import CertificateFacts, describe_certificate

if TYPE_CHECKING:
    from service.desk.sessions import Session
    from service.wiring import Teken

SELECTED, CLAIMED, RELEASED, ORDERED = "tray.selected", "tray.claimed", "tray.released", "tray.ordered"
CERTIFICATE_SOON = timedelta(days=60)
_KIND = "teken/selection/v1"
_SHA256 = re.compile("[0-9a-f]{64}")
_PATIENCE = 2.0
"""Seconds that a second tap on the button waits for the first one's batch."""


class SelectionUnknown(NotFound):
    """No such list of this person's."""

    code = "selection_unknown"


@dataclass(frozen=True, slots=True)
class Selection:
    """A frozen choice: (permit, hash of what he read), what was left out then and why, and how many he never opened."""

    id: str
    at: str
    after: int  # the newest line of the desk's log when it was made
    documents: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...]
    unread: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the head is told of his certificate; `fault` says why it can't be used."""

    facts: CertificateFacts | None
    soon: bool
    days: int
    fault: str | None


@dataclass(frozen=True, slots=True)
class Preflight:
    """What will happen if he types his passphrase now."""

    selection: Selection
    ready: tuple[Paper, ...]
    left_out: tuple[tuple[Item, str], ...]
    gone: int  # chosen and no longer in any tray
    certificate: Certificate
    signer_lives: bool
    waits_for_number: int


def choose(
    teken: Teken, session: Session, *, unread: bool, only_type: str | None = None, permit: str | None = None
) -> str:
    """Freeze what he chose and return its id: what he opened, or with `unread` everything; of one type, or one permit.

    Raises Invalid("nothing_chosen" or "list_length").
    """
    with teken.db.read() as connection:
        found = [one for one in papers(connection, teken, session) if _is_meant(one, only_type, permit)]
        after = connection.execute(select(func.max(desk_log.c.id))).scalar_one() or 0
    chosen = [one for one in found if not one.skipped and (one.opened or one.changed or unread)]
    out = {one.permit: cause for one in chosen if (cause := _cause(one, unread=unread)) is not None}
    documents = [(one.permit, one.sha) for one in chosen if one.permit not in out]
    if not documents and not out:
        raise Invalid(faults=(Fault("/pilihan", "nothing_chosen"),))
    if len(documents) > batch.MOST:
        raise Invalid(faults=(Fault("/pilihan", "list_length", {"most": str(batch.MOST)}),))
    never = sum(not one.opened for one in chosen if one.permit not in out)
    who = session.account
    told = {"kind": _KIND, "account": who.id, "at": stamp(teken.clock.now()), "after": after, "unread": never}
    name = teken.archive.put(dumps({**told, "documents": documents, "left_out": sorted(out.items())}).encode())
    counts: dict[str, Any] = {"documents": len(documents), "unread": never, "all": unread}
    book.note(teken, office=who.office, account=who.id, action=SELECTED, selection=name, **counts)
    return name


def preflight(teken: Teken, session: Session, selection: str) -> Preflight:
    """Look at a frozen choice as things are now. Raises SelectionUnknown."""
    frozen = _frozen(teken, session, selection)
    seen = dict(frozen.documents)
    with teken.db.read() as connection:
        listed = papers(connection, teken, session, [*seen, *dict(frozen.left_out)])
    certificate, ready, out = _certificate(teken, session), [], dict(frozen.left_out)
    for one in listed:
        cause = one.hindrance or (None if seen.get(one.permit, one.sha) == one.sha else "seen_differs")
        if one.permit in seen and cause is None:
            ready.append(one)
        elif one.permit in seen:
            out[one.permit] = str(cause)
    items = {item.paper.permit: item for item in described(teken, [one for one in listed if one.permit in out])}
    left = tuple((items[permit], cause) for permit, cause in out.items() if permit in items)
    numberless = sum(one.row.number is None for one in ready)
    gone = len(seen.keys() | out.keys()) - len(listed)
    return Preflight(frozen, tuple(ready), left, gone, certificate, signer_lives(teken), numberless)


def signer_lives(teken: Teken) -> bool:
    """Tell whether a signing process lives to which a passphrase may be sealed."""
    try:
        return bool(recipients(teken))
    except batch.NoSigner:
        return False


def sign(teken: Teken, session: Session, selection: str, passphrase: bytearray) -> str | None:
    """Open the batch of a frozen choice, once, and return its id; the passphrase is wiped in any case.

    Asked again (a second tap), return the batch that the first opened; None if that is still being opened.
    Raises SelectionUnknown, PassphraseUnfit, NoSigner, Conflict and Invalid as `batch.open_batch`.
    """
    try:
        frozen, official = _frozen(teken, session, selection), session.account.official
        assert official is not None, "whoever signs is an official"
        if not 0 < len(passphrase) <= LONGEST:
            raise batch.PassphraseUnfit
        if not _claim(teken, session, frozen):
            return _begun(teken, official, frozen, patience=_PATIENCE)
        return _open(teken, session, frozen, official, passphrase)
    finally:
        wipe(passphrase)


def _open(teken: Teken, session: Session, frozen: Selection, official: str, passphrase: bytearray) -> str:
    since = teken.clock.now()
    try:
        opened = batch.open_batch(teken, official, frozen.documents, passphrase).id
    except (TekenError, StoreBusy) as refused:
        recorded = _newest(teken, official, since)  # before the database was busy: the batch is there, and pauses
        if recorded is None:
            _note(teken, session, RELEASED, frozen, cause=getattr(refused, "code", "busy"))
            raise
        opened = recorded
    _note(teken, session, ORDERED, frozen, batch=opened, documents=len(frozen.documents), unread=frozen.unread)
    return opened


def _is_meant(paper: Paper, only_type: str | None, permit: str | None) -> bool:
    if permit is not None:
        return paper.permit == permit
    return only_type is None or paper.row.type == only_type


def _cause(paper: Paper, *, unread: bool) -> str | None:
    """Return why a chosen paper stays out."""
    if paper.hindrance is not None:
        return paper.hindrance
    return "seen_differs" if paper.changed and not unread else None


def _certificate(teken: Teken, session: Session) -> Certificate:
    now, official = teken.clock.now(), str(session.account.official)
    try:
        with teken.db.read() as connection:
            facts = describe_certificate(bytes(people.enrolled(connection, official, now).der))
    except TekenError as none:
        return Certificate(None, soon=False, days=0, fault=none.code)
    unfit = facts.unfit(now)
    left = facts.not_after - now
    return Certificate(facts, left < CERTIFICATE_SOON, left.days, f"certificate_{unfit[0]}" if unfit else None)


def _frozen(teken: Teken, session: Session, selection: str) -> Selection:
    try:
        told: Any = json.loads(teken.archive.get(selection)) if _SHA256.fullmatch(selection) else None
    except (ArchiveDamaged, ValueError):
        told = None
    if not isinstance(told, dict) or (told.get("kind"), told.get("account")) != (_KIND, session.account.id):
        raise SelectionUnknown
    documents = tuple((permit, sha) for permit, sha in told["documents"])
    left_out = tuple((permit, cause) for permit, cause in told["left_out"])
    return Selection(selection, told["at"], told["after"], documents, left_out, told["unread"])


def _claim(teken: Teken, session: Session, frozen: Selection) -> bool:
    """Tell whether this request is the one that opens the batch. Two at once are put in order by the account's row."""
    who = session.account
    with teken.db.write() as connection:
        connection.execute(select(accounts.c.id).where(accounts.c.id == who.id).with_for_update()).one()
        lines = select(desk_log.c.action, desk_log.c.detail).where(
            desk_log.c.office == who.office,
            desk_log.c.id > frozen.after,
            desk_log.c.account == who.id,
            desk_log.c.action.in_([CLAIMED, RELEASED, ORDERED]),
        )
        mine = [
            row.action
            for row in connection.execute(lines.order_by(desk_log.c.id))
            if json.loads(row.detail)["selection"] == frozen.id
        ]
        if mine and mine[-1] != RELEASED:
            return False
        detail = {"selection": frozen.id}
        book.note(teken, office=who.office, account=who.id, action=CLAIMED, connection=connection, **detail)
    return True


def _begun(teken: Teken, official: str, frozen: Selection, *, patience: float) -> str | None:
    deadline = time.monotonic() + patience
    while (found := _newest(teken, official, instant(frozen.at))) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _newest(teken: Teken, official: str, since: datetime) -> str | None:
    query = select(batches.c.id).where(batches.c.official == official, batches.c.opened_at >= stamp(since))
    with teken.db.read() as connection:
        return connection.execute(query.order_by(batches.c.opened_at.desc()).limit(1)).scalar_one_or_none()


def _note(teken: Teken, session: Session, action: str, frozen: Selection, **detail: Any) -> None:
    who = session.account
    book.note(teken, office=who.office, account=who.id, action=action, selection=frozen.id, **detail)
