"""Which data keys a database needs: whoever comes with another key file is stopped at start, before he seals what nobody else can open."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, inspect, select

from service.clock import stamp
from service.store.tables import data_keys
from service.vault import VaultShut

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


def recognise(connection: Connection, vault: Vault, now: datetime) -> None:
    """Note the file's keys; every key that the database needs must be among them. Raises VaultShut, SealBroken."""
    known = {row.id: row.proof for row in connection.execute(select(data_keys))}
    for key, proof in known.items():
        if vault.open(proof, _CONTEXT).decode() != key:
            raise VaultShut(key=key)
    unknown = vault.keys().keys() - known.keys()
    for key in sorted(unknown):
        proof = vault.seal_with(key, key.encode(), _CONTEXT)
        connection.execute(insert(data_keys).values(id=key, proof=proof, seen_at=stamp(now)))
