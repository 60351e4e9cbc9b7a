"""The office as the public sees it: today's name, contacts and policy, whatever they were when a permit was pinned."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from service.sop.load import SHARED
from service.verification.answers import PublicOffice

if TYPE_CHECKING:
    from service.pins import Bundle
    from service.sop.model import Office
    from service.wiring import Teken


def today(teken: Teken, bundle: Bundle) -> Office:
    """Return the office as it is now: a policy that hides more protects permits of earlier years too."""
    return teken.offices.offices.get(bundle.office.code, bundle.office)


def face(teken: Teken, office: Office, bundle: Bundle | None = None) -> PublicOffice:
    """Return what a page shows of an office; the emblem of one that has left the templates comes from the pin."""
    emblem = _emblem(teken.settings.templates, office.code, office.emblem)
    if emblem is None and bundle is not None:
        names = (f"{office.code}/{office.emblem}", f"{SHARED}/{office.emblem}")
        emblem = next((bundle.files[name] for name in names if name in bundle.files), None)
    return PublicOffice(
        code=office.code,
        name=office.name,
        short_name=office.short_name,
        government=office.government,
        contacts=office.contacts,
        timezone=office.calendar.timezone,
        certificate_label=office.certificate_label,
        emblem=emblem or b"",
    )


def at_host(teken: Teken, host: str) -> PublicOffice | None:
    """Return the office whose public address this is, or the only one there is."""
    offices = list(teken.offices.offices.values())
    mine = [one for one in offices if (urlsplit(one.public_url).hostname or "") == host] or offices
    return face(teken, mine[0]) if len(mine) == 1 else None


@lru_cache(64)
def _emblem(templates: Path, office: str, name: str) -> bytes | None:
    for folder in (office, SHARED):
        if (templates / folder / name).is_file():
            return (templates / folder / name).read_bytes()
    return None
