"""Other machines: how an address is told, whether it is this machine's after all, and what a web server's clock says."""

from __future__ import annotations

import http.client
import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from service.doctor.moments import Reading

if TYPE_CHECKING:
    from service.doctor.view import View

THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_SECONDS: Final = 15.0
_SECOND: Final = 1.0


def is_here(host: str) -> bool:
    """Tell whether a database server is on this machine: then its clock is ours, and proves nothing."""
    return host.startswith("/") or host in THIS_MACHINE


def shown(url: str) -> str:
    """Return an address without what may be secret in it: login, path's query."""
    parts = urlsplit(url)
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or parts.path
    return f"{parts.scheme}://{host}" + (parts.path if parts.hostname else "")


def take_reading(view: View, url: str, ca_file: Path | None = None) -> None:
    """What the service's clock says, by the Date of an answer to a bare request; nothing if it doesn't say."""
    parts, before = urlsplit(url), view.clock.now()
    secure = parts.scheme == "https"
    trust = ssl.create_default_context(cafile=str(ca_file) if ca_file else None) if secure else None
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, parts.port, timeout=_SECONDS, context=trust)
        if secure
        else http.client.HTTPConnection(host, parts.port, timeout=_SECONDS)
    )
    try:
        connection.request("HEAD", parts.path or "/")
        answer = connection.getresponse()
        theirs = parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
        if "Age" not in answer.headers:  # then a cache says when it got it
            view.readings.append(Reading(shown(url), theirs, before, view.clock.now(), _SECOND))
    except (OSError, http.client.HTTPException, ValueError):
        return  # that it can't be reached is told of the service
    finally:
        connection.close()
