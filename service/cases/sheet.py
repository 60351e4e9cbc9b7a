"""The sheet on which a reader notes every fault, and the readers of plain JSON shapes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from service.cases.hygiene import Unclean, clean
from service.errors import CaseInvalid, Fault

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_FAULTS = 100  # a hostile body may hold a million; nobody reads more than the first hundred
# A key from outside is named back only when it cannot be somebody's number or name in full.
_HARMLESS_KEY = re.compile(r"[A-Za-z_][A-Za-z_.-]{0,39}[0-9]{0,2}")


class Sheet:
    """Collects faults in the order in which they are found."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def note(self, pointer: str, code: str, **params: object) -> None:
        """Write down one fault. `params` are limits and names of ours, never what was sent."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(pointer, code, {name: str(value) for name, value in params.items()}))

    def close(self) -> None:
        """Raise CaseInvalid if anything was noted."""
        if self.faults:
            raise CaseInvalid(faults=tuple(self.faults))

    def mapping(self, pointer: str, value: object, known: Collection[str]) -> dict[str, Any]:
        """Return an object's known keys; note unknown ones. Anything but an object is noted and read as empty."""
        if not isinstance(value, dict):
            self.note(pointer, "wrong_type", expected="object")
            return {}
        for key in sorted(value.keys() - set(known)):
            harmless = isinstance(key, str) and _HARMLESS_KEY.fullmatch(key)
            self.note(below(pointer, key) if harmless else pointer, "unknown_key")
        return {key: value[key] for key in known if key in value}

    def sequence(self, pointer: str, value: object, most: int) -> list[Any]:
        """Return a list of at most `most` items; anything else is noted and read as empty."""
        if not isinstance(value, list):
            self.note(pointer, "wrong_type", expected="array")
            return []
        if len(value) > most:
            self.note(pointer, "too_many_items", limit=most)
            return []
        return value

    def text(self, pointer: str, value: object, most: int, *, lines: bool = False) -> str | None:
        """Return clean text of 1 to `most` characters, counted both as sent and as kept."""
        if not isinstance(value, str):
            self.note(pointer, "wrong_type", expected="string")
            return None
        if len(value) > most:
            self.note(pointer, "too_long", limit=most)
            return None
        try:
            kept = clean(value, lines=lines)
        except Unclean as unclean:
            self.note(pointer, unclean.code)
            return None
        if len(kept) > most:  # NFC makes a few letters longer
            self.note(pointer, "too_long", limit=most)
            return None
        return kept

    def choice(self, pointer: str, value: object, choices: Collection[str]) -> str | None:
        """Return one of the choices, letter for letter."""
        if not isinstance(value, str):
            self.note(pointer, "wrong_type", expected="string")
        elif value not in choices:
            self.note(pointer, "not_a_choice", choices=", ".join(choices))
        else:
            return value
        return None


def below(pointer: str, key: str | int) -> str:
    """Return the pointer of a member (RFC 6901, section 3)."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
