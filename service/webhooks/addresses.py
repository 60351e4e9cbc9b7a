"""Which addresses a webhook may be sent to: public ones, and those of the networks that the operator names. Nothing else.

A name is resolved once, all its addresses are judged, and the connection goes to one of them: no second look-up can differ.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from service.webhooks.errors import Unsent

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], list[str]]
"""Give the addresses of a host as text. May raise OSError."""

_PUBLIC: Final = ip_network("2000::/3")
"""All of IPv6 that is routed. NAT64 (64:ff9b::/96, 64:ff9b:1::/48), IPv4-mapped and other carriers of IPv4 are outside."""
_NEVER: Final = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",  # link-local, the metadata services of clouds
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/4",  # multicast, which `is_global` calls global
        "240.0.0.0/4",
        "::/128",
        "2001::/23",  # Teredo, ORCHID, benchmarks
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation (RFC 9637)
        "fe80::/10",
        "ff00::/8",
    )
)
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)
"""The upper half of an interface identifier whose lower half is an IPv4 address (RFC 5214)."""


def look_up(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def checked(host: str, port: int, resolve: Resolve, networks: Sequence[Network]) -> list[Address]:
    """Return the addresses of a host.

    Raises Unsent: name_unknown; address_refused if a single one of them is not allowed.
    """
    try:
        found = [ip_address(text) for text in resolve(host, port)]
    except (OSError, ValueError):
        raise Unsent("name_unknown") from None
    if not found:
        raise Unsent("name_unknown")
    if not all(is_allowed(one, networks) for one in found):
        raise Unsent("address_refused")
    return found


def is_allowed(address: Address, networks: Sequence[Network]) -> bool:
    """Tell whether we may send there: a public address, or one inside the operator's networks."""
    if any(address in one for one in _NEVER) or getattr(address, "scope_id", None):
        return False
    return any(address in one for one in networks) or _is_public(address)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        isatap = int(address) >> 32 & 0xFFFF_FFFF in _ISATAP
        return address in _PUBLIC and address.is_global and not isatap
    return address.is_global


def networks_of(text: str) -> tuple[Network, ...]:
    """Read `TEKEN_WEBHOOK_NETWORKS`.

    Raises ValueError.
    """
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())
