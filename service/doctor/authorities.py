"""Whom we trust and who stamps the time: the anchors' files, and each time-stamping authority asked once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from certs.make_dev_pki import ORGANISATION
from service.doctor.elsewhere import shown
from service.doctor.findings import Note, day, fault, warning, well
from service.doctor.moments import Reading
from service.expiring import DAYS
from service.longterm import below
from signing import HttpTimestamper, TimestampFailed
from signing.tokenproof import prove_token

if TYPE_CHECKING:
    from service.doctor.view import View

_SECOND: Final = 1.0


def look_at_anchors(view: View) -> Iterator[Note]:
    """The anchors' file and, where there is one, that of the issuing certificates."""
    anchors, below_them = view.settings.trust_file, view.settings.intermediates_file
    for path in [anchors, *([below_them] if below_them.exists() or view.settings.intermediates else [])]:
        try:
            found = x509.load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError):
            yield fault("anchors_unreadable", str(path))
        else:
            yield from _of_file(view, path, found)


def _of_file(view: View, path: Path, found: list[x509.Certificate]) -> Iterator[Note]:
    now, worst = view.clock.now(), min(found, key=lambda one: one.not_valid_after_utc)
    ends = worst.not_valid_after_utc
    if ends <= now:
        yield fault("anchor_expired", str(path), day=day(ends))
    elif (ends - now).days < DAYS:
        yield warning("anchor_expiring", str(path), day=day(ends))
    elif path == view.settings.trust_file and any(_made_by_us(one) for one in found):
        yield warning("anchors_development", str(path))
    else:
        yield well("anchors_fine", str(path), count=str(len(found)))


def _made_by_us(certificate: x509.Certificate) -> bool:
    return any(
        one.value == ORGANISATION for one in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    )


def look_at_timestamps(view: View) -> Iterator[Note]:
    """Each authority is asked for one token. While another one answers, a failure is a warning."""
    urls = view.settings.tsa_urls
    if not urls:
        yield from _without(view)
        return
    failed = {url: code for url in urls if (code := _ask(view, url))}
    told = fault if len(failed) == len(urls) else warning
    for url in urls:
        yield told(failed[url], shown(url)) if url in failed else well("tsa_fine", shown(url))


def _ask(view: View, url: str) -> str:
    """Return what is wrong with an authority, empty if nothing; its clock is handed on."""
    trusted, before = view.trusted, view.clock.now()
    asked = HttpTimestamper(url, anchors_der=trusted.anchors_der, others_der=trusted.intermediates_der)
    try:
        token = prove_token(asked.token(secrets.token_bytes(32), "sha256"))
    except TimestampFailed as failed:
        return "tsa_untrusted" if failed.detail == "chain_incomplete" else failed.code
    view.readings.append(Reading(shown(url), token.at, before, view.clock.now(), _SECOND))
    return ""


def _without(view: View) -> Iterator[Note]:
    """Nobody is configured: nothing stands still unless an office issues with a time-stamp only."""
    offices = list(view.offices.offices.values())
    stuck = [one.code for one in offices if below("B-B", one.issue_at_least)]
    waiting = [one.code for one in offices if below("B-B", one.target)]
    if stuck:
        yield fault("tsa_missing", ", ".join(stuck))
    elif waiting:
        yield warning("tsa_missing_later", ", ".join(waiting))
    else:
        yield well("tsa_unused")
