"""The auditor's means: the audit of his office, run beside the web's work and kept as a file; the desk's log; a permit's events.

An audit proves every released document again, which takes minutes in a large office. One runs at a time for each office, and says how
far it is in the file that marks it.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Row, or_, select

from service import audit, journal
from service.clock import stamp
from service.desk import book
from service.desk.access import own
from service.errors import Conflict
from service.store.tables import events, permits

if TYPE_CHECKING:
    from service.desk.accounts import Account
    from service.desk.sessions import Session
    from service.wiring import Teken

log = structlog.get_logger("teken.audits")
STALE_SECONDS = 15 * 60
"""A mark that nobody touched for so long: its process died."""
BEAT_SECONDS = 1.0
"""How often a run says how far it is."""
MOST_LINES = 50_000


@dataclass(frozen=True, slots=True)
class Report:
    """What the newest audit of an office found. `violations` are dicts of invariant, where, what."""

    office: str
    started_at: str
    finished_at: str
    by: str
    walked: dict[str, int]
    violations: list[dict[str, str]]
    checkpoint: str
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """An audit that is running: how many documents are proven of how many; 0 of 0 while register and journal are walked."""

    started_at: str
    by: str
    proven: int = 0
    documents: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """The audit that is running, and what the last one found."""

    running: Run | None
    report: Report | None


def standing(teken: Teken, office: str) -> Standing:
    """Return how the office's audit stands."""
    path = _file(teken, office)
    report = Report(**json.loads(path.read_text("utf-8"))) if path.is_file() else None
    return Standing(_running(_mark(teken, office)), report)


def begin(teken: Teken, who: Account) -> threading.Thread:
    """Start an audit of the person's own office in a thread of its own. Raises Conflict("audit_running")."""
    mark, run = _mark(teken, who.office), Run(stamp(teken.clock.now()), who.name)
    mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if mark.exists() and _running(mark) is None:
        mark.unlink(missing_ok=True)
    fresh = _written(mark, asdict(run))
    try:
        os.link(fresh, mark)  # in one step, and only if there is none
    except FileExistsError:
        raise Conflict("audit_running") from None
    finally:
        fresh.unlink()
    thread = threading.Thread(target=_audit, args=(teken, who, mark, run), name=f"audit-{who.office}", daemon=True)
    thread.start()
    return thread


def lines(
    teken: Teken,
    office: str,
    *,
    permit: str = "",
    account: str = "",
    day: date | None = None,
    before: int | None = None,
    most: int,
) -> list[Row[Any]]:
    """Return lines of the desk's log, newest first; `permit` is an id, a number or upstream's id."""
    found = _permit_of(teken, office, permit) if permit else None
    if permit and found is None:
        return []
    span = None if day is None else _span(teken.offices.office(office).calendar.timezone, day)
    return book.lines(teken, office, permit=found, account=account or None, span=span, before=before, most=most)


def events_of(teken: Teken, who: Session, permit: str) -> list[dict[str, Any]]:
    """Return a permit's events, oldest first, as the journal has them. Raises NotFound."""
    with teken.db.read() as connection:
        own(connection, who, permit)
        rows = connection.execute(select(events).where(events.c.permit == permit).order_by(events.c.seq)).all()
    return [{**row._mapping, "data": json.loads(row.data)} for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


def _audit(teken: Teken, who: Account, mark: Path, run: Run) -> None:
    try:
        with teken.db.read() as connection:
            checkpoint = journal.newest_checkpoint(connection)
        found = audit.audit(teken, office=who.office, told=_teller(mark, run))
        violations = [one.as_dict() for one in found.violations]
        report = _report(teken, who, run, walked=found.walked, violations=violations, checkpoint=checkpoint)
    except Exception as failed:  # noqa: BLE001 - told on the page, by its name alone
        log.error("audit_failed", error=type(failed).__name__)  # noqa: TRY400 - a traceback may quote a case
        report = _report(teken, who, run, walked={}, violations=[], checkpoint="", fault=type(failed).__name__)
    finally:
        mark.unlink(missing_ok=True)
    path = _file(teken, who.office)
    _written(path, report).replace(path)
    outcome = report["fault"] or ("ok" if not report["violations"] else "violations")
    book.note(teken, office=who.office, account=who.id, action="audit.ended", outcome=outcome)


def _teller(mark: Path, run: Run) -> Callable[[int, int], None]:
    """Return what writes into the mark how far the run is, which keeps it fresh too."""
    last = 0.0

    def tell(proven: int, documents: int) -> None:
        nonlocal last
        if time.monotonic() - last >= BEAT_SECONDS:
            last = time.monotonic()
            _written(mark, asdict(replace(run, proven=proven, documents=documents))).replace(mark)

    return tell


def _report(teken: Teken, who: Account, run: Run, **found: Any) -> dict[str, Any]:
    times = {"started_at": run.started_at, "finished_at": stamp(teken.clock.now())}
    return {"office": who.office, **times, "by": who.name, "fault": None, **found}


def _written(path: Path, told: dict[str, Any]) -> Path:
    """Write what the file will hold beside it, and return where: whoever reads it sees the one or the other."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    fresh.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", "utf-8")
    fresh.chmod(0o600)
    return fresh


def _running(mark: Path) -> Run | None:
    try:
        fresh = time.time() - mark.stat().st_mtime < STALE_SECONDS
        return Run(**json.loads(mark.read_text("utf-8"))) if fresh else None
    except FileNotFoundError:
        return None


def _file(teken: Teken, office: str) -> Path:
    return teken.settings.home / "audit" / f"{office}.json"


def _mark(teken: Teken, office: str) -> Path:
    return teken.settings.home / "audit" / f"{office}.running"


def _span(zone: str, day: date) -> tuple[str, str]:
    midnight = datetime.combine(day, datetime.min.time(), ZoneInfo(zone))
    return stamp(midnight), stamp(datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(zone)))


def _permit_of(teken: Teken, office: str, text: str) -> str | None:
    named = or_(permits.c.id == text, permits.c.number == text, permits.c.upstream_id == text)
    query = select(permits.c.id).where(permits.c.office == office, named).order_by(permits.c.created_at.desc())
    with teken.db.read() as connection:
        found: str | None = connection.execute(query).scalars().first()
    return found
