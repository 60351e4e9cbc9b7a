"""A gateway that takes messages over HTTP: one request, its body made of named fields. No proxy, no redirect, no second try here."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlencode, urlsplit

from service.notices.message import FIELDS, Message, NotTaken

LARGEST_ANSWER: Final = 65_536
_FIELD: Final = re.compile(r"\{([a-z_]+)\}\Z")
_TAKEN: Final = range(200, 300)
_NEVER: Final = frozenset({400, 422})
"""It has understood and will not: a number that is none, say. Anything else may be the gateway's own trouble, and is tried again."""


@dataclass(frozen=True, slots=True)
class HttpGateway:
    """One address. `body` is a tree whose texts of the form `{name}` stand for a field; its values never become a template."""

    url: str
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: Literal["POST", "PUT"] = "POST"
    format: Literal["json", "form"] = "json"
    id_header: str = "Idempotency-Key"
    accepted: Mapping[str, str | int | bool] = field(default_factory=dict)  # what the answer says when it is one
    templates: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 15.0
    ca_file: Path | None = None

    def send(self, message: Message) -> None:
        """Hand the message over. Raises NotTaken."""
        from signing.patience import cut_off  # loaded where something is sent, not where a command is parsed

        content, kind = self._content(filled(self.body, message.fields(self.templates)))
        headers = {**self.headers, "Content-Type": kind, "Accept": "application/json", self.id_header: message.id}
        connection = self._connection()
        line: list[socket.socket | None] = []
        with cut_off(lambda: line[0] if line else connection.sock, self.seconds):
            try:
                connection.connect()
                line.append(connection.sock)  # the connection forgets it when the answer is to end it
            except (OSError, http.client.HTTPException) as refused:
                raise _unreachable(refused) from None
            try:
                connection.request(self.method, urlsplit(self.url).path or "/", content, headers)
                with connection.getresponse() as answer:
                    said = answer.read(LARGEST_ANSWER)
            except (OSError, http.client.HTTPException):
                raise NotTaken("unanswered") from None
            finally:
                connection.close()
        self._judge(answer.status, said)

    def reach(self) -> None:
        """Go as far as TLS and send nothing. Raises NotTaken."""
        connection = self._connection()
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as refused:
            raise _unreachable(refused) from None
        finally:
            connection.close()

    def _content(self, tree: dict[str, Any]) -> tuple[bytes, str]:
        if self.format == "form":
            return urlencode(tree).encode(), "application/x-www-form-urlencoded"
        return json.dumps(tree).encode(), "application/json"

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=self.seconds)
        trust = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=self.seconds, context=trust)

    def _judge(self, status: int, said: bytes) -> None:
        if status not in _TAKEN:
            raise NotTaken(f"http_{status}", final=status in _NEVER)
        if not self.accepted:
            return
        try:
            told = json.loads(said)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or any(told.get(key) != value for key, value in self.accepted.items()):
            raise NotTaken("answer_differs")


def _unreachable(refused: Exception) -> NotTaken:
    return NotTaken("tls_failed" if isinstance(refused, ssl.SSLError) else "unreachable")


def filled(tree: Any, fields: Mapping[str, str]) -> Any:
    """Return the tree with every `{name}` replaced by that field, as one value: what a field says is not looked at again."""
    if isinstance(tree, Mapping):
        return {key: filled(value, fields) for key, value in tree.items()}
    if isinstance(tree, list):
        return [filled(value, fields) for value in tree]
    found = _FIELD.match(tree) if isinstance(tree, str) else None
    return fields[found[1]] if found else tree


def check_body(tree: Any) -> None:
    """Raise ValueError where a text is neither plain nor exactly one known field."""
    for value in tree.values() if isinstance(tree, Mapping) else tree:
        if isinstance(value, Mapping | list):
            check_body(value)
        elif isinstance(value, str) and not _FIELD.match(value):
            if "{" in value or "}" in value:
                raise ValueError(f"a text is plain or exactly one field: {', '.join(sorted(FIELDS))}")
        elif isinstance(value, str) and value[1:-1] not in FIELDS:
            raise ValueError(f"fields are {', '.join(sorted(FIELDS))}")
