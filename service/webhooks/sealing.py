"""The signing secrets of endpoints, as they lie in the database: sealed, each for its own row."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from service.clock import stamp

if TYPE_CHECKING:
    from sqlalchemy import Row

    from service.vault import Vault


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


def _context(endpoint: str) -> str:
    return f"webhook_endpoints.secret/{endpoint}"
