"""All checks in the order in which they are told. A check that breaks is told as unknown and stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfoNotFoundError

import structlog

from service.clock import SystemClock
from service.doctor.authorities import look_at_anchors, look_at_timestamps
from service.doctor.book import look_at_backup, look_at_numbering
from service.doctor.certificates import look_at_certificates, look_at_mandates, look_at_official
from service.doctor.datakeys import look_at_data_keys
from service.doctor.engines import look_at_postgresql, look_at_redis
from service.doctor.findings import Check, Finding, Note, label, unknown, worded
from service.doctor.keyfiles import look_at_files, look_at_keys, look_at_qr_keys
from service.doctor.moments import look_at_clock
from service.doctor.notices import look_at_notices
from service.doctor.place import (
    look_at_archive,
    look_at_offices,
    look_at_proxies,
    look_at_public_url,
    look_at_second_copy,
    look_at_timezones,
)
from service.doctor.processes import look_at_signers
from service.doctor.services import look_at_bsre, look_at_csc, look_at_host
from service.doctor.sharedkeys import look_at_shared_keys
from service.doctor.storage import look_at_database
from service.doctor.tokens import look_at_tokens
from service.doctor.view import Asked, OutOfSight, View
from service.doctor.webhooks import look_at_webhooks

if TYPE_CHECKING:
    from service.clock import Clock
    from service.settings import Settings

log = structlog.get_logger("teken.doctor")

CHECKS: Final = (
    Check("public_url", look_at_public_url),
    Check("proxies", look_at_proxies),
    Check("timezone", look_at_timezones),
    Check("database", look_at_database),
    Check("postgresql", look_at_postgresql),
    Check("shared_keys", look_at_shared_keys),
    Check("data_keys", look_at_data_keys),
    Check("redis", look_at_redis),
    Check("archive", look_at_archive),
    Check("second_copy", look_at_second_copy),
    Check("numbering", look_at_numbering),
    Check("backup", look_at_backup),
    Check("webhook", look_at_webhooks),
    Check("offices", look_at_offices),
    Check("anchors", look_at_anchors),
    Check("mandate", look_at_mandates),
    Check("certificate", look_at_certificates),
    Check("files", look_at_files),
    Check("host", look_at_host),
    Check("official", look_at_official),
    Check("key", look_at_keys),
    Check("qr_key", look_at_qr_keys),
    Check("token", look_at_tokens),
    Check("csc", look_at_csc),
    Check("bsre", look_at_bsre),
    Check("notices", look_at_notices),
    Check("signers", look_at_signers),
    Check("timestamp", look_at_timestamps),
    Check("clock", look_at_clock),  # last: the others hand in what their clocks say
)


def examine(settings: Settings, asked: Asked | None = None, clock: Clock | None = None) -> Iterator[Finding]:
    """Look at everything, one check after the other, and tell each finding as it is made."""
    view = View(settings, clock or SystemClock(), asked or Asked())
    try:
        for check in CHECKS:
            for note in _notes(check, view):
                yield worded(check.name, note)
    finally:
        view.close()


def _notes(check: Check, view: View) -> Iterator[Note]:
    try:
        yield from check.look(view)
    except OutOfSight as hidden:
        yield unknown("not_checked", because=label(hidden.check))
    except ZoneInfoNotFoundError:
        yield unknown("not_checked", because=label("timezone"))
    except Exception as broken:  # noqa: BLE001 - whatever it is, the operator hears the rest; told by type only
        log.warning("check_failed", check=check.name, error=type(broken).__name__)
        yield unknown("check_failed", error=type(broken).__name__)
