"""A question for EU DSS: which locks and permissions of the last signature make it warn of what archiving appends?

Archiving appends a DSS dictionary, a document time-stamp and, years later, another one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from service.document.locks import SEAL_LOCK
from service.document.markers import HEAD, SEAL
from signing import (
    ARCHIVE_FIELDS,
    Evidence,
    HttpTimestamper,
    Lock,
    OnlineRevocation,
    Permission,
    QrCode,
    SignatureSpec,
    Timestamper,
    Trust,
    extend_lt,
    extend_lta,
    gather,
    open_pkcs12,
    renew,
    sign,
)
from tests.conformance.pki import Authority, DevelopmentPki, time_stamping

URL = "HTTPS://IZIN.EXAMPLE.GO.ID/V/0123456789ABCDEF"


@dataclass(frozen=True)
class Variant:
    """What the head's certification permits, and what it and perhaps the seal lock."""

    name: str
    words: str
    permission: Permission
    head: Lock | None = None
    seal: Lock | None = None

    @property
    def sop(self) -> str:
        return "001" if self.seal else "000"

    @property
    def signed(self) -> tuple[str, ...]:
        return (HEAD, SEAL) if self.seal else (HEAD,)


VARIANTS = (
    Variant("p1", "head P=1, no FieldMDP ²", 1),
    Variant("p1-all", "head P=1, FieldMDP All", 1, Lock("all", (), 1)),
    Variant("p2-all", "head P=2, FieldMDP All", 2, Lock("all")),
    Variant("seal", "head P=2, Exclude seal and archive; seal P=1, Exclude archive ²", 2,
            Lock("exclude", (SEAL, *ARCHIVE_FIELDS)), SEAL_LOCK),
    Variant("seal-all", "head P=2, Exclude seal; seal P=1, All", 2, Lock("exclude", (SEAL,)), Lock("all", (), 1)),
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One update of the archived document: its file name's part and what EU DSS calls the level then."""

    name: str
    dss: str
    self_contained: bool = True


STEPS = (
    Step("signed", "PAdES-BASELINE-T", self_contained=False),
    Step("dss", "PAdES-BASELINE-LT"),
    Step("archived", "PAdES-BASELINE-LTA"),
    Step("renewed", "PAdES-BASELINE-LTA"),
)


def name_of(variant: Variant, step: Step) -> str:
    return f"permission-{variant.name}-{step.name}.pdf"


def make(keys: Path, out: Path) -> None:
    """Sign the final of a number-first permit in each way, and archive it: one file per step in `out`."""
    pki = DevelopmentPki(folder=keys)
    with time_stamping(Authority(pki.own_tsa())) as url:
        for variant in VARIANTS:
            steps = _steps((out / f"{variant.sop}-final.pdf").read_bytes(), variant, pki, HttpTimestamper(url))
            for step, pdf in zip(STEPS, steps, strict=True):
                (out / name_of(variant, step)).write_bytes(pdf)


def _steps(final: bytes, variant: Variant, pki: DevelopmentPki, tsa: Timestamper) -> Iterator[bytes]:
    pdf = _locked(final, {HEAD: variant.head, SEAL: variant.seal})
    office = {"000": "rokan-hilir", "001": "rokan-hulu"}[variant.sop]
    for field, owner, permission in ((HEAD, "kadis", variant.permission), (SEAL, "segel", 1))[: len(variant.signed)]:
        key = open_pkcs12(pki.folder / f"{office}.{owner}.p12", pki.secret)
        spec = SignatureSpec(field, "Penerbitan izin", "Contoh", field == HEAD, permission, QrCode(URL))
        pdf = sign(pdf, key, spec, timestamper=tsa).pdf
    yield pdf
    pdf = extend_lt(pdf, _evidence(pdf, pki, tsa)).pdf
    yield pdf
    for archived in (extend_lta, renew):
        pdf = archived(pdf, tsa, _evidence(pdf, pki, tsa)).pdf
        yield pdf


def _evidence(pdf: bytes, pki: DevelopmentPki, tsa: Timestamper) -> Evidence:
    now, trust = datetime.now(UTC), Trust((pki.root.der,), (pki.issuing.der,))
    source = OnlineRevocation(given=Evidence(crls_der=tuple(pki.lists(now).values())))
    return gather(pdf, trust, source, now, timestamper=tsa)


def _locked(final: bytes, locks: dict[str, Lock | None]) -> bytes:
    """The prepared paper with other locks in its signature fields; their empty appearances are written as they were, compressed."""
    with pikepdf.open(io.BytesIO(final)) as document:
        for field in document.Root.AcroForm.Fields:
            field.AP.N.write(b"")
            if "/Lock" in field:
                del field.Lock
            if lock := locks[str(field.T)]:
                action = Name("/" + lock.action.capitalize())
                entry = Dictionary(Type=Name.SigFieldLock, Action=action, P=lock.permission)
                if lock.fields:
                    entry.Fields = Array([String(name) for name in lock.fields])
                field.Lock = document.make_indirect(entry)
        out = io.BytesIO()
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
        return out.getvalue()
