"""Whether the events reach the upstream systems that want them. Names endpoints by id alone: an address may hold a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from service.doctor.findings import Note, fault, warning, well
from service.webhooks.standing import Standing, lag_in

if TYPE_CHECKING:
    from service.doctor.view import View

LATE_SECONDS: Final = 3600
_HOUR: Final = 3600


def look_at_webhooks(view: View) -> Iterator[Note]:
    """Each endpoint that is set aside, or behind for more than an hour."""
    with view.read() as connection:
        found = lag_in(connection, view.clock.now())
    bad = [note for one in found if (note := _of(one)) is not None]
    yield from bad
    if not found:
        yield well("webhooks_unused")
    elif not bad:
        yield well("webhooks_fine", count=str(len(found)))


def _of(one: Standing) -> Note | None:
    hours = str(round(one.behind / _HOUR))
    why = one.fault or "-"
    if one.state == "parked":
        return fault("webhook_parked", one.endpoint, why=why)
    if one.state == "disabled":
        return fault("webhook_disabled", one.endpoint, why=why)
    if one.behind <= LATE_SECONDS:
        return None
    if one.state == "paused":
        return warning("webhook_paused", one.endpoint, hours=hours)
    return warning("webhook_late", one.endpoint, hours=hours, why=why)
