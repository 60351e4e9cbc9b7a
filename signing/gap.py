"""The hole in what a signature covers: exactly its own value and nothing else (ISO 32000-2, 12.8.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

_PARTS: Final = 4
_HEXADECIMAL: Final = frozenset(b"0123456789ABCDEFabcdef")


def end_of(byte_range: Sequence[Any]) -> int:
    """Return the offset behind the last covered byte; 0 for a range that covers nothing. Raises ValueError for none at all."""
    numbers = [int(number) for number in byte_range]
    if not numbers:
        raise ValueError("no byte range")
    return numbers[-2] + numbers[-1] if len(numbers) >= _PARTS and min(numbers) >= 0 else 0


def covers_all_but_value(pdf: bytes, byte_range: Sequence[Any], value: bytes) -> bool:
    """Whether everything from the first byte to the range's end is covered but the hexadecimal `value` of the signature.

    A writer may count the angle brackets to either side, and may leave white space.
    """
    if len(byte_range) != _PARTS:
        return False
    start, before, resume, after = (int(number) for number in byte_range)
    if start != 0 or not 0 < before < resume < resume + after <= len(pdf):
        return False
    digits = b"".join(pdf[before:resume].strip().removeprefix(b"<").removesuffix(b">").split())
    if not _HEXADECIMAL.issuperset(digits) or not _bracketed(pdf, before, resume):
        return False
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()) == value


def _bracketed(pdf: bytes, before: int, resume: int) -> bool:
    """Whether the value's own brackets stand at the hole's edges, inside or outside."""
    hole = pdf[before:resume].strip()
    return (hole.startswith(b"<") or pdf[before - 1 : before] == b"<") and (
        hole.endswith(b">") or pdf[resume : resume + 1] == b">"
    )
