"""The form of one revision as a list of nodes with full names, whatever of a field its writer left on a parent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pikepdf

_MOST_NODES: Final = 4096
_DEEPEST: Final = 32


@dataclass(frozen=True, slots=True)
class Node:
    """A field, or one of its widgets (`widget`: it has no name of its own). `kind` and `value` may come from above."""

    name: str
    dictionary: Any
    kind: str
    value: Any
    widget: bool
    parent: bool
    """Whether others stand below it."""

    @property
    def is_signature(self) -> bool:
        """Whether it is a signature field."""
        return self.kind == "/Sig"

    @property
    def is_signed(self) -> bool:
        """Whether somebody signed here."""
        return self.is_signature and isinstance(self.value, pikepdf.Dictionary)

    @property
    def is_timestamp(self) -> bool:
        """Whether what signed is a document time-stamp."""
        return self.is_signed and self.value.get("/Type") == "/DocTimeStamp"


def nodes(document: pikepdf.Pdf) -> list[Node]:
    """Return every node of the form in the order of the tree. Raises ValueError for a tree that has no end."""
    found: list[Node] = []
    form: Any = document.Root.get("/AcroForm", {})
    for field in form.get("/Fields", ()):
        for node in _walk(field, "", "", None, 0):
            found.append(node)
            if len(found) > _MOST_NODES:
                raise ValueError("too many fields")
    return found


def _walk(field: Any, above: str, kind: str, value: Any, depth: int) -> Iterator[Node]:
    if depth > _DEEPEST:
        raise ValueError("fields too deep")
    name = ".".join(filter(None, (above, str(field["/T"])))) if "/T" in field else above
    kind, value = str(field.get("/FT", kind)), field.get("/V", value)
    kids = list(field.get("/Kids", ()))
    yield Node(name, field, kind, value, "/T" not in field, bool(kids))
    for kid in kids:
        yield from _walk(kid, name, kind, value, depth + 1)
