"""One-time codes for heads who sign at BSrE: asked for at the desk, sent by the service to the person himself.

The desk knows no account. It leaves a request in the database; a signing process that knows the account asks the service once.
The code itself is typed later and handed over like a passphrase (`service.batch`); it never passes here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from service.clock import instant
from service.errors import Conflict, NotFound, TekenError
from service.sop.model import OfficeCode
from service.store import codes
from service.store.batch_tables import Asked
from signing import SigningError

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from service.keys import AskCode
    from service.wiring import Teken

log = structlog.get_logger("teken.codes")
AGAIN = timedelta(seconds=30)
"""So long after a request that was not refused another is none: a second tap sends nobody a second code."""
PATIENCE = timedelta(seconds=90)
"""A request that has no answer by then gets none: no signing process that can ask lives, or it died while it asked."""
UNANSWERED = "code_unanswered"


class CodesNeedless(Conflict):
    """This office's head types a passphrase or PIN."""

    code = "code_needless"


@dataclass(frozen=True, slots=True)
class Request:
    """How a request stands: waiting, sent or failed, since when, and why it failed."""

    state: Asked
    since: str
    cause: str | None


def types_codes(teken: Teken, office: str) -> bool:
    """Tell whether the office's head authorises with one-time codes."""
    found = teken.offices.offices.get(OfficeCode(office))
    return found is not None and found.signing.authorise == "totp"


def ask(teken: Teken, official: str, documents: int, since: str = "") -> None:
    """Have the official's service send him a code for so many documents. Raises CodesNeedless, NotFound.

    A moment after another request nothing is asked, unless that was before `since`: then its code was used.
    """
    if not types_codes(teken, official.partition("/")[0]):
        raise CodesNeedless
    now = teken.clock.now()
    with teken.db.write() as connection:
        if not codes.hold(connection, official):
            raise NotFound("official_unknown")
        last = codes.newest(connection, official)
        fresh = last is not None and last.asked_at >= since and now - instant(last.asked_at) <= AGAIN
        if last is None or last.state == Asked.FAILED or not fresh:
            codes.add(connection, official, documents, now)


def standing(teken: Teken, official: str, since: str) -> Request | None:
    """Return how the newest request since then stands; None if there is none. What nobody answered in time has failed."""
    with teken.db.read() as connection:
        row = codes.newest(connection, official)
    if row is None or row.asked_at < since:
        return None
    if row.state in {Asked.SENT, Asked.FAILED}:
        return Request(Asked(row.state), row.ended_at, row.cause)
    late = teken.clock.now() - instant(row.asked_at) > PATIENCE
    return Request(Asked.FAILED, row.asked_at, UNANSWERED) if late else Request(Asked.WAITING, row.asked_at, None)


def pass_on(teken: Teken) -> None:
    """Ask the services for what was requested, each once: in the signing process, before it looks for documents."""
    if not any(office.signing.authorise == "totp" for office in teken.offices.offices.values()):
        return
    with teken.db.read() as connection:
        wanted = codes.waiting(connection)
    for row in wanted:
        late = teken.clock.now() - instant(row.asked_at) > PATIENCE
        if late:
            _end(teken, row, Asked.WAITING, UNANSWERED)
        elif (asker := teken.keys.asker(row.official)) is not None:
            _pass_on(teken, row, asker)


def _pass_on(teken: Teken, row: Row, asker: AskCode) -> None:  # type: ignore[type-arg]
    with teken.db.write() as connection:
        if not codes.become(connection, row.id, Asked.WAITING, Asked.SENDING):
            return
    cause = ""
    try:
        asker(row.documents)
    except (SigningError, TekenError) as refused:
        cause = UNANSWERED if refused.code == "outcome_unknown" else refused.code
    except Exception as fault:  # noqa: BLE001 - the process lives on: it alone holds what others typed
        log.error("code_not_asked", request=row.id, error=type(fault).__name__)  # noqa: TRY400 - a traceback may quote the account
        cause = UNANSWERED
    _end(teken, row, Asked.SENDING, cause)


def _end(teken: Teken, row: Row, now_in: Asked, cause: str) -> None:  # type: ignore[type-arg]
    if cause:
        log.warning("code_not_sent", request=row.id, cause=cause)
    now: datetime = teken.clock.now()
    with teken.db.write() as connection:
        codes.become(connection, row.id, now_in, Asked.FAILED if cause else Asked.SENT, at=now, cause=cause)
