"""Extends a signed PDF to PAdES B-LT and B-LTA, and renews it: always one append-only update on the version before.

B-LT adds the document security store (DSS): certificates, CRLs and OCSP answers for every signature and time-stamp.
B-LTA adds, in the same update, a document time-stamp over all of it; a renewal adds the next one. Source: ETSI EN 319 142-1.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from asn1crypto import crl, ocsp, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import InvisSigSettings, SigFieldSpec
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore

from signing.backends import Digest
from signing.chains import chain_to_anchor, der_of
from signing.coverage import is_answered
from signing.errors import EvidenceFailed, SigningFailed, translated
from signing.facts import Trust
from signing.filling import PlainUpdate
from signing.holdings import Holdings, Use, held_by, holdings, uncovered
from signing.model import ARCHIVE_FIELD, Level
from signing.ownupdates import read_updates, signatures
from signing.reading import QuickReader
from signing.revocation import Evidence, Revocation, collect
from signing.storeupdate import store_update
from signing.timestamp import TOKEN_ROOM, Timestamper
from signing.tokenproof import prove_token

ARCHIVE_LABEL: Final = "Stempel waktu arsip"
_DIGEST: Final[Digest] = "sha256"


@dataclass(frozen=True, slots=True)
class Extended:
    """A longer document that begins with the one before, and the level that all its signatures have reached.

    `field` is that of the new document time-stamp, if there is one.
    """

    pdf: bytes
    level: Level
    field: str = ""


def extend_lt(pdf: bytes, evidence: Evidence) -> Extended:
    """Add the evidence to the DSS: B-LT. Every signature must carry a time-stamp.

    Raises SigningFailed: timestamp_missing, evidence_missing, extension_failed.
    """
    with translated(SigningFailed, "extension_failed"):
        updates = read_updates(pdf)
        signed = signatures(pdf, updates) if updates else None
        held = held_by([(False, content) for content in signed]) if signed else holdings(pdf)
        if not held.stamped:
            raise SigningFailed("timestamp_missing")
        _check_complete(held, evidence)
        longer = store_update(pdf, updates, evidence) if updates and signed else None
        return Extended(longer or _with_evidence(pdf, evidence), "B-LT")


def extend_lta(
    pdf: bytes, timestamper: Timestamper, evidence: Evidence, *, field: str = "", label: str = ARCHIVE_LABEL
) -> Extended:
    """Add the evidence and a document time-stamp over everything, in one update: B-LTA.

    The time-stamp gets a new field outside the page (`field`, or the next free one of arsip_1, arsip_2, ...), which the
    locks of earlier signatures allow. Raises SigningFailed: evidence_missing, extension_failed; TimestampFailed.
    """
    with translated(SigningFailed, "extension_failed"):
        held = holdings(pdf)
        _check_complete(held, evidence)
        writer = PlainUpdate.from_reader(QuickReader(io.BytesIO(pdf)))
        _add_evidence(writer, evidence)
        name = field or held.next_field(ARCHIVE_FIELD)
        return Extended(_stamped(writer, timestamper, name, label), "B-LTA", name)


def renew(
    pdf: bytes, timestamper: Timestamper, evidence: Evidence, *, field: str = "", label: str = ARCHIVE_LABEL
) -> Extended:
    """Add another document time-stamp, and with it the evidence for the one before: once before that one loses its value.

    Raises SigningFailed timestamp_missing where there is none to renew, otherwise as `extend_lta`.
    """
    with translated(SigningFailed, "extension_failed"):
        if not holdings(pdf).document_stamps:
            raise SigningFailed("timestamp_missing")
    return extend_lta(pdf, timestamper, evidence, field=field, label=label)


def gather(
    pdf: bytes, trust: Trust, source: Revocation, at: datetime, *, timestamper: Timestamper | None = None
) -> Evidence:
    """Collect the evidence that `pdf` lacks for its signatures and time-stamps, fresh at `at`.

    Whose answer since its use lies in the DSS is not asked for again; whose certificate has expired can't be, since CAs
    take it off their lists. With `timestamper`, also for the authority that is going to stamp, asked once for a token
    that is thrown away. A certificate that was revoked after a time-stamp proves its signature to exist is no obstacle.
    Raises EvidenceFailed, TimestampFailed, SigningFailed.
    """
    with translated(SigningFailed, "extension_failed"):
        held = holdings(pdf)
    uses = [*held.uses, _coming(timestamper)] if timestamper else list(held.uses)
    found = Evidence()
    for use in uses:
        known = held.evidence | found
        if is_answered(use, known, trust.anchors_der, trust.intermediates_der, after_use=_is_current(use, at)):
            continue
        try:
            found |= _asked(use, known, trust, source, at)
        except EvidenceFailed as failed:  # an older answer is better than no version at all; a revocation is not
            enough = is_answered(use, known, trust.anchors_der, trust.intermediates_der)
            if failed.code == "certificate_revoked" or not enough:
                raise
    return found


def _asked(use: Use, known: Evidence, trust: Trust, source: Revocation, at: datetime) -> Evidence:
    pool = (*map(der_of, use.others), *trust.intermediates_der, *known.certificates_der)
    chain = chain_to_anchor(der_of(use.certificate), pool, trust.anchors_der, at)
    return collect(chain, source, at, use.proven)


def _is_current(use: Use, at: datetime) -> bool:
    return at <= use.certificate.not_valid_after_utc


def _coming(timestamper: Timestamper) -> Use:
    token = prove_token(timestamper.token(bytes(32), _DIGEST))
    return Use(token.certificate, token.others, None)


def _check_complete(held: Holdings, evidence: Evidence) -> None:
    """No level is claimed that the file does not carry: each certificate below an anchor has a CRL or OCSP answer."""
    missing = uncovered(held.uses, held.evidence | evidence)
    if missing:
        raise SigningFailed("evidence_missing", ", ".join(f"serial {serial:x}" for serial in missing))


def _with_evidence(pdf: bytes, evidence: Evidence) -> bytes:
    """As `store_update` where that has no answer: an older store grows, a file is of another kind."""
    writer = PlainUpdate.from_reader(QuickReader(io.BytesIO(pdf)))
    _add_evidence(writer, evidence)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def _add_evidence(writer: IncrementalPdfFileWriter, evidence: Evidence) -> None:
    writer.register_extension(ESIC_EXTENSION_1)
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        sig_contents=None,
        certs=[x509.Certificate.load(der) for der in evidence.certificates_der],
        crls=[crl.CertificateList.load(der) for der in evidence.crls_der],
        ocsps=[ocsp.OCSPResponse.load(der) for der in evidence.ocsps_der],
    )


def _stamped(writer: IncrementalPdfFileWriter, timestamper: Timestamper, field: str, label: str) -> bytes:
    """Never hidden (ISO 19005-3, 6.3.2), but far outside the page, where no reader and no printer looks."""
    place = InvisSigSettings(set_print_flag=True, set_hidden_flag=False, box_out_of_bounds=True)
    spec = SigFieldSpec(sig_field_name=field, invis_sig_settings=place, readable_field_name=label)
    embedding = PdfCMSEmbedder(new_field_spec=spec).write_cms(field_name=field, writer=writer)
    next(embedding)
    embedding.send(SigObjSetup(sig_placeholder=DocumentTimestamp(bytes_reserved=2 * TOKEN_ROOM)))
    output = io.BytesIO()
    prepared, _ = embedding.send(SigIOSetup(md_algorithm=_DIGEST, in_place=False, output=output))
    prepared.fill_with_cms(output, timestamper.token(prepared.document_digest, _DIGEST))
    return output.getvalue()
