"""Columns whose text is sealed on its way into the database and opened on its way out: whoever has the database alone reads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect, Text
from sqlalchemy.types import TypeDecorator

from service.vault import Vault, VaultShut

if TYPE_CHECKING:
    Base = TypeDecorator[str]
else:
    Base = TypeDecorator

_VAULTS: WeakKeyDictionary[Dialect, Vault] = WeakKeyDictionary()
"""Each engine has its own dialect object, which is all that a column's type is given."""


class Sealed(Base):
    """Text that the engine's vault seals for this column. What was stored before there was a vault can't be read: migrations seal it."""

    impl = Text
    cache_ok = True

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Seal. Raises VaultShut."""
        return None if value is None else vault_of(dialect).seal(value.encode(), self.column)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Open. Raises VaultShut, SealBroken."""
        return None if value is None else vault_of(dialect).open(value, self.column).decode()


def hold(dialect: Dialect, vault: Vault) -> None:
    """Let an engine's columns be sealed by this vault."""
    _VAULTS[dialect] = vault


def vault_of(where: Dialect | Connection) -> Vault:
    """Return an engine's vault. Raises VaultShut if it was opened without one."""
    vault = _VAULTS.get(where.dialect if isinstance(where, Connection) else where)
    if vault is None:
        raise VaultShut
    return vault
