"""Reads a webhook's address strictly: what two programs could read differently is refused before anybody resolves it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from service.webhooks.addresses import Address, Network, is_allowed
from service.webhooks.errors import HostRefused, UrlInvalid

LONGEST: Final = 2000
_LONGEST_NAME: Final = 253
_MOST_PORT: Final = 65535
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_URL: Final = re.compile(r'(?i:https?)://[^\x00-\x20\x7f-\U0010ffff"<>\\^`{|}#@]+\Z')
"""Visible ASCII, without a login, a fragment, or what browsers and libraries read in different ways."""
_PLACE: Final = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::(?P<port>[1-9][0-9]{0,4}))?\Z")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_NUMBER: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")
"""A last label like this makes resolvers read the whole host as an IPv4 address, in forms that few expect."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send. `host` is a name in lower case, or an address without brackets; `path` has the query with it."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator lets us send to: `networks` besides public addresses; if there are `names`, those alone (`*.x`: below x)."""

    networks: Sequence[Network] = ()
    names: Sequence[str] = ()

    def allow_plain(self, address: Address) -> bool:
        """Tell whether http may go there: a receiver on this machine, where the operator named its network."""
        return address.is_loopback and any(address in one for one in self.networks)


def target_of(url: str, rules: Rules) -> Target:
    """Read an address and hold it against the rules. A name is not resolved here: each delivery does that.

    Raises UrlInvalid, HostRefused.
    """
    target = _read(url)
    if rules.names and not any(_matches(target.host, one) for one in rules.names):
        raise HostRefused
    address = literal(target.host)
    if address is not None and not is_allowed(address, rules.networks):
        raise HostRefused
    if target.scheme == "http" and not (target.host == "localhost" or (address and rules.allow_plain(address))):
        raise UrlInvalid
    return target


def literal(host: str) -> Address | None:
    """Return the address that a host is, None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _read(url: str) -> Target:
    if len(url) > LONGEST or not _URL.match(url):
        raise UrlInvalid
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UrlInvalid from None
    place = _PLACE.match(parts.netloc.lower())
    if place is None:
        raise UrlInvalid
    scheme = parts.scheme.lower()
    port = int(place["port"] or _DEFAULT_PORTS[scheme])
    host = _address(place["six"]) if place["six"] else _name(place["name"])
    if port > _MOST_PORT:
        raise UrlInvalid
    return Target(scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def _address(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise UrlInvalid from None


def _name(text: str) -> str:
    labels = text.split(".")
    if len(text) > _LONGEST_NAME or not all(map(_LABEL.match, labels)):
        raise UrlInvalid
    if _NUMBER.match(labels[-1]):
        try:
            return str(IPv4Address(text))
        except ValueError:
            raise UrlInvalid from None
    return text


def _matches(host: str, allowed: str) -> bool:
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed
