"""The second kind of back-end: a service that takes a whole document and gives a whole document back.

What comes back is a `Returned`, not a signed document: `signing.returned.accept_returned` makes it one, or refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NewType, Protocol, runtime_checkable

from signing.backends import Capabilities
from signing.errors import SigningError
from signing.model import Appearance, Frame

Returned = NewType("Returned", bytes)
"""Bytes from outside, believed by nobody yet."""


@dataclass(frozen=True, slots=True)
class Passphrase:
    """A signer's passphrase, for one call; never stored, shown or logged."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Totp:
    """A one-time code, for one call."""

    text: str = field(repr=False)


Secret = Passphrase | Totp
_FRAME: Final = Frame()


@dataclass(frozen=True, slots=True)
class Look:
    """Where the signature shows and as what: page from 1, box in points from the page's lower left corner."""

    page: int
    box: tuple[float, float, float, float]
    appearance: Appearance = _FRAME


@dataclass(frozen=True, slots=True)
class Order:
    """One document to be signed in `field` (or in the service's own field); no `look` = invisible."""

    pdf: bytes = field(repr=False)
    field: str
    look: Look | None = None
    reason: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one order: either what the service returned or why nothing did."""

    returned: Returned | None = field(default=None, repr=False)
    error: SigningError | None = None


@runtime_checkable
class DocumentBackend(Protocol):
    """A service that signs documents. A caller may rely on: a document is dispatched at most once per call.

    An answer that was lost after dispatch is `outcome_unknown`, never a silent resend; a wrong passphrase or code ends the
    call; the secret is kept nowhere.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    def sign_document(self, order: Order, secret: Secret) -> Returned:
        """Sign one document. Raises SigningError."""

    def sign_documents(self, orders: Sequence[Order], secret: Secret) -> tuple[Result, ...]:
        """Sign several with one secret; one result per order, in order. Never raises for what the service does."""
