"""What the head types to sign, and the one-time code that he may have to ask for first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service import batch_codes
from service.batch_codes import Request

if TYPE_CHECKING:
    from service.desk.sessions import Session
    from service.wiring import Teken

CODE = "totp"


@dataclass(frozen=True, slots=True)
class Typed:
    """`kind`: the back-end whose passphrase or PIN is typed, or `totp`; `request`: how the newest request for a code stands."""

    kind: str
    request: Request | None = None

    @property
    def is_code(self) -> bool:
        return self.kind == CODE

    @property
    def pending(self) -> bool:
        """The page says more in a moment."""
        return self.request is not None and self.request.state == "waiting"


def typed(teken: Teken, session: Session, since: str) -> Typed:
    """Return what this person types to sign; of requests for a code only those since then count."""
    office = session.account.office
    if not batch_codes.types_codes(teken, office):
        return Typed(teken.offices.office(office).signing.backend)
    return Typed(CODE, batch_codes.standing(teken, str(session.account.official), since))


def ask(teken: Teken, session: Session, documents: int, since: str) -> None:
    """Have a code sent to this person for so many documents. Raises Conflict where no codes are typed."""
    batch_codes.ask(teken, str(session.account.official), documents, since)
