"""Keys and lists of the offline QR as the world gets them: rotation, what is revoked, and the list that says so, signed (docs/QR.md).

Signed where the keys are, in the signing process, whenever something changed and at least every six hours.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Container, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import cbor2
from sqlalchemy import Row

from service import qr, qr_keys
from service.clock import instant, stamp
from service.errors import NotFound
from service.permits import State
from service.qr_keys import QrKeyMissing
from service.store import qr as store
from service.store.qr_tables import KeyState

if TYPE_CHECKING:
    from service.sop.model import Office
    from service.wiring import Teken

FRESH: Final = timedelta(hours=6)
"""A list is signed again after this, though nothing changed: its age tells a page how old its own knowledge is."""
NEXT: Final = timedelta(hours=24)
EVERY_SECONDS: Final = 5.0
BURNED: Final = "burned"
STATES: Final = (State.REVOKED, State.SUSPENDED, State.REPLACED, BURNED)
"""In the order in which a list holds them."""


@dataclass(slots=True)
class Lister:
    """One signing process's care for the lists; it looks every few seconds."""

    _next: float = 0.0

    def look(self, teken: Teken) -> None:
        """Sign what changed."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_SECONDS
            refresh(teken)


def refresh(teken: Teken) -> int:
    """Sign the list of every office whose list changed or grew old; return how many. Without an active key there is no new list."""
    return sum(_refresh(teken, office.code) for office in offices(teken))


def offices(teken: Teken) -> list[Office]:
    """Return the offices whose papers bear such a QR, also those that no longer print one: what is about has to be read."""
    with teken.db.read() as connection:
        keyed = store.offices(connection)
    return [one for code, one in teken.offices.offices.items() if one.qr_offline or code in keyed]


def rotate(teken: Teken, office: str) -> str:
    """Make a new key in the place of the office's old one, which signs no more and proves what it signed; return the new id.

    Raises NotFound, QrKeyMissing: the passphrase file is not here.
    """
    _known(teken, office)
    secret = teken.settings.seal_passphrase
    if not secret.is_file():
        raise QrKeyMissing(office=office)
    qr_keys.make(teken.settings.keys, office, secret.read_bytes().strip(), replace=True)
    key, now = teken.keys.qr(office).public_key(), teken.clock.now()
    kid = qr.kid_of(key).hex()
    with teken.db.write() as connection:
        store.end(connection, office, KeyState.RETIRED, now)
        store.record(connection, office, kid, *qr.coordinates(key), now)
    _refresh(teken, office)
    return kid


def compromise(teken: Teken, office: str, kid: str) -> None:
    """Say that a key proves nothing any more: papers that it signed can't be verified offline. One in use here is rotated.

    Raises NotFound.
    """
    with teken.db.write() as connection:
        if store.find(connection, office, kid) is None:
            raise NotFound("qr_key_unknown")
        store.end(connection, office, KeyState.COMPROMISED, teken.clock.now(), kid=kid)
    with suppress(QrKeyMissing):
        if qr.kid_of(teken.keys.qr(office).public_key()).hex() == kid:
            rotate(teken, office)


def published_keys(teken: Teken, offices: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Return the key list: every key that ever signed for these offices (None: for all)."""
    with teken.db.read() as connection:
        rows = store.keys(connection, offices)
    return [
        {
            "office": row.office,
            "kid": row.kid,
            "alg": "ES256",
            "x": row.x,
            "y": row.y,
            "state": row.state,
            "not_before": row.not_before,
            "not_after": row.ended_at,
        }
        for row in rows
    ]


def published_lists(teken: Teken, offices: Iterable[str] | None = None) -> list[dict[str, str]]:
    """Return the newest signed list of each of these offices (None: of all)."""
    with teken.db.read() as connection:
        rows = store.lists(connection, offices)
    return [{"office": row.office, "list": row.body, "signature": row.signature} for row in rows]


def _refresh(teken: Teken, office: str) -> bool:
    """Sign the office's list if it is due; tell whether it was."""
    now = teken.clock.now()
    with teken.db.read() as connection:
        last = next(iter(store.lists(connection, [office])), None)
        ids = _ids(store.ended(connection, office), store.burned(connection, office))
        try:
            key = teken.keys.qr(office)
        except QrKeyMissing:
            return False
        kid = qr.kid_of(key.public_key())
        active = {row.kid for row in store.keys(connection, [office]) if row.state == KeyState.ACTIVE}
    if kid.hex() not in active or not _due(last, active, ids, now):
        return False
    body = cbor2.dumps([1, office, kid, _seconds(now), _seconds(now + NEXT), *ids], canonical=True)
    values = {"kid": kid.hex(), "issued_at": stamp(now), "body": _text(body)}
    with teken.db.write() as connection:
        store.put_list(connection, office, {**values, "signature": _text(qr.signed_list(body, key))})
    return True


def _due(last: Row[Any] | None, active: Container[str], ids: list[bytes], now: datetime) -> bool:
    """Old, of a key that ended, from a clock that has gone back since, or with other papers in it."""
    if last is None or last.kid not in active or not timedelta() <= now - instant(last.issued_at) < FRESH:
        return True
    return list(cbor2.loads(_bytes(last.body))[5:]) != ids


def _ids(ended: Iterable[tuple[str, str]], burned: Iterable[bytes]) -> list[bytes]:
    """Return the sorted ids of each state, end to end."""
    found: dict[str, set[bytes]] = {state: set() for state in STATES}
    found[BURNED].update(burned)
    for code, state in ended:
        found[BURNED if state == State.CLOSED else state].add(qr.list_id(code))
    return [b"".join(sorted(found[state])) for state in STATES]


def _known(teken: Teken, office: str) -> None:
    offline = [one.code for one in offices(teken)]
    if office not in offline:
        raise NotFound("office_unknown", known=", ".join(sorted(offline)))


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
