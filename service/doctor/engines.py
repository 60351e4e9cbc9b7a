"""Whether PostgreSQL and Redis are set up so that what they acknowledge stays. Each line says what to set there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, make_url, text

from service.doctor.elsewhere import is_here, shown
from service.doctor.findings import Note, fault, warning, well
from service.doctor.moments import Reading

if TYPE_CHECKING:
    from service.doctor.view import View

OLDEST: Final = 15
NEARLY_ALL: Final = 0.8
LATE_BYTES: Final = 64 * 2**20
_WAIT_SECONDS: Final = 2
_FACTS: Final = text("""
    SELECT current_setting('server_version_num')::int / 10000 AS version,
           pg_is_in_recovery() AS follows,
           current_setting('fsync') AS fsync,
           current_setting('full_page_writes') AS full_page_writes,
           current_setting('synchronous_commit') AS synchronous_commit,
           current_setting('synchronous_standby_names') AS awaited,
           current_setting('max_connections')::int AS most,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
           (SELECT count(*) FROM pg_stat_replication) AS standbys,
           (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')) AS in_step
""")
_BEHIND: Final = text("SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) FROM pg_stat_replication")


@dataclass(frozen=True, slots=True)
class Postgres:
    """What a server says of itself. `behind`: how many bytes the latest standby has not replayed yet."""

    version: int
    follows: bool
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    awaited: str
    most: int
    used: int
    standbys: int
    in_step: int
    behind: int = 0


def look_at_postgresql(view: View) -> Iterator[Note]:
    """Only a role with `pg_monitor` sees how far standbys are behind; without it they are not late."""
    url = make_url(view.settings.database)
    if url.get_backend_name() != "postgresql" or view.schema == "unreachable":  # then `database` says so
        return
    with view.database.read() as connection:
        found = read_postgresql(connection)
    where = f"{url.host or url.query.get('host', 'localhost')}/{url.database}"
    notes = list(judged(where, found))
    yield from notes or [well("postgres_fine", where, version=str(found.version))]


def read_postgresql(connection: Connection) -> Postgres:
    """Ask the server."""
    row = connection.execute(_FACTS).one()
    behind = None if row.follows else connection.execute(_BEHIND).scalar_one()
    return Postgres(**row._mapping, behind=int(behind or 0))  # noqa: SLF001 - SQLAlchemy's public name


def judged(where: str, found: Postgres) -> Iterator[Note]:
    """Yield what is wrong with it, the worst first."""
    if found.follows:
        yield fault("postgres_follows", where)
    off = [name for name in ("fsync", "full_page_writes") if getattr(found, name) != "on"]
    if off:
        yield fault("postgres_lossy", where, names=", ".join(off))
    if found.synchronous_commit == "off":
        yield fault("postgres_commits_early", where)
    if found.version < OLDEST:
        yield fault("postgres_old", where, version=str(found.version), oldest=str(OLDEST))
    if found.awaited and not found.in_step:
        yield fault("postgres_standby_missing", where, names=found.awaited)
    elif found.standbys and (not found.awaited or found.synchronous_commit == "local"):
        yield warning("postgres_standbys_loose", where, count=str(found.standbys))
    if found.behind > LATE_BYTES:
        yield warning("postgres_standby_late", where, behind=f"{found.behind / 2**20:.0f} MB")
    if found.used > NEARLY_ALL * found.most:
        yield warning("postgres_crowded", where, used=str(found.used), most=str(found.most))


def look_at_redis(view: View) -> Iterator[Note]:
    """Where one is configured, it answers, and keeps rings over a restart."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import AuthenticationError, RedisError
    from redis.retry import Retry

    url = view.settings.redis_url
    if not url:
        yield well("redis_unused")
        return
    where = shown(url)
    limits = {"socket_timeout": _WAIT_SECONDS, "socket_connect_timeout": _WAIT_SECONDS}
    try:
        with Redis.from_url(url, retry=Retry(NoBackoff(), 0), retry_on_error=[], **limits) as connection:
            connection.ping()
            if not is_here(str(connection.connection_pool.connection_kwargs.get("host", "/"))):
                view.readings.append(_reading(view, where, connection))
            notes = list(_settings_of(where, connection))
        yield from notes or [well("redis_fine", where)]
    except AuthenticationError:
        yield fault("redis_refused", where)
    except (RedisError, OSError):
        yield fault("redis_unreachable", where)


def _settings_of(where: str, connection: Any) -> Iterator[Note]:
    """Read them from INFO: managed servers refuse CONFIG."""
    told = connection.info("persistence") | connection.info("memory")
    if not int(told.get("aof_enabled", 1)):
        yield warning("redis_forgets", where)
    policy = str(told.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        yield warning("redis_evicts", where, policy=policy)


def _reading(view: View, where: str, connection: Any) -> Reading:
    before = view.clock.now()
    seconds, micros = connection.time()
    theirs = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    return Reading(where, theirs, before, view.clock.now())
