"""Why a webhook was not delivered (recorded as a code), and what the person who sets one up is told."""

from __future__ import annotations

from service.errors import Conflict, Invalid, NotFound


class Unsent(Exception):
    """Nothing was sent, or nobody knows whether it arrived: it is tried again. `code` names the cause, and quotes nothing."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class UrlInvalid(Invalid):
    """The address is no https address that every program reads alike."""

    code = "webhook_url_invalid"


class HostRefused(Invalid):
    """The operator's settings do not let us send there."""

    code = "webhook_host_refused"


class TypeUnknown(Invalid):
    """No such event exists. Give `type`."""

    code = "webhook_type_unknown"


class EndpointUnknown(NotFound):
    """No such endpoint, or not yours."""

    code = "webhook_unknown"


class EventUnknown(Invalid):
    """The endpoint's client has no such event."""

    code = "webhook_event_unknown"


class TooManyEndpoints(Conflict):
    """A client has as many endpoints as it may. Give `most`."""

    code = "webhook_too_many"
