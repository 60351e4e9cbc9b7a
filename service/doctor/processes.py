"""Whether there is a living signing process that this host believes, so that a passphrase can be handed over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from service.doctor.findings import Note, fault, well
from service.identity import pins_of
from service.signers import living, recipients

if TYPE_CHECKING:
    from service.doctor.view import View


def look_at_signers(view: View) -> Iterator[Note]:
    """Nobody announces himself, or only such as are not pinned."""
    pins, now = pins_of(view.settings.pinned_signers, view.settings.pins), view.clock.now()
    with view.read() as connection:
        alive, believed = living(connection, now), recipients(connection, pins, now)
    if believed:
        yield well("signers_alive", count=str(len(believed)))
    elif alive:
        yield fault("signers_unpinned", count=str(len(alive)))
    else:
        yield fault("signers_none")
