"""This host's own file of gateways and mail servers (`TEKEN_NOTICES`). It holds secrets, so nobody but its owner may read it.

An error names file and key, never a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from service.cases.values import EMAIL
from service.host import HostInvalid, HostTable, read_closed
from service.notices.http import HttpGateway, check_body
from service.notices.mail import MailServer

if TYPE_CHECKING:
    from service.notices.message import Sender

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_DEPTH: Final = 4
_PLAIN: Final = re.compile(r"[\x20-\x7e]*\Z")
_SPACELESS: Final = re.compile(r"[\x21-\x7e]+\Z")


@dataclass(frozen=True, slots=True)
class Outlet:
    """One sender, of which channel, for which offices (none named: for all)."""

    name: str
    channel: str
    offices: tuple[str, ...]
    sender: Sender


@dataclass(frozen=True, slots=True)
class Gateways:
    """What this host sends with."""

    outlets: tuple[Outlet, ...] = ()

    def of(self, office: str, channel: str) -> Outlet | None:
        """Return the office's outlet of a channel: its own before everybody's."""
        fitting = [one for one in self.outlets if one.channel == channel and (not one.offices or office in one.offices)]
        return min(fitting, key=lambda one: not one.offices, default=None)


def read_gateways(path: Path | None) -> Gateways:
    """Read the file; no path, nothing set up. Raises HostInvalid."""
    if path is None:
        return Gateways()
    told = read_closed(path, _File, _DEPTH)
    outlets = [_http(path, name, table) for name, table in told.http.items()]
    return Gateways((*outlets, *(_smtp(path, name, table) for name, table in told.smtp.items())))


def _address(url: str) -> str:
    if not _SPACELESS.match(url):
        raise ValueError
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if (
        not parts.hostname
        or not (parts.scheme == "https" or local)
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise ValueError
    return url


def _plain(text: str) -> str:
    if not _PLAIN.match(text):
        raise ValueError
    return text


def _mailbox(text: str) -> str:
    if not EMAIL.fullmatch(text):
        raise ValueError
    return text


def _body(tree: dict[str, Any]) -> dict[str, Any]:
    check_body(tree)
    return tree


_Channel = Literal["whatsapp", "sms", "email"]
_Line = Annotated[str, Field(max_length=2000), AfterValidator(_plain)]
_Header = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$", max_length=60)]
_Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", max_length=60)]
_Seconds = Annotated[float, Field(gt=0, le=60)]


class _Http(HostTable):
    channel: _Channel
    offices: tuple[_Name, ...] = ()
    url: Annotated[str, Field(max_length=500), AfterValidator(_address)]
    method: Literal["POST", "PUT"] = "POST"
    format: Literal["json", "form"] = "json"
    headers: dict[_Header, _Line] = Field(default_factory=dict)
    body: Annotated[dict[str, Any], Field(min_length=1), AfterValidator(_body)]
    id_header: _Header = "Idempotency-Key"
    accepted: dict[str, str | int | bool] = Field(default_factory=dict)
    templates: dict[Literal["ready", "issued", "returned", "expiring"], _Line] = Field(default_factory=dict)
    seconds: _Seconds = 15.0
    ca_file: Path | None = None


class _Smtp(HostTable):
    offices: tuple[_Name, ...] = ()
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$", max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    sender: Annotated[str, AfterValidator(_mailbox)]
    sender_name: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    user: _Line = ""
    password: str = ""
    seconds: _Seconds = 15.0
    ca_file: Path | None = None


class _File(HostTable):
    http: dict[_Name, _Http] = Field(default_factory=dict)
    smtp: dict[_Name, _Smtp] = Field(default_factory=dict)


def _http(path: Path, name: str, table: _Http) -> Outlet:
    given = table.model_dump(exclude={"channel", "offices"})
    given["ca_file"] = _file(path, f"http.{name}", table.ca_file)
    if table.format == "form" and any(isinstance(value, dict | list) for value in table.body.values()):
        raise HostInvalid(f"{path}: http.{name}.body: unusable value")
    return Outlet(name, table.channel, table.offices, HttpGateway(**given))


def _smtp(path: Path, name: str, table: _Smtp) -> Outlet:
    given = table.model_dump(exclude={"offices"})
    given["ca_file"] = _file(path, f"smtp.{name}", table.ca_file)
    if table.tls == "none" and table.host not in LOOPBACK:
        raise HostInvalid(f"{path}: smtp.{name}.tls: unusable value")
    return Outlet(name, "email", table.offices, MailServer(**given))


def _file(path: Path, where: str, given: Path | None) -> Path | None:
    if given is None:
        return None
    found = path.parent.absolute() / given.expanduser()
    if not found.is_file():
        raise HostInvalid(f"{path}: {where}.ca_file: no such file or folder")
    return found
