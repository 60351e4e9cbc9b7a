"""The approved case as Teken keeps it: frozen, with one canonical form and one hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from service import canonical
from service.sop.model import FieldKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.errors import Fault
    from service.sop.model import Field, OfficeCode, PermitType, TypeCode

Value = str | int | date
LIFETIME = "SEUMUR_HIDUP"


@dataclass(frozen=True, slots=True)
class Attestation:
    """Upstream's word that a row of the SOP was done: which, by whom, when."""

    no: int
    name: str | None
    nip: str | None
    at: datetime  # UTC


@dataclass(frozen=True, slots=True)
class Provided:
    """A requirement that upstream has seen, with its own reference if it gave one."""

    code: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class CasePhoto:
    """The photo as posted. `data` is None on a case read back from its canonical form: the archive has the bytes."""

    media_type: str
    sha256: str
    data: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, repr=False)
class Case:
    """One approved case. Values by dotted path: str, int or date; optional ones that were not sent are absent."""

    office: OfficeCode
    type: TypeCode
    upstream_id: str
    request_kind: str
    replaces: str | None
    complete_at: datetime  # UTC
    attested: tuple[Attestation, ...]  # by row number
    values: Mapping[str, Value]
    requirements: tuple[Provided, ...]  # by code
    photo: CasePhoto | None
    permit_type: PermitType = field(compare=False)
    _canonical: list[bytes] = field(default_factory=list, init=False, compare=False)

    def __repr__(self) -> str:
        """Name the case without saying anything of its person: reprs end in logs."""
        return f"Case({self.office}/{self.type} {self.upstream_id!r} {self.content_sha[:12]})"

    def get(self, path: str) -> Value | None:
        """Return the value of a field, or None."""
        return self.values.get(path)

    @property
    def str_until(self) -> date | None:
        """Return the STR's last day, or None for a lifetime STR."""
        until = self.values["str.masa_berlaku"]
        return until if isinstance(until, date) else None

    def canonical(self) -> bytes:
        """Return the one byte form of this content: sorted JSON, NFC, instants in UTC, the photo by its SHA-256."""
        if not self._canonical:
            self._canonical.append(canonical.dumps(self.as_dict()).encode())
        return self._canonical[0]

    @property
    def content_sha(self) -> str:
        """Return the SHA-256 of `canonical()`, in hex."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """Return the case in the shape in which it was posted."""
        out = self._head() | self._nested(lambda _: True)
        out["attested"] = [_attestation(row) for row in self.attested]
        out["requirements"] = [_present(code=got.code, reference=got.reference) for got in self.requirements]
        if self.photo:
            out["photo"] = {"media_type": self.photo.media_type, "sha256": self.photo.sha256}
        return out

    def without_secrets(self) -> dict[str, Any]:
        """Return what the paper shows anyway: for the file attached to it. No NIK, NIP, photo or reference."""
        shown = self._nested(lambda spec: spec.kind is not FieldKind.NIK and (spec.printed or spec.public))
        rows = [{"no": row.no, "at": _utc(row.at)} for row in self.attested]
        return self._head() | shown | {"attested": rows, "requirements": [{"code": r.code} for r in self.requirements]}

    def public(self) -> dict[str, Any]:
        """Return what the public page may show: the fields that the type declares public, never a NIK."""
        return {"office": self.office, "type": self.type} | self._nested(_public)

    def _head(self) -> dict[str, Any]:
        return _present(
            office=self.office,
            type=self.type,
            upstream_id=self.upstream_id,
            request_kind=self.request_kind,
            replaces=self.replaces,
            complete_at=_utc(self.complete_at),
        )

    def _nested(self, keep: Callable[[Field], bool]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for spec in self.permit_type.fields:
            value = self.values.get(spec.path)
            if value is None or not keep(spec):
                continue
            *groups, leaf = spec.path.split(".")
            place = out
            for group in groups:
                place = place.setdefault(group, {})
            place[leaf] = value.isoformat() if isinstance(value, date) else value
        return out


@dataclass(frozen=True, slots=True)
class Accepted:
    """A case that may go on, and what its clerk should look at."""

    case: Case
    warnings: tuple[Fault, ...]


def _public(spec: Field) -> bool:
    return spec.public and spec.kind is not FieldKind.NIK


def _attestation(row: Attestation) -> dict[str, Any]:
    by = _present(name=row.name, nip=row.nip)
    return {"no": row.no, "at": _utc(row.at)} | ({"by": by} if by else {})


def _present(**given: Any) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None}


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
