"""Where a request comes from: one address, and the network around it. A household or a host is a /64 of IPv6, an operator's site a /48."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|([^:]+):\d+")
_NETWORKS = {4: (32, 24), 6: (64, 48)}


@dataclass(frozen=True, slots=True)
class Source:
    """Who is counted together. `local`: this machine itself, before which no proxy of ours says who asks."""

    address: str
    network: str
    local: bool = False


UNREADABLE = Source("unreadable", "unreadable")
"""All whose address can't be read share one count: a made-up address gains nothing."""


@lru_cache(4096)
def source(remote: str | None) -> Source:
    """Return where an address belongs, however a proxy writes it. The web server names nobody for a Unix socket: that is local."""
    if not remote:
        return Source("local", "local", local=True)
    with_port = _WITH_PORT.fullmatch(remote.strip())
    text = (with_port[1] or with_port[2] or "") if with_port else remote.strip()
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return UNREADABLE
    found = getattr(found, "ipv4_mapped", None) or found
    narrow, wide = (ipaddress.ip_network((found, bits), strict=False) for bits in _NETWORKS[found.version])
    return Source(str(narrow), str(wide), local=found.is_loopback)
