"""How this installation reaches receivers, as its settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.webhooks.addresses import networks_of
from service.webhooks.sending import Network, trust_of
from service.webhooks.targets import Rules

if TYPE_CHECKING:
    from service.settings import Settings
    from service.wiring import Teken


def rules_of(settings: Settings) -> Rules:
    """Read where webhooks may go."""
    names = tuple(one.strip().lower() for one in settings.webhook_hosts.split(",") if one.strip())
    return Rules(networks_of(settings.webhook_networks), names)


def network_of(teken: Teken) -> Network:
    """Choose how to reach receivers, once per process."""
    return Network(rules_of(teken.settings), trust_of(teken.settings.webhook_trust), now=teken.clock.now)
