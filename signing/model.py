"""The frozen words of this package: fields, locks, specifications and results. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from signing.errors import SigningError

LockAction = Literal["all", "exclude", "include"]
Permission = Literal[1, 2, 3]
Level = Literal["B-B", "B-T", "B-LT", "B-LTA"]

ARCHIVE_FIELD: Final = "arsip_"
ARCHIVE_FIELDS: Final = tuple(f"{ARCHIVE_FIELD}{number}" for number in range(1, 31))
"""The fields of the document time-stamps to come, as many as an inspection reads: locks leave them out (docs/adr/0013)."""


@dataclass(frozen=True, slots=True)
class Lock:
    """What a signature in this field freezes (ISO 32000-2, 12.7.5.5): all fields, all but some, or some, also future ones.

    `permission` is DocMDP's: 1 nothing may change, 2 form filling and signing, 3 annotations too.
    """

    action: LockAction
    fields: tuple[str, ...] = ()
    permission: Permission = 2

    def __post_init__(self) -> None:
        if (self.action == "all") == bool(self.fields):
            raise SigningError("field_spec", f"lock {self.action} with {len(self.fields)} fields")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field: its marker in the template is a link to `x-field:<name>`; `label` is what a screen reader says.

    A `place` is none of ours: a service will make its own field there.
    """

    name: str
    kind: Literal["text", "signature", "place"]
    label: str
    lock: Lock | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A quiet thin frame: the look of a signature whose document gets its QR later."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code of `url`, error level M, four modules of quiet zone. Upper case keeps it in alphanumeric mode."""

    url: str


Appearance = Frame | QrCode


@dataclass(frozen=True, slots=True)
class SignatureSpec:
    """One signature: where, why, and what may change afterwards.

    `certify` makes it the document's certification signature (DocMDP, the first one only) with `permission`.
    An approval signature takes its permission from the field's lock.
    """

    field: str
    reason: str
    location: str
    certify: bool = False
    permission: Permission = 2
    appearance: Appearance = Frame()


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed document, the PAdES level that it really reached, by which certificate, and the claimed time (UTC)."""

    pdf: bytes
    level: Level
    certificate_sha256: str
    signed_at: datetime
