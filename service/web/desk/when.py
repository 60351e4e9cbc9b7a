"""How late or how soon something is, as one says it: a word, an icon and a tone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from service.web.desk.words import Words

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class When:
    """A due time in words."""

    text: str
    icon: str
    tone: str  # bad | wait | info, or "" for later


def until(t: Words, due: datetime | str | None, now: datetime) -> When | None:
    """Return "terlambat 2 jam", "hari ini 14.30", "besok 09.00" or "25 November"; None where no time is set."""
    if due is None:
        return None
    at = (datetime.fromisoformat(due) if isinstance(due, str) else due).astimezone(ZoneInfo(t.zone))
    if at < now:
        return When(_late(t, now - at), "clock-exclamation", "bad")
    clock, days = at.strftime("%H.%M" if t.code == "id" else "%H:%M"), _days(at, now, t.zone)
    if days == 0:
        return When(t("due.today", clock=clock), "clock", "wait")
    if days == 1:
        return When(t("due.tomorrow", clock=clock), "clock", "info")
    day = t.day(at.date())
    return When(day.rsplit(" ", 1)[0] if at.year == now.year else day, "calendar", "")


def _late(t: Words, late: timedelta) -> str:
    if late < HOUR:
        return t("due.late_minutes", n=max(1, int(late.total_seconds() // 60)))
    if late < DAY:
        return t("due.late_hours", n=int(late / HOUR))
    return t("due.late_days", n=late.days)


def _days(at: datetime, now: datetime, zone: str) -> int:
    return (at.date() - now.astimezone(ZoneInfo(zone)).date()).days
