"""Tables, transactions and migrations: SQLAlchemy Core over SQLite or PostgreSQL, the same code on both."""

from service.store import batch_tables as _batch_tables  # noqa: F401 - all tables are known wherever the store is
from service.store import book_tables as _book_tables  # noqa: F401 - as above
from service.store import client_tables as _client_tables  # noqa: F401 - as above
from service.store import desk_tables as _desk_tables  # noqa: F401 - as above
from service.store import dispatch_tables as _dispatch_tables  # noqa: F401 - as above
from service.store import gate_tables as _gate_tables  # noqa: F401 - as above
from service.store import notice_tables as _notice_tables  # noqa: F401 - as above
from service.store import qr_tables as _qr_tables  # noqa: F401 - as above
from service.store import released as _released  # noqa: F401 - as above
from service.store import report_tables as _report_tables  # noqa: F401 - as above
from service.store import standing_tables as _standing_tables  # noqa: F401 - as above
from service.store import webhook_tables as _webhook_tables  # noqa: F401 - as above
from service.store.database import Database, StoreBusy

__all__ = ["Database", "StoreBusy"]
