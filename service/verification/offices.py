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
        addresses=_addresses(teken, office),
    )


def at_host(teken: Teken, host: str) -> PublicOffice | None:
    """Return the office whose public address this is or was, or the only one there is."""
    offices = list(teken.offices.offices.values())
    mine = [one for one in offices if host in {urlsplit(url).hostname for url in _urls(one)}] or offices
    return face(teken, mine[0]) if len(mine) == 1 else None


def address(url: str) -> str:
    """Return host, port and path of an address in lower case, without the part that leads to one permit."""
    parts = urlsplit(url)
    path = parts.path.lower().partition("/v/")[0].rstrip("/")
    return parts.netloc.lower() + path


def _addresses(teken: Teken, office: Office) -> tuple[str, ...]:
    return _told(teken.settings.public_url, *_urls(office))


@lru_cache(64)
def _told(*urls: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address(url) for url in urls if url))


def _urls(office: Office) -> tuple[str, ...]:
    return (office.public_url, *office.public_url_aliases)


@lru_cache(64)
def _emblem(templates: Path, office: str, name: str) -> bytes | None:
    for folder in (office, SHARED):
        if (templates / folder / name).is_file():
            return (templates / folder / name).read_bytes()
    return None
