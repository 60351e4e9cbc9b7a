"""Teken's one error tree: every error has a code, an HTTP status and safe parameters.

The words of each code (what happened, what to do now) are in `service/problems/*.toml`, never here.
Nothing personal may enter `params` or a fault: errors reach logs, webhooks and other people's screens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong (or worth a warning) in what was sent: where (RFC 6901 JSON pointer) and why (a code)."""

    pointer: str
    code: str
    params: Mapping[str, str] = field(default_factory=dict)


class TekenError(Exception):
    """Something that must not happen, told to the one who asked. `str(error)` is safe for logs."""

    code: str = "internal"
    status: ClassVar[int] = 500

    def __init__(
        self,
        code: str | None = None,
        *,
        faults: tuple[Fault, ...] = (),
        retry_after: int | None = None,
        **params: str,
    ) -> None:
        self.code = code or type(self).code
        self.faults = faults
        self.params: Mapping[str, str] = params
        self.retry_after = retry_after
        super().__init__(self.code)

    def __str__(self) -> str:
        where = ", ".join(f"{fault.pointer}: {fault.code}" for fault in self.faults)
        return f"{self.code} ({where})" if where else self.code


class BadRequest(TekenError):
    """The request cannot be read at all (bad JSON, bad header or query)."""

    code = "bad_request"
    status = 400


class Unauthenticated(TekenError):
    """No key, or not one of ours."""

    code = "unauthenticated"
    status = 401


class Forbidden(TekenError):
    """Known, but not allowed."""

    code = "forbidden"
    status = 403


class WrongOffice(Forbidden):
    """A client or person of one office reached for another's."""

    code = "wrong_office"


class RoleForbids(Forbidden):
    """The person does not hold the role that this act needs."""

    code = "role_forbids"


class MandateExpired(Forbidden):
    """The person held the role, but not on this day (invariant I10)."""

    code = "mandate_expired"


class NotFound(TekenError):
    """Unknown, or not yours: the same answer, so that ids can't be probed."""

    code = "not_found"
    status = 404


class Conflict(TekenError):
    """The request is fine, but not with what is stored. Give the code: `Conflict("case_differs")`."""

    code = "conflict"
    status = 409


class IdempotencyRunning(Conflict):
    """The first request with this key has not ended yet."""

    code = "idempotency_running"


class NotIssued(Conflict):
    """The document is asked for before the permit is issued."""

    code = "not_issued"


class StateForbids(Conflict):
    """The permit's state does not allow this act. Give `state` and, if known, `act`."""

    code = "state_forbids"


class LengthRequired(TekenError):
    """A body of unknown length is not read: nothing says where it would end."""

    code = "length_required"
    status = 411


class TooLarge(TekenError):
    """The body is over the limit."""

    code = "too_large"
    status = 413


class UnsupportedMedia(TekenError):
    """The body is not of the kind that this address reads."""

    code = "unsupported_media"
    status = 415


class Invalid(TekenError):
    """Readable, but not acceptable: `faults` name every place."""

    code = "invalid"
    status = 422


class CaseInvalid(Invalid):
    """The posted case cannot be accepted as it is."""

    code = "case_invalid"


class IdempotencyMismatch(Invalid):
    """The same key came with another body."""

    code = "idempotency_mismatch"


class ReasonRequired(Invalid):
    """An act that needs a reason came without one."""

    code = "reason_required"


class TooMany(TekenError):
    """Too many requests for now."""

    code = "too_many"
    status = 429


class Busy(TekenError):
    """Nothing was stored; ask again after `retry_after` seconds."""

    code = "busy"
    status = 503

    def __init__(self, code: str | None = None, *, retry_after: int = 5) -> None:
        super().__init__(code, retry_after=retry_after)
