"""What an inspection found, as data. Facts about a file, not a verdict on a permit: who was expected is not known here."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from signing.model import Level

Coverage = Literal["entire_file", "entire_revision", "contiguous", "unclear"]
Modification = Literal["none", "lta", "form_filling", "annotations", "other"]
Outcome = Literal["inspected", "undetermined"]
_TIMES: Final = ("signed_at", "timestamp_at", "not_before", "not_after")


@dataclass(frozen=True, slots=True)
class Trust:
    """What to trust: anchors, further CA certificates and CRLs, all DER; and the moment (None: now).

    Nothing is ever fetched. With `crls_der`, a signer is trusted only if one of them speaks for his certificate and does not
    revoke it; without, revocation is not looked at, and is the caller's to know (his own register of certificates).
    """

    anchors_der: tuple[bytes, ...]
    intermediates_der: tuple[bytes, ...] = ()
    crls_der: tuple[bytes, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """One signature or document time-stamp.

    `intact`: what it covers is unchanged. `valid`: its value verifies with the key in its certificate.
    `docmdp_ok`: later updates stay within what it and its locks permit; `modification` is what they amount to.
    `trusted`: its chain ends at a given anchor, now; `trust_problem` names the reason if not.
    `signed_at` is the signer's claim, `timestamp_at` a time-stamp's (only if that is valid; `timestamp_trusted`).
    `locks` are the fields that it freezes, `permission` is what it permits afterwards (DocMDP's 1, 2 or 3), if it says so.
    `weak` names algorithms that prove nothing any more. `end` is the offset behind its last covered byte.
    `level` is what the file itself carries: time-stamps that hold, and a store of revocation answers; trust is not asked.
    `issuer_cn`, `not_before`, `not_after`, `organization`, `digest` and `key` are read from certificate and signature, and are
    the signer's own words unless `trusted`. `flaws` are oddities of the value itself, which nothing covers; `canonical` says
    that it is written exactly as our composer writes it.
    """

    field: str
    kind: Literal["signature", "timestamp"]
    signer_cn: str
    certificate_sha256: str
    certify: bool
    intact: bool
    valid: bool
    docmdp_ok: bool
    coverage: Coverage
    modification: Modification
    level: Level
    signed_at: datetime | None
    timestamp_at: datetime | None
    timestamp_trusted: bool
    trusted: bool
    trust_problem: str
    weak: tuple[str, ...]
    locks: str
    permission: int | None
    end: int
    issuer_cn: str = ""
    organization: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    digest: str = ""
    key: str = ""
    flaws: tuple[str, ...] = ()
    canonical: bool = True

    @property
    def sound(self) -> bool:
        """Cryptographically intact, strong, and followed by permitted changes only; whoever signed."""
        covered = self.coverage in {"entire_file", "entire_revision"}
        return self.intact and self.valid and self.docmdp_ok and covered and not self.weak


@dataclass(frozen=True, slots=True)
class Inspection:
    """The facts about one file.

    `undetermined` = it could not be inspected safely; `cause` says why and every other fact is then without value.
    `tail`: what follows the last covered byte: nothing, whole updates, or bytes that no PDF needs.
    `later_updates` counts the updates there.
    `values` are the text fields' values; a viewer may draw something else, so they are never the authority.
    `changes` are what was done to the document after a signature and that no signature permits.
    `doubts` are why nothing good may be said of it although nothing is proven: two readers disagree, or see too much.
    `strict`: it reads without tolerance for sloppy writers. `embedded_files` and `scripts` say what the file carries besides pages.
    """

    sha256: str
    outcome: Outcome
    cause: str = ""
    pages: int = 0
    signatures: tuple[SignatureFacts, ...] = ()
    empty_signature_fields: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    covers_whole_file: bool = False
    tail: Literal["nothing", "updates", "unaccounted"] = "nothing"
    trailing_bytes: int = 0
    later_updates: int = 0
    has_dss: bool = False
    changes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    strict: bool = True
    embedded_files: int = 0
    scripts: bool = False

    @property
    def signed(self) -> bool:
        """Whether anybody signed at all."""
        return any(signature.kind == "signature" for signature in self.signatures)

    def by_field(self, name: str) -> SignatureFacts | None:
        """The signature in one field."""
        return next((signature for signature in self.signatures if signature.field == name), None)


def to_json(inspection: Inspection) -> dict[str, Any]:
    """The facts as JSON types; times in ISO 8601."""
    plain = dataclasses.asdict(inspection)
    for signature in plain["signatures"]:
        for key in _TIMES:
            signature[key] = signature[key].isoformat() if signature[key] else None
    return plain


def from_json(plain: dict[str, Any]) -> Inspection:
    """The inverse of `to_json`. Raises KeyError, TypeError or ValueError for anything else."""
    signatures = []
    for one in plain["signatures"]:
        times = {key: datetime.fromisoformat(one[key]) if one[key] else None for key in _TIMES}
        signatures.append(SignatureFacts(**{**one, **times, "weak": tuple(one["weak"]), "flaws": tuple(one["flaws"])}))
    rest = {
        "signatures": tuple(signatures),
        "empty_signature_fields": tuple(plain["empty_signature_fields"]),
        "values": tuple((name, value) for name, value in plain["values"]),
        "changes": tuple(plain["changes"]),
        "doubts": tuple(plain["doubts"]),
    }
    return Inspection(**{**plain, **rest})
