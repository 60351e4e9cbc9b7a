"""Which data keys a database needs: whoever comes with another key file is stopped at start, before he seals what nobody else can open."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, inspect, select

from service.clock import stamp
from service.store.tables import data_keys
from service.vault import SealBroken, VaultShut

if TYPE_CHECKING:
    from service.store import Database
    from service.vault import Vault

_CONTEXT = "data_keys.proof"


def stand_ready(database: Database, vault: Vault) -> None:
    """Make the key file of a new installation. Raises VaultShut where the file is missing and the database needs one."""
    if vault.path.exists():
        return
    with database.read() as connection:
        known = inspect(connection).has_table(data_keys.name) and connection.execute(select(data_keys.c.id)).first()
    if known:
        raise VaultShut(key=known.id)
    vault.keys()


def lacking(connection: Connection, vault: Vault) -> list[str]:
    """Return the ids of keys that the database needs and the file does not have, or has wrong. Raises VaultShut."""
    keys, missing = vault.keys(), []
    needed = select(data_keys).where(data_keys.c.dropped_at.is_(None)).order_by(data_keys.c.id)
    for row in connection.execute(needed):
        try:
            proven = row.id in keys and vault.open(row.proof, _CONTEXT).decode() == row.id
        except SealBroken:
            proven = False
        if not proven:
            missing.append(row.id)
    return missing


def recognise(connection: Connection, vault: Vault, now: datetime) -> None:
    """Note the file's keys; every key that the database needs must be among them, and none that was dropped may seal.

    Raises VaultShut.
    """
    if missing := lacking(connection, vault):
        raise VaultShut(key=missing[0])
    dropped = select(data_keys.c.id).where(data_keys.c.dropped_at.is_not(None))
    newest = list(vault.keys())[-1]
    if newest in connection.execute(dropped).scalars():
        raise VaultShut(key=newest)
    unknown = vault.keys().keys() - set(connection.execute(select(data_keys.c.id)).scalars())
    for key in sorted(unknown):
        proof = vault.seal_with(key, key.encode(), _CONTEXT)
        connection.execute(insert(data_keys).values(id=key, proof=proof, seen_at=stamp(now)))
