"""When an office lets its applicants sleep."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def earliest(at: datetime, since: time, to: time, zone: str) -> datetime:
    """Return the first instant from `at` on, in UTC, that is outside the quiet hours of the office's zone. `since` = `to`: none are."""
    local = at.astimezone(ZoneInfo(zone))
    clock = local.time()
    asleep = since <= clock < to if since <= to else clock >= since or clock < to
    if not asleep:
        return at
    morning = local.replace(hour=to.hour, minute=to.minute, second=0, microsecond=0)
    return (morning if clock < to else morning + timedelta(days=1)).astimezone(UTC)
