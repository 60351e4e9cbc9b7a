"""What a signed PDF holds for its long-term validity: who signed and stamped, when that is proven, and the DSS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import pikepdf
from cryptography import x509
from cryptography.x509 import ocsp
from pikepdf import Name

from signing.chains import issued
from signing.changes import open_revision
from signing.cmsproof import read_cms
from signing.model import Level
from signing.revocation import Evidence
from signing.tokenproof import Token, prove_token


@dataclass(frozen=True, slots=True)
class Use:
    """One certificate that signed or stamped. `proven`: when a time-stamp first shows that it had done so."""

    certificate: x509.Certificate
    others: tuple[x509.Certificate, ...]
    proven: datetime | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """`signature_stamps` has one entry for each signature; `document_stamps` are in order."""

    uses: tuple[Use, ...]
    signature_stamps: tuple[Token | None, ...]
    document_stamps: tuple[Token, ...]
    evidence: Evidence
    fields: frozenset[str]

    @property
    def stamped(self) -> bool:
        """Whether a time-stamp proves every signature: its own, or one of the document, which covers what was before."""
        return bool(self.signature_stamps) and (bool(self.document_stamps) or None not in self.signature_stamps)

    @property
    def level(self) -> Level:
        """The level of the whole: that of its weakest signature."""
        if not self.stamped:
            return "B-B"
        last = self.uses[-1:] if self.document_stamps else ()  # nobody needs to vouch yet for the newest stamp
        if uncovered([use for use in self.uses if use not in last], self.evidence):
            return "B-T"
        return "B-LTA" if self.document_stamps else "B-LT"

    def next_field(self, prefix: str) -> str:
        """A field name that is not taken: prefix and number."""
        return next(name for at in range(1, 1000) if (name := f"{prefix}{at}") not in self.fields)


@lru_cache(maxsize=4)  # who raises a document's level asks of the one before and of the one after, twice each
def holdings(pdf: bytes) -> Holdings:
    """Read one of our own signed files. What raises here is for the caller to translate."""
    revision = open_revision(pdf)
    signed = [widget.V for widget in revision.fields.values() if widget.get("/FT") == Name.Sig and "/V" in widget]
    signed.sort(key=lambda value: int(value.ByteRange[2]) + int(value.ByteRange[3]))
    contents = [(_is_stamp(value), bytes(value.Contents)) for value in signed]
    return held_by(contents, _evidence(revision.document), frozenset(revision.fields))


def held_by(
    signed: Sequence[tuple[bool, bytes]], evidence: Evidence | None = None, fields: frozenset[str] = frozenset()
) -> Holdings:
    """As `holdings`, from the /Contents of all signatures in order, each with whether it is a document time-stamp."""
    stamps = [prove_token(content) if is_stamp else None for is_stamp, content in signed]
    uses: list[Use] = []
    own: list[Token | None] = []
    for at, (_, content) in enumerate(signed):
        later = next((stamp.at for stamp in stamps[at + 1 :] if stamp), None)
        if stamp := stamps[at]:
            uses.append(Use(stamp.certificate, stamp.others, later))
            continue
        certificate, others, token = read_cms(content)
        mine = prove_token(token) if token else None
        own.append(mine)
        uses.append(Use(certificate, others, mine.at if mine else later))
        uses += [Use(mine.certificate, (*mine.others, *others), later)] if mine else []
    return Holdings(tuple(uses), tuple(own), tuple(filter(None, stamps)), evidence or Evidence(), fields)


def uncovered(uses: list[Use] | tuple[Use, ...], evidence: Evidence) -> tuple[int, ...]:
    """Serial numbers of certificates for which the evidence holds no CRL and no OCSP answer.

    The topmost certificate of a chain is somebody's trust anchor and needs none. Signatures and dates were checked when
    the evidence was collected.
    """
    return _uncovered(tuple((use.certificate, use.others) for use in uses), evidence)


@lru_cache(maxsize=16)  # a batch asks the same for every document
def _uncovered(
    held: tuple[tuple[x509.Certificate, tuple[x509.Certificate, ...]], ...], evidence: Evidence
) -> tuple[int, ...]:
    known = [x509.load_der_x509_certificate(der) for der in evidence.certificates_der]
    lists = {x509.load_der_x509_crl(der).issuer for der in evidence.crls_der}
    answered = {one.serial_number for der in evidence.ocsps_der for one in ocsp.load_der_ocsp_response(der).responses}
    missing: dict[int, None] = {}
    for certificate, others in held:
        pool = [*others, *known]
        for depth, one in enumerate(_path(certificate, pool)):
            topmost = (
                depth > 0 and next((issuer for issuer in pool if issuer != one and issued(issuer, one)), None) is None
            )
            if not (topmost or one.issuer in lists or one.serial_number in answered):
                missing[one.serial_number] = None
    return tuple(missing)


def _path(leaf: x509.Certificate, pool: list[x509.Certificate]) -> list[x509.Certificate]:
    path = [leaf]
    while issuer := next((one for one in pool if one not in path and issued(one, path[-1])), None):
        path.append(issuer)
    return path


def _is_stamp(value: pikepdf.Object) -> bool:
    return bool(value.get("/Type") == Name("/DocTimeStamp"))


def _evidence(document: pikepdf.Pdf) -> Evidence:
    store = document.Root.get("/DSS", pikepdf.Dictionary())

    def read(key: str) -> tuple[bytes, ...]:
        return tuple(stream.read_bytes() for stream in store.get(key, ()))

    return Evidence(read("/Certs"), read("/CRLs"), read("/OCSPs"))
