"""What applicants are told with: this host's gateways and mail servers, and what failed lately."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from service.clock import stamp
from service.doctor.findings import Note, fault, warning, well
from service.doctor.services import in_our_words
from service.host import HostInvalid
from service.notices.gateways import read_gateways
from service.notices.message import NotTaken
from service.store.notice_tables import notices
from service.store.notices import FAILED

if TYPE_CHECKING:
    from service.doctor.view import View
    from service.notices.gateways import Gateways, Outlet

LATELY: Final = timedelta(days=7)


def look_at_notices(view: View) -> Iterator[Note]:
    """Each channel that an office wants has a gateway that answers; nothing is sent."""
    path = view.settings.notices
    wanted = [(one.code, channel) for one in view.offices.offices.values() for channel in _channels(view, one.code)]
    if not wanted:
        yield well("notices_unused")
        return
    yield from _failed(view)
    if path is None:
        yield well("notices_elsewhere")
        return
    try:
        gateways = read_gateways(path)
    except HostInvalid as invalid:
        yield fault("notices_invalid", str(path), why=in_our_words(str(invalid).removeprefix(f"{path}: ")))
        return
    for office, channel in wanted:
        if gateways.of(office, channel) is None:
            yield fault("notices_no_gateway", f"{office}/{channel}")
    for outlet in _used(gateways, wanted):
        yield _reached(outlet)


def _channels(view: View, office: str) -> tuple[str, ...]:
    policy = view.offices.office(office).notices
    return policy.channels if policy else ()


def _used(gateways: Gateways, wanted: Sequence[tuple[str, str]]) -> list[Outlet]:
    found = [gateways.of(office, channel) for office, channel in wanted]
    return list({one.name: one for one in found if one is not None}.values())


def _reached(outlet: Outlet) -> Note:
    try:
        outlet.sender.reach()
    except NotTaken as refused:
        return fault(f"notices_{refused.code}", outlet.name)
    return well("notices_fine", outlet.name)


def _failed(view: View) -> Iterator[Note]:
    since = stamp(view.clock.now() - LATELY)
    count = func.count().label("failed")
    query = select(notices.c.office, count).where(notices.c.outcome.in_(FAILED), notices.c.ended_at >= since)
    with view.read() as connection:
        rows = connection.execute(query.group_by(notices.c.office).order_by(notices.c.office)).all()
    for row in rows:
        yield warning("notices_failing", row.office, count=str(row.failed))
