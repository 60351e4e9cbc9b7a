"""The auditor's means: the audit of his office, run beside the web's work and kept as a file; the desk's log; a permit's events.

An audit proves every released document again, which takes minutes in a large office. One runs at a time for each office.
"""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import dataclass
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
STALE_SECONDS = 2 * 3600
"""A run that left its mark and never ended: its process died."""
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
class Standing:
    """Whether an audit is running, and what the last one found."""

    running: bool
    report: Report | None


def standing(teken: Teken, office: str) -> Standing:
    """Return how the office's audit stands."""
    path = _file(teken, office)
    report = Report(**json.loads(path.read_text("utf-8"))) if path.is_file() else None
    return Standing(_running(_mark(teken, office)), report)


def begin(teken: Teken, who: Account) -> threading.Thread:
    """Start an audit of the person's own office in a thread of its own. Raises Conflict("audit_running")."""
    mark = _mark(teken, who.office)
    mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if mark.exists() and not _running(mark):
        mark.unlink(missing_ok=True)
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise Conflict("audit_running") from None
    thread = threading.Thread(target=_run, args=(teken, who, mark), name=f"audit-{who.office}", daemon=True)
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


def _run(teken: Teken, who: Account, mark: Path) -> None:
    started = teken.clock.now()
    try:
        with teken.db.read() as connection:
            checkpoint = journal.newest_checkpoint(connection)
        found = audit.audit(teken, office=who.office)
        violations = [one.as_dict() for one in found.violations]
        report = _report(teken, who, started, walked=found.walked, violations=violations, checkpoint=checkpoint)
    except Exception as failed:  # noqa: BLE001 - told on the page, by its name alone
        log.error("audit_failed", error=type(failed).__name__)  # noqa: TRY400 - a traceback may quote a case
        report = _report(teken, who, started, walked={}, violations=[], checkpoint="", fault=type(failed).__name__)
    finally:
        mark.unlink(missing_ok=True)
    _keep(_file(teken, who.office), report)
    outcome = report["fault"] or ("ok" if not report["violations"] else "violations")
    book.note(teken, office=who.office, account=who.id, action="audit.ended", outcome=outcome)


def _report(teken: Teken, who: Account, started: datetime, **found: Any) -> dict[str, Any]:
    times = {"started_at": stamp(started), "finished_at": stamp(teken.clock.now())}
    return {"office": who.office, **times, "by": who.name, "fault": None, **found}


def _keep(path: Path, report: dict[str, Any]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", "utf-8")
    fresh.chmod(0o600)
    fresh.replace(path)


def _running(mark: Path) -> bool:
    try:
        return time.time() - mark.stat().st_mtime < STALE_SECONDS
    except FileNotFoundError:
        return False


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
