"""One message as every sender takes it, and the promise that senders keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

FIELDS: Final = frozenset(
    [
        "id",
        "kind",
        "to",
        "to_plain",
        "to_local",
        "subject",
        "text",
        "template",
        "office",
        "type",
        "application",
        "number",
        "link",
        "until",
    ]
)
"""What a gateway's body may name. What a notice does not have is an empty text."""
_COUNTRY: Final = "+62"


class NotTaken(Exception):
    """The other side did not take the message, or nobody knows. `code` quotes nothing; `final`: it never will."""

    def __init__(self, code: str, *, final: bool = False) -> None:
        self.code, self.final = code, final
        super().__init__(code)


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """What is sent, to whom. `id` is the same at every try: who knows it has the message already."""

    id: str
    kind: str
    to: str  # +62… or an e-mail address
    subject: str
    text: str
    at: datetime
    facts: Mapping[str, str]  # office, type, application, number, link, until: as far as there are

    def __repr__(self) -> str:
        """Name the message without its person."""
        return f"Message({self.id}, {self.kind})"

    def fields(self, templates: Mapping[str, str]) -> dict[str, str]:
        """Return every field by name; `template` is the gateway's own name for a message of this kind."""
        own = {"id": self.id, "kind": self.kind, "subject": self.subject, "text": self.text}
        plain = self.to.removeprefix("+")
        local = "0" + self.to.removeprefix(_COUNTRY) if self.to.startswith(_COUNTRY) else self.to
        own |= {"to": self.to, "to_plain": plain, "to_local": local, "template": templates.get(self.kind, "")}
        return {**dict.fromkeys(FIELDS, ""), **self.facts, **own}


class Sender(Protocol):
    """A gateway or mail server."""

    def send(self, message: Message) -> None:
        """Return when the other side has taken the message, in bounded time. Raises NotTaken."""
        ...

    def reach(self) -> None:
        """Return when the other side is there and knows us, as far as that can be found out without a message. Raises NotTaken."""
        ...
