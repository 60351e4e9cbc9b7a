"""The answers as data, with nothing in them that the public may not see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

BYTES, CONTENT = "bytes", "content"


class PermitState(StrEnum):
    """What a permit is worth today. `unknown` also stands for what is not issued (I5), `undetermined` for no register."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    REPLACED = "replaced"
    UNKNOWN = "unknown"
    UNDETERMINED = "undetermined"


class Verdict(StrEnum):
    """What a file is worth (DESIGN §8); the permit's standing is another question."""

    IDENTICAL = "identical"
    AUTHENTIC = "authentic"
    SUPERSEDED = "superseded"
    ALTERED = "altered"
    FOREIGN = "foreign"
    UNSIGNED = "unsigned"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says: names without any number of a person, and its days. `is_example`: a development one."""

    sha256: str
    subject: str
    organization: str
    issuer: str
    valid_from: datetime
    valid_to: datetime
    is_example: bool


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """Who proved the time, and which. `what`: `signature`, or `document` for an archive time-stamp over the whole file."""

    what: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature or seal of a released document, as it was recorded and proven at issue or at its extension.

    `proof`: `bytes` where the signed file begins with what was read, `content` where a service wrote it anew (ADR 0030).
    `at` is the signer's own claim; `stamps` are what proves it, the oldest first.
    """

    field: str
    by: str
    level: str
    at: datetime
    proof: str = BYTES
    certificate: Certificate | None = None
    stamps: tuple[TimeStamp, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One released version of the document; each stays good for ever."""

    number: int
    sha256: str
    released_at: datetime
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that changed the permit's standing: issued, suspended, resumed, revoked or replaced. Never why."""

    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PublicOffice:
    """The issuing office, as a page shows it."""

    code: str
    name: str
    short_name: str
    government: str
    contacts: tuple[str, ...]
    timezone: str
    certificate_label: str
    emblem: bytes
    addresses: tuple[str, ...]
    """Where it answers the public: host, port and path, the present one first."""


@dataclass(frozen=True, slots=True)
class PublicPermit:
    """All that anybody with the code may see. No NIK, birth date, home address, photo or STR ever gets in here."""

    code: str
    number: str
    type_name: str
    profession: str
    holder: str
    place: tuple[tuple[str, str], ...]
    """(label, value) of the practice place; the label is empty where the value speaks for itself."""
    valid_from: date
    valid_to: date
    office: PublicOffice
    official: str
    official_title: str
    """With "Plt." or "Plh." where the mandate says so."""
    versions: tuple[Version, ...]
    history: tuple[Happening, ...]
    replaced_by: str | None
    became: str | None
    """Why there is a newer one: `renewed`, `corrected` (wrong data on this paper) or `moved` (another practice place)."""
    corrects: bool
    """Issued to correct an earlier paper, whose number it may bear."""
    address: str
    """Where the paper says that it is verified: host, port and path, as readers type it."""
    is_example: bool
    """Signed with a development certificate: shows how it works, and is no official document."""
    own_data: bool
    """Its QR proves its own data (docs/QR.md), whatever the office prints today."""


@dataclass(frozen=True, slots=True)
class PermitAnswer:
    """The answer to a code. `permit` is None for `unknown` and `undetermined`."""

    state: PermitState
    checked_at: datetime
    permit: PublicPermit | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON shape of /api/v1/verify/CODE; members are only ever added."""
        permit = _permit(self.permit) if self.permit else None
        return {"state": str(self.state), "checked_at": _utc(self.checked_at), "permit": permit}


@dataclass(frozen=True, slots=True)
class FileSignature:
    """One signature of an inspected file. `by` is our own record of whose certificate it is; a stranger's is his claim."""

    field: str
    by: str
    level: str
    valid: bool
    proof: str | None = None
    """As of `Signature`; None for a file that is not, byte for byte, one of ours."""
    ours: bool = False
    """Whether the certificate is enrolled here, of somebody who could sign that day."""
    signed_at: datetime | None = None
    """The signer's own claim; `timestamp_at` is proven by a time-stamp in the signature, if there is one that holds."""
    timestamp_at: datetime | None = None
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """The answer to a file. `reasons` are codes of `words.toml`. Number, office and code come from the register."""

    verdict: Verdict
    sha256: str | None
    permit_state: PermitState = PermitState.UNKNOWN
    number: str | None = None
    office: str | None = None
    code: str | None = None
    signatures: tuple[FileSignature, ...] = ()
    reasons: tuple[str, ...] = ()
    updates_after: int | None = None
    """Of an altered file: how many updates follow the last signature whose bytes are unchanged; None where there is none."""

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of `teken verify --json`; `code` is left out where the register knows none."""
        known = {"code": self.code} if self.code else {}
        return {
            "verdict": str(self.verdict),
            "permit_state": str(self.permit_state),
            "number": self.number,
            "office": self.office,
            **known,
            "sha256": self.sha256,
            "signatures": [_file_signature(one) for one in self.signatures],
            "reasons": list(self.reasons),
            "updates_after": self.updates_after,
        }


def _permit(permit: PublicPermit) -> dict[str, Any]:
    office = permit.office
    return {
        "code": permit.code,
        "number": permit.number,
        "type": permit.type_name,
        "profession": permit.profession,
        "holder": permit.holder,
        "practice_place": [{"label": label, "value": value} for label, value in permit.place],
        "valid_from": permit.valid_from.isoformat(),
        "valid_to": permit.valid_to.isoformat(),
        "office": {"code": office.code, "name": office.name, "government": office.government},
        "official": {"name": permit.official, "title": permit.official_title},
        "documents": [_version(version) for version in permit.versions],
        "history": [{"what": one.what, "at": _utc(one.at)} for one in permit.history],
        "replaced_by": permit.replaced_by,
        "replaced_because": permit.became,
        "corrects_an_earlier_one": permit.corrects,
        "address_on_paper": permit.address,
        "is_example": permit.is_example,
        "certificate_label": office.certificate_label,
    }


def _version(version: Version) -> dict[str, Any]:
    return {
        "version": version.number,
        "sha256": version.sha256,
        "released_at": _utc(version.released_at),
        "signatures": [_signature(one) for one in version.signatures],
    }


def _signature(one: Signature) -> dict[str, Any]:
    return {
        "field": one.field,
        "by": one.by,
        "level": one.level,
        "at": _utc(one.at),
        "proof": one.proof,
        "certificate": _certificate(one.certificate) if one.certificate else None,
        "timestamps": [{"what": stamp.what, "by": stamp.by, "at": _utc(stamp.at)} for stamp in one.stamps],
    }


def _file_signature(one: FileSignature) -> dict[str, Any]:
    return {
        "field": one.field,
        "by": one.by,
        "level": one.level,
        "valid": one.valid,
        "proof": one.proof,
        "ours": one.ours,
        "signed_at": _utc(one.signed_at) if one.signed_at else None,
        "timestamp_at": _utc(one.timestamp_at) if one.timestamp_at else None,
        "certificate": _certificate(one.certificate) if one.certificate else None,
    }


def _certificate(one: Certificate) -> dict[str, Any]:
    return {
        "sha256": one.sha256,
        "subject": one.subject,
        "organization": one.organization,
        "issuer": one.issuer,
        "valid_from": _utc(one.valid_from),
        "valid_to": _utc(one.valid_to),
        "is_example": one.is_example,
    }


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
