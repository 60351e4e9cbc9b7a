"""The events that a client is told, in the pull feed and by webhook (docs/operating/webhooks.md has an example of each of the first)."""

from __future__ import annotations

from typing import Final

LIFE_CYCLE: Final = (
    "case.accepted",
    "case.returned",
    "case.corrected",
    "permit.withdrawn",
    "permit.numbered",
    "permit.number_voided",
    "permit.issued",
    "permit.ready",
    "permit.handed_over",
    "permit.suspended",
    "permit.resumed_in_force",
    "permit.revoked",
    "permit.replaced",
)
"""What an upstream system acts on."""
PROGRESS: Final = (
    "case.erased",
    "case.re_pinned",
    "permit.answered_late",
    "permit.approved",
    "permit.archived",
    "permit.delivered",
    "permit.dispatch_refused",
    "permit.dispatch_unknown",
    "permit.dispatched",
    "permit.drafted",
    "permit.extended",
    "permit.number_kept",
    "permit.order_lapsed",
    "permit.order_withdrawn",
    "permit.paper_outdated",
    "permit.parafed",
    "permit.parked",
    "permit.printed",
    "permit.received_by_holder",
    "permit.reconciled",
    "permit.recorded",
    "permit.rendered",
    "permit.reprinted",
    "permit.resend_confirmed",
    "permit.resumed",
    "permit.return_refused",
    "permit.sealed",
    "permit.sign_ordered",
    "permit.signed",
    "permit.survey_declined",
    "permit.survey_postponed",
    "permit.surveyed",
    "permit.taken_by_holder",
    "permit.verified",
)
"""How far a permit has come on its way, for whoever wants to show it."""
TYPES: Final = frozenset((*LIFE_CYCLE, *PROGRESS))
