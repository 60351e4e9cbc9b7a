"""What changes who may act, two admins decide: here what waits for the second one, and what his word carries out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from service import signatories
from service.desk import calendar, enrolment, invitations, mandates, officials, proposals
from service.desk.invitations import Made
from service.errors import NotFound
from service.store.desk_tables import Decision

if TYPE_CHECKING:
    from service.desk.accounts import Account
    from service.desk.proposals import Proposal
    from service.wiring import Teken

KINDS: Mapping[str, Callable[[Teken, Connection, Proposal], Made | None]] = {
    officials.ADD: officials.add,
    mandates.GIVE: mandates.give,
    mandates.END: mandates.end,
    enrolment.ENROL: enrolment.carry,
    invitations.CREATE: invitations.carry_create,
    invitations.INVITE: invitations.carry_invite,
    calendar.ADD: calendar.add,
    calendar.REMOVE: calendar.remove,
}


def waiting(teken: Teken, office: str) -> list[Proposal]:
    """Return what two admins still have to decide, newest first."""
    return proposals.of_kinds(teken, office, KINDS, state=Decision.OPEN)


def decided(teken: Teken, office: str, most: int = 20) -> list[Proposal]:
    """Return what was decided last."""
    found = proposals.of_kinds(teken, office, KINDS, most=2 * most)
    return [one for one in found if one.state != Decision.OPEN][:most]


def confirm(teken: Teken, who: Account, proposal: str) -> Made:
    """Carry out what another admin proposed; papers that name the wrong signer are made again at once.

    Raises NotFound, Conflict, Invalid, as `proposals.confirm` and what is carried out.
    """
    _own_kind(teken, who, proposal)
    made = Made()

    def carry(teken: Teken, connection: Connection, found: Proposal) -> None:
        nonlocal made
        made = KINDS[found.kind](teken, connection, found) or made

    kind = proposals.confirm(teken, who, proposal, carry).kind
    if kind in {mandates.GIVE, mandates.END, enrolment.ENROL}:
        signatories.renew(teken, who.office)
    return made


def refuse(teken: Teken, who: Account, proposal: str) -> None:
    """Decline, or take the own one back. Raises NotFound, Conflict."""
    _own_kind(teken, who, proposal)
    proposals.refuse(teken, who, proposal)


def _own_kind(teken: Teken, who: Account, proposal: str) -> None:
    """An admin decides what admins propose, and nothing of permits."""
    if proposals.find(teken, who.office, proposal).kind not in KINDS:
        raise NotFound("proposal_unknown")
