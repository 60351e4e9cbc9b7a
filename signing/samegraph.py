"""Whether two revisions say the same, object for object, however their writers numbered, packed or repeated it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pikepdf

_MOST_OBJECTS: Final = 200_000
_SHALLOW: Final = {"/Length"}


class TooMuch(ValueError):
    """There is more to compare than a document needs."""


Pair = tuple[tuple[int, int], tuple[int, int]]


class SameGraph:
    """Compares values of two revisions of one file and remembers what it has seen.

    Pages are equal by their place, form fields by their object's number: what they hold is the caller's to compare.
    Raises TooMuch when there is more to compare than a document needs.
    """

    def __init__(self, before: pikepdf.Pdf, after: pikepdf.Pdf) -> None:
        """Neither document may be closed before this is done."""
        self._pages = [{page.obj.objgen: at for at, page in enumerate(pdf.pages)} for pdf in (before, after)]
        self._roots = (before.Root.objgen, after.Root.objgen)
        self._apart: set[tuple[int, int]] = set()
        self._seen: set[Pair] = set()
        self._left = _MOST_OBJECTS

    def set_apart(self, objects: Iterable[Any]) -> None:
        """Leave these indirect objects to the caller: a reference to one equals a reference to the same number."""
        self._apart.update(one.objgen for one in objects if one.is_indirect)

    def __call__(self, one: Any, other: Any) -> bool:
        """Whether the two values are equal, all the way down."""
        waiting, met = [(one, other)], set()
        while waiting:
            self._left -= 1
            if self._left < 0:
                raise TooMuch("too many objects")
            left, right = waiting.pop()
            pair = _numbers(left, right)
            if pair in self._seen or pair in met:
                continue
            below = self._below(left, right, pair)
            if below is None:
                return False
            if pair:
                met.add(pair)
            waiting.extend(below)
        self._seen |= met
        return True

    def _below(self, one: Any, other: Any, pair: Pair | None) -> list[tuple[Any, Any]] | None:
        """What remains to compare below two values that are alike, or None if they aren't."""
        known = self._known(pair) if pair else None
        if known is not None:
            return [] if known else None
        if not isinstance(one, pikepdf.Object) or not isinstance(other, pikepdf.Object):
            return [] if one == other and isinstance(one, bool) == isinstance(other, bool) else None
        if isinstance(one, pikepdf.Array) and isinstance(other, pikepdf.Array):
            return list(zip(one, other, strict=True)) if len(one) == len(other) else None
        if isinstance(one, pikepdf.Stream) and isinstance(other, pikepdf.Stream):
            return self._entries(one, other) if one.read_raw_bytes() == other.read_raw_bytes() else None
        if isinstance(one, pikepdf.Dictionary) and isinstance(other, pikepdf.Dictionary):
            return self._entries(one, other)
        return [] if one == other else None

    def _entries(self, one: Any, other: Any) -> list[tuple[Any, Any]] | None:
        keys = set(one.keys()) - _SHALLOW
        if keys != set(other.keys()) - _SHALLOW:
            return None
        if one.get("/Type") == "/Pages" and other.get("/Type") == "/Pages":
            return []  # the tree above the pages: every page is compared by its place, with what it inherits
        return [(one[key], other[key]) for key in keys]

    def _known(self, pair: Pair) -> bool | None:
        """Whether two numbered objects that stand for more than themselves are the same one."""
        left, right = pair
        if left in self._pages[0] or right in self._pages[1]:
            return self._pages[0].get(left) == self._pages[1].get(right)
        if left == self._roots[0] or right == self._roots[1]:
            return pair == self._roots
        if left in self._apart or right in self._apart:
            return left == right
        return None


def _numbers(one: Any, other: Any) -> Pair | None:
    if not isinstance(one, pikepdf.Object) or not isinstance(other, pikepdf.Object):
        return None
    return (one.objgen, other.objgen) if one.is_indirect and other.is_indirect else None
