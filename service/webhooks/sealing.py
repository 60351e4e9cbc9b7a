"""The signing secrets of endpoints, as they lie in the database: sealed, each for its own row."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from service.clock import stamp
from service.store.webhook_tables import endpoints
from service.vault import key_of

if TYPE_CHECKING:
    from sqlalchemy import Row

    from service.vault import Vault
    from service.wiring import Teken


def sealed(vault: Vault, endpoint: str, secret: str) -> str:
    """Seal a secret for an endpoint. Raises VaultShut."""
    return vault.seal(secret.encode(), _context(endpoint))


def keys_of(vault: Vault, endpoint: Row[Any], now: datetime) -> list[str]:
    """Return the secrets that sign now: the endpoint's own, and for a day after a rotation the one before.

    Raises VaultShut, SealBroken.
    """
    both = [endpoint.secret]
    if endpoint.old_secret is not None and endpoint.old_until > stamp(now):
        both.append(endpoint.old_secret)
    return [vault.open(one, _context(endpoint.id)).decode() for one in both]


def reseal(teken: Teken) -> int:
    """Seal with the newest data key what older ones sealed; return how many secrets. A claim under way goes on.

    Raises VaultShut, SealBroken.
    """
    newest, done = list(teken.vault.keys())[-1], 0
    with teken.db.write() as connection:
        for row in connection.execute(select(endpoints).with_for_update()).all():
            older = {
                name: sealed(teken.vault, row.id, teken.vault.open(text, _context(row.id)).decode())
                for name in ("secret", "old_secret")
                if (text := getattr(row, name)) is not None and key_of(text) != newest
            }
            if older:
                connection.execute(update(endpoints).where(endpoints.c.id == row.id).values(**older))
            done += len(older)
    return done


def _context(endpoint: str) -> str:
    return f"webhook_endpoints.secret/{endpoint}"
