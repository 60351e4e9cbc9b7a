"""What the register knows that bears on a file: released bytes, their revisions, and whose certificates are ours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Row, or_, select

from service.document.locks import certified, head_lock, seal_lock
from service.document.markers import HEAD, SEAL
from service.people import local_day, seal_owner
from service.permits import RELEASED
from service.store.tables import certificates, documents, mandates, officials, permits, quarantine
from service.verification import certificate

if TYPE_CHECKING:
    from service.sop.load import Catalogue
    from service.sop.model import Office, Procedure
    from service.verification.answers import Certificate
    from signing import Inspection, Lock, SignatureFacts

_END = b"%%EOF\n"
_MOST_REVISIONS = 64
_ENROLLED: WeakKeyDictionary[Engine, dict[str, Certificate]] = WeakKeyDictionary()

Shape = tuple[tuple[str, str, int | None], ...]
"""The signatures of a flow in their order: (field, what it locks, what it permits)."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose certificate it is: an official who signs, or an office's seal."""

    office: str
    name: str
    is_seal: bool


@dataclass(frozen=True, slots=True)
class Descent:
    """Where a file comes from. `released`: it begins with, or is, a released version. `withheld`: with bytes that never were."""

    permit: Row[Any] | None = None
    released: bool = False
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the judgement needs besides the facts of the inspection."""

    owners: Mapping[str, Owner]
    shapes: Mapping[str, frozenset[Shape]]
    descent: Descent


def revision_hashes(pdf: bytes) -> dict[str, int]:
    """Return the SHA-256 of every beginning of the file that could be a whole earlier document, with its length."""
    hasher, found, start = hashlib.sha256(), {}, 0
    for _ in range(_MOST_REVISIONS):
        at = pdf.find(_END, start)
        if at < 0:
            break
        hasher.update(pdf[start : at + len(_END)])
        start = at + len(_END)
        found[hasher.hexdigest()] = start
    return found


def exact(connection: Connection, sha256: str) -> tuple[Row[Any], Row[Any]] | None:
    """Return (document, permit) if this is the hash of a released version."""
    document = connection.execute(select(documents).where(documents.c.sha == sha256)).first()
    if document is None:
        return None
    permit = connection.execute(
        select(permits).where(permits.c.id == document.permit, permits.c.state.in_(sorted(RELEASED)))
    ).first()
    return None if permit is None else (document, permit)


def owners(connection: Connection, offices: Catalogue, found: Inspection) -> dict[str, Owner]:
    """Return, by certificate, who of ours made a signature: only who could have signed or sealed on the day it claims."""
    known = {}
    for signature in found.signatures:
        query = select(certificates.c.owner).where(certificates.c.sha256 == signature.certificate_sha256)
        for name in connection.execute(query).scalars():
            office = offices.offices.get(name.partition("/")[0])
            owner = _owner(connection, office, name, signature) if office else None
            if owner:
                known[signature.certificate_sha256] = owner
    return known


def _owner(connection: Connection, office: Office, name: str, signature: SignatureFacts) -> Owner | None:
    if name == seal_owner(office):
        return Owner(office.code, office.seal_name or office.short_name, is_seal=True)
    signs = {role.code for role in office.roles.values() if role.signs}
    held = connection.execute(select(mandates).where(mandates.c.official == name, mandates.c.role.in_(signs))).all()
    if not any(_covers(mandate, office, signature.signed_at) for mandate in held):
        return None
    person = connection.execute(select(officials.c.name).where(officials.c.id == name)).scalar_one()
    return Owner(office.code, person, is_seal=False)


def _covers(mandate: Row[Any], office: Office, at: datetime | None) -> bool:
    if at is None:
        return False
    day = local_day(office, at).isoformat()
    return bool(mandate.valid_from <= day and (mandate.valid_to is None or day <= mandate.valid_to))


def shapes(offices: Catalogue) -> dict[str, frozenset[Shape]]:
    """Return, by office, how its documents may be signed: one shape for each flow among its permit types."""
    return {
        office: frozenset(_shape(flow) for kind in offices.types(office) for flow in _flows(kind.procedure))
        for office in offices.offices
    }


def _flows(procedure: Procedure) -> tuple[Procedure, ...]:
    """An office that numbers with the order issued before it did so, or will again: both are its own (ADR 0032)."""
    if procedure.number_first:
        return (procedure,)
    after = replace(procedure, number_at_sign=False, sealed=True)
    return (after, *(replace(procedure, number_at_sign=True, sealed=sealed) for sealed in (True, False)))


def _shape(procedure: Procedure) -> Shape:
    head = (HEAD, _words(head_lock(procedure)), certified(procedure))
    seal = seal_lock(procedure)
    return (head, (SEAL, _words(seal), seal.permission)) if procedure.sealed else (head,)


def _words(lock: Lock | None) -> str:
    """A lock as the inspection names it."""
    return f"{lock.action.capitalize()} {','.join(lock.fields)}".strip() if lock else ""


def descent(connection: Connection, hashes: Iterable[str], *, ours: bool) -> Descent:
    """Return what the beginnings of a file say of its origin; only a file with our signature is looked for among withheld bytes."""
    known = sorted(hashes)
    released = connection.execute(select(documents.c.permit).where(documents.c.sha.in_(known))).scalars().first()
    if released is not None:
        return Descent(_permit(connection, released), released=True)
    if not ours:
        return Descent()
    withheld = connection.execute(select(quarantine.c.permit).where(quarantine.c.sha.in_(known))).scalars().first()
    withheld = withheld or connection.execute(_made_here(known)).scalars().first()
    return Descent(_permit(connection, withheld), withheld=True) if withheld else Descent()


def _made_here(hashes: list[str]) -> Any:
    columns = (permits.c.sealed_sha, permits.c.head_sha, permits.c.ordered_sha, permits.c.final_sha)
    return select(permits.c.id).where(or_(*(column.in_(hashes) for column in columns)))


def _permit(connection: Connection, permit: str) -> Row[Any] | None:
    """The permit, if the public may know it."""
    query = select(permits).where(permits.c.id == permit, permits.c.state.in_(sorted(RELEASED)))
    return connection.execute(query).first()


def enrolled(connection: Connection, hashes: Iterable[str]) -> Mapping[str, Certificate]:
    """Return, by SHA-256, those of these certificates that are enrolled here. What was read once is not read again."""
    wanted, read = set(hashes), _read(connection.engine)
    if missing := wanted - read.keys():
        query = select(certificates.c.sha256, certificates.c.der).where(certificates.c.sha256.in_(sorted(missing)))
        read |= {row.sha256: certificate.told(row.der) for row in connection.execute(query)}
    return {sha256: read[sha256] for sha256 in wanted & read.keys()}


def known(engine: Engine, hashes: set[str]) -> Mapping[str, Certificate] | None:
    """Return these certificates where all of them were read before; None where the database must be asked."""
    read = _read(engine)
    return {sha256: read[sha256] for sha256 in hashes} if hashes <= read.keys() else None


def _read(engine: Engine) -> dict[str, Certificate]:
    return _ENROLLED.setdefault(engine, {})


def updates_after(pdf: bytes, end: int) -> int:
    """Return how many updates follow the byte at `end`; what is no whole update counts as one."""
    later = sum(length > end for length in revision_hashes(pdf).values())
    return later or int(len(pdf) > end)


def recorded(document: Row[Any]) -> list[dict[str, str]]:
    """Return the signatures that were recorded and proven when this version was released."""
    return list(json.loads(document.signatures))
