"""Inspects any PDF with pyHanko, the full inspector, and reports facts. Anything that raises is `undetermined`.

For files of unknown origin use `signing.isolation.inspect_isolated`, which runs this in a capped child process.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from asn1crypto import crl, x509
from pyhanko.pdf_utils.decode_limits import DecodeLimits
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    FormUpdatingRule,
    GenericFieldModificationRule,
    ModificationLevel,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
)
from pyhanko.sign.validation import (
    PdfSignatureStatus,
    SignatureCoverageLevel,
    validate_pdf_signature,
    validate_pdf_timestamp,
)
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy, RevocationCheckingRule

from signing.aftersigning import Signed, after_signing
from signing.errors import ProofFailed
from signing.facts import Coverage, Inspection, Modification, SignatureFacts, Trust
from signing.gap import covers_all_but_value, end_of
from signing.model import Level
from signing.revisions import end_of_update, read_update
from signing.signer import claims, name, weak
from signing.tolerant import counts_too_many, listed, weak_formats
from signing.value import flaws, is_canonical

_MOST_SIGNATURES: Final = 32
_MOST_FIELDS: Final = 512
_SOON: Final = 2.0
"""Seconds of processor time: a hundred times what a permit takes."""
_COVERAGE: Final[dict[Any, Coverage]] = {
    SignatureCoverageLevel.ENTIRE_FILE: "entire_file",
    SignatureCoverageLevel.ENTIRE_REVISION: "entire_revision",
    SignatureCoverageLevel.CONTIGUOUS_BLOCK_FROM_START: "contiguous",
}
_MODIFICATION: Final[dict[Any, Modification]] = {
    ModificationLevel.NONE: "none",
    ModificationLevel.LTA_UPDATES: "lta",
    ModificationLevel.FORM_FILLING: "form_filling",
    ModificationLevel.ANNOTATIONS: "annotations",
}
_STORED: Final = ("/Certs", "/CRLs", "/OCSPs")
_CHANGES: Final = StandardDiffPolicy(
    DEFAULT_DIFF_POLICY.global_rules,
    FormUpdatingRule([SigFieldCreationRule(), SigFieldModificationRule(), GenericFieldModificationRule(False)]),
)
"""What pyHanko permits, but for a drawing that is written anew in its place; it takes an old one under a lock for that."""


def inspect(pdf: bytes, trust: Trust) -> Inspection:
    """Inspect `pdf`. Never raises for what a file holds; memory and time are the caller's to cap."""
    sha256 = hashlib.sha256(pdf).hexdigest()
    if b"%PDF-" not in pdf[:1024]:
        return Inspection(sha256, "undetermined", "not_pdf")
    try:
        return _inspect(pdf, sha256, trust)
    except (Exception, RecursionError) as foreign:  # noqa: BLE001  # hostile input: whatever raises is not determined
        return Inspection(sha256, "undetermined", type(foreign).__name__)


def _inspect(pdf: bytes, sha256: str, trust: Trust) -> Inspection:
    """Read strictly; if that fails soon, tolerantly, which is said in the answer and never suffices for a document of ours."""
    began = time.process_time()
    try:
        return _read(pdf, sha256, trust, strict=True)
    except Exception:  # whatever strictness objects to; what took long would take as long again
        if time.process_time() - began > _SOON:
            raise
        if counts_too_many(pdf):
            return Inspection(sha256, "undetermined", "too_many_objects")
        return _read(pdf, sha256, trust, strict=False)


def _read(pdf: bytes, sha256: str, trust: Trust, *, strict: bool) -> Inspection:
    reader = PdfFileReader(io.BytesIO(pdf), strict=strict, decode_limits=DecodeLimits.for_untrusted_input())
    if reader.encrypted:
        return Inspection(sha256, "undetermined", "encrypted")
    embedded = listed(reader)
    if len(embedded) > _MOST_SIGNATURES:
        return Inspection(sha256, "undetermined", "too_many_signatures")
    if weak_formats(embedded):
        return Inspection(sha256, "undetermined", "weak_format")
    signatures = _levelled(reader, embedded, [_signature(one, trust, pdf) for one in embedded])
    after = after_signing(pdf, reader, [_signed(one) for one in embedded if end_of(one.byte_range)])
    uncovered = any(not covers_all_but_value(pdf, one.byte_range, one.pkcs7_content) for one in embedded)
    fields = list(_fields(reader))
    end = max((signature.end for signature in signatures), default=len(pdf))
    return Inspection(
        sha256=sha256,
        outcome="inspected",
        strict=strict,
        pages=int(reader.root["/Pages"]["/Count"]),
        signatures=signatures,
        empty_signature_fields=tuple(name for name, field in fields if _kind(field) == "/Sig" and "/V" not in field),
        values=tuple((name, str(field["/V"])) for name, field in fields if _kind(field) == "/Tx" and "/V" in field),
        covers_whole_file=any(signature.coverage == "entire_file" for signature in signatures) and end == len(pdf),
        tail=_tail(pdf, end),
        trailing_bytes=len(pdf) - end,
        later_updates=pdf.count(b"%%EOF", end),
        has_dss="/DSS" in reader.root,
        changes=tuple(sorted(after.changes | ({"coverage"} if uncovered else set()))),
        doubts=tuple(sorted(after.doubts)),
        embedded_files=after.embedded_files,
        scripts=after.scripts,
    )


def _signed(embedded: EmbeddedPdfSignature) -> Signed:
    level, locks = embedded.docmdp_level, embedded.fieldmdp
    return Signed(
        end_of(embedded.byte_range),
        tuple(int(number) for number in embedded.byte_range),
        level.value if level else None,
        locks.is_locked if locks else lambda _: False,
    )


def _signature(embedded: EmbeddedPdfSignature, trust: Trust, pdf: bytes) -> SignatureFacts:
    is_timestamp = embedded.sig_object_type == "/DocTimeStamp"
    status, problem = _status(embedded, trust, is_timestamp=is_timestamp)
    stamp = None if is_timestamp else status.timestamp_validity
    odd = list(flaws(embedded, pdf))
    if stamp is not None and not (stamp.valid and stamp.intact):
        stamp = None
        odd.append("timestamp")
    certificate = embedded.signer_cert
    return SignatureFacts(
        field=str(embedded.field_name),
        kind="timestamp" if is_timestamp else "signature",
        signer_cn=name(certificate.subject, "common_name"),
        certificate_sha256=hashlib.sha256(certificate.dump()).hexdigest(),
        certify=_certifies(embedded),
        intact=bool(status.intact),
        valid=bool(status.valid),
        docmdp_ok=bool(status.docmdp_ok) if status.docmdp_ok is not None else True,
        coverage=_COVERAGE.get(status.coverage, "unclear"),
        modification=_MODIFICATION.get(status.modification_level, "other"),
        level="B-T" if stamp else "B-B",
        signed_at=status.timestamp if is_timestamp else embedded.self_reported_timestamp,
        timestamp_at=stamp.timestamp if stamp else None,
        timestamp_trusted=bool(stamp and stamp.trusted),
        trusted=bool(status.trusted) and not problem,
        trust_problem=problem or ("" if status.trusted else _trust_problem(status)),
        weak=tuple(weak(embedded)),
        locks=_locks(embedded),
        permission=embedded.docmdp_level.value if embedded.docmdp_level else None,
        end=end_of(embedded.byte_range),
        **claims(embedded),
        flaws=tuple(odd),
        canonical=is_canonical(embedded, pdf),
    )


def _levelled(
    reader: PdfFileReader, embedded: list[EmbeddedPdfSignature], found: list[SignatureFacts]
) -> tuple[SignatureFacts, ...]:
    """Say B-LT and B-LTA where the file carries what they need; whether it suffices is a matter of trust."""
    stamps = [
        (facts.end, _answers(reader.get_historical_root(one.signed_revision)))
        for one, facts in zip(embedded, found, strict=True)
        if facts.kind == "timestamp" and facts.sound
    ]
    stored = _answers(reader.root)

    def level(one: SignatureFacts) -> Level:
        later = [answers for end, answers in stamps if end > one.end]
        if one.kind == "timestamp" or not (later or one.timestamp_at):
            return "B-B"
        return "B-LTA" if any(later) else "B-LT" if stored else "B-T"

    return tuple(replace(one, level=level(one)) for one in found)


def _answers(root: Any) -> bool:
    """Whether there is a store of certificates and revocation answers."""
    if "/DSS" not in root:
        return False
    certificates, *answers = (len(root["/DSS"][key]) if key in root["/DSS"] else 0 for key in _STORED)
    return bool(certificates and any(answers))


def _status(embedded: EmbeddedPdfSignature, trust: Trust, *, is_timestamp: bool) -> tuple[Any, str]:
    """The status and, if the chain alone made the validator raise, the reason.

    A chain that merely looks like ours (same names, other keys) makes it raise. That is a fact about trust and no
    reason to know nothing, so integrity is asked once more with no anchor at all.
    """
    validate = partial(validate_pdf_timestamp if is_timestamp else validate_pdf_signature, diff_policy=_CHANGES)
    try:
        return validate(embedded, _context(trust)), ""
    except SignatureValidationError as refused:
        return validate(embedded, _context(Trust((), at=trust.at))), type(refused).__name__


def _context(trust: Trust) -> ValidationContext:
    rule = RevocationCheckingRule.CRL_OR_OCSP_REQUIRED if trust.crls_der else RevocationCheckingRule.NO_CHECK
    signer_only = RevocationCheckingPolicy(rule, RevocationCheckingRule.NO_CHECK)
    return ValidationContext(
        trust_roots=[x509.Certificate.load(der) for der in trust.anchors_der],
        other_certs=[x509.Certificate.load(der) for der in trust.intermediates_der],
        crls=[crl.CertificateList.load(der) for der in trust.crls_der],
        allow_fetching=False,
        revinfo_policy=CertRevTrustPolicy(signer_only),
        moment=trust.at.astimezone(UTC) if trust.at else datetime.now(UTC),
        best_signature_time=trust.at.astimezone(UTC) if trust.at else None,
    )


def _trust_problem(status: PdfSignatureStatus) -> str:
    problem: Any = status.trust_problem_indic
    return str(problem.name if problem else "no_path").lower()


def _certifies(embedded: EmbeddedPdfSignature) -> bool:
    return "/Reference" in embedded.sig_object and any(
        entry.get_object()["/TransformMethod"] == "/DocMDP" for entry in embedded.sig_object["/Reference"]
    )


def _locks(embedded: EmbeddedPdfSignature) -> str:
    """What the signature locks: `All`, `Exclude a,b`, `Include a,b`, or nothing."""
    spec = embedded.fieldmdp
    return f"{spec.action.value.strip('/')} {','.join(spec.fields or ())}".strip() if spec else ""


def _fields(reader: PdfFileReader) -> Iterator[tuple[str, Any]]:
    """Terminal fields by their full names, with /FT and /V where a parent holds them is not our form: read as found."""
    if "/AcroForm" not in reader.root:
        return
    waiting = [("", field.get_object()) for field in reader.root["/AcroForm"].get("/Fields", ())]
    for _ in range(_MOST_FIELDS):
        if not waiting:
            return
        prefix, field = waiting.pop()
        name = ".".join(filter(None, (prefix, str(field.get("/T", "")))))
        yield name, field
        waiting.extend((name, kid.get_object()) for kid in field.get("/Kids", ()))
    raise ValueError("too many fields")


def _kind(field: Any) -> str:
    return str(field.get("/FT", ""))


def _tail(pdf: bytes, end: int) -> Any:
    """What follows the last covered byte: whole updates are accounted for byte by byte, as our composer writes them."""
    if end == len(pdf):
        return "nothing"
    try:
        while end < len(pdf):
            start, end = end, end_of_update(pdf, end)
            read_update(pdf, start, end, 0)
    except (ProofFailed, ValueError):
        return "unaccounted"
    return "updates"
