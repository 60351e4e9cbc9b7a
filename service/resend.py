"""The signer's word that a document may be sent to the service again, though a signature may exist already (ADR 0031)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service import journal, moves
from service.clock import stamp
from service.errors import Conflict
from service.people import actor, local_day
from service.store import batches, dispatches
from service.store.permits import lock

if TYPE_CHECKING:
    from service.wiring import Teken


def confirm_resend(teken: Teken, official: str, permit: str) -> dict[str, Any]:
    """Let a document whose outcome is unknown be signed again, by decision of whoever signs such papers today; journalled.

    In its batch it may be tried again; a seal goes on when the operator resumes the permit. Raises NotFound, RoleForbids,
    MandateExpired, Conflict: nothing_to_confirm, dispatch_under_way (its answer may still come).
    """
    bundle, now = moves.pinned(teken, permit), teken.clock.now()
    role = bundle.permit_type.procedure.signing_role
    with teken.db.write() as connection:
        row = lock(connection, permit)
        assert row is not None, "permits are never deleted"
        who = actor(connection, bundle.office, official, role, local_day(bundle.office, now))
        if row.lease_until > stamp(now):
            raise Conflict("dispatch_under_way")
        confirmed = dispatches.confirm(connection, permit)
        if not confirmed:
            raise Conflict("nothing_to_confirm")
        journal.hold(connection)  # before the batch's rows, as everywhere
        batches.allow_retry(connection, permit)
        moves.tell(connection, teken, row, "permit.resend_confirmed", {"mandate": who.mandate, "dispatches": confirmed})
    return {"id": permit, "state": row.state, "dispatches": confirmed}
