"""PostgreSQL as a server that may be elsewhere: one that hangs, vanishes or hands over to another is busy, never waited for without end."""

from __future__ import annotations

import time
from typing import Any, Final

import psycopg
from psycopg.abc import RV, PQGen
from sqlalchemy import Engine, create_engine, event, make_url

STATEMENT_SECONDS: Final = 30
ANSWER_SECONDS: Final = STATEMENT_SECONDS + 5
"""A server that lives cancels a statement by itself before that."""
_HOUR: Final = 3600
_JUST_NOW: Final = 0.1
_SERVER: Final = {
    "statement_timeout": STATEMENT_SECONDS * 1000,
    "idle_in_transaction_session_timeout": 60_000,
    "tcp_keepalives_idle": 10,  # the server lets go of what a host held that lost power or its network
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": ANSWER_SECONDS * 1000,
}
_CLIENT: Final = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": ANSWER_SECONDS * 1000,
    "application_name": "teken",
}
READ_ONLY_SERVER: Final = "25006"
"""read_only_sql_transaction: where we began one to write in, this server is a standby now."""
IDLE_TOO_LONG: Final = "25P03"


class Impatient(psycopg.Connection[Any]):
    """Gives up on an answer after `patience` seconds and closes itself: whether the statement was done is not known.

    libpq waits for ever while the network acknowledges: a stopped server, a hanging disk.
    """

    patience: float = ANSWER_SECONDS
    answered_at: float = 0

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait as psycopg does, but not longer than `patience`."""
        try:
            answer = super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - psycopg asks its callers to handle it
            self.close()
            raise psycopg.OperationalError("no answer in time") from None
        self.answered_at = time.monotonic()
        return answer


def postgresql(url: str, busy_seconds: float) -> Engine:
    """Return an engine whose connections are tried before each use, within `busy_seconds`, and made anew every hour."""
    options = {**_SERVER, "lock_timeout": int(busy_seconds * 1000)}
    given = {
        **_CLIENT,
        "connect_timeout": max(2, int(busy_seconds)),
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
    }
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        connect_args=given,
        hide_parameters=True,  # an exception must not quote a case
        pool_pre_ping=True,
        pool_recycle=_HOUR,
        pool_size=5,
        max_overflow=64,
    )
    _ping_quickly(engine, max(2.0, busy_seconds))

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: list[Any], named: dict[str, Any]) -> psycopg.Connection[Any]:
        return Impatient.connect(*arguments, **named)

    return engine


def _ping_quickly(engine: Engine, seconds: float) -> None:
    """A pooled connection to a server that hangs must not cost a visitor more than one that is not there.

    One that answered just now is not asked: no server dies and is back so quickly, and what it died in between is busy either way.
    """
    plain = engine.dialect.do_ping

    def ping(connection: Any) -> bool:
        if time.monotonic() - connection.answered_at < _JUST_NOW:
            return True
        connection.patience = seconds
        try:
            return plain(connection)
        finally:
            connection.patience = ANSWER_SECONDS

    engine.dialect.do_ping = ping  # type: ignore[assignment]
