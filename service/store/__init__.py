"""Tables, transactions and migrations: SQLAlchemy Core over SQLite or PostgreSQL, the same code on both."""

from service.store.database import Database, StoreBusy

__all__ = ["Database", "StoreBusy"]
