"""DER, written and read without a model of what it means. The reader is strict: what is odd is a full reader's business."""

from __future__ import annotations

from typing import Final, NamedTuple

_LONG_TAG, _LONG_LENGTH, _MOST_DIGITS = 0x1F, 0x80, 4
_BYTE: Final = 8


class Tag:
    """The first byte of an element."""

    BOOLEAN: Final = 0x01
    INTEGER: Final = 0x02
    OCTETS: Final = 0x04
    OBJECT_ID: Final = 0x06
    UTC_TIME: Final = 0x17
    GENERALIZED_TIME: Final = 0x18
    SEQUENCE: Final = 0x30
    SET: Final = 0x31
    CONTEXT_0: Final = 0xA0
    CONTEXT_1: Final = 0xA1


class Odd(ValueError):
    """Not DER, or not of the expected form."""


class Element(NamedTuple):
    """One element: its tag, and where it, its content and what follows begin."""

    tag: int
    start: int
    content: int
    stop: int


def tlv(tag: int, *parts: bytes) -> bytes:
    """Encode one element whose content is `parts`, one behind the other."""
    content = b"".join(parts)
    length = len(content)
    if length < _LONG_LENGTH:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, _LONG_LENGTH | size)) + length.to_bytes(size, "big") + content


def element(data: bytes, at: int, stop: int) -> Element:
    """Read the element that begins at `at` and ends at `stop` or before. Raises Odd."""
    if at + 2 > stop:
        raise Odd
    tag, length, content = data[at], data[at + 1], at + 2
    if length >= _LONG_LENGTH:
        digits = length - _LONG_LENGTH
        content += digits
        if not 0 < digits <= _MOST_DIGITS or content > stop:
            raise Odd
        length = int.from_bytes(data[at + 2 : content], "big")
        if length < _LONG_LENGTH or length < 1 << _BYTE * (digits - 1):
            raise Odd
    if tag & _LONG_TAG == _LONG_TAG or content + length > stop:
        raise Odd
    return Element(tag, at, content, content + length)


def elements(data: bytes, within: Element) -> list[Element]:
    """Read the elements that fill the content of another. Raises Odd."""
    found, at = [], within.content
    while at < within.stop:
        one = element(data, at, within.stop)
        found.append(one)
        at = one.stop
    return found


def inside(data: bytes, within: Element, *tags: int) -> list[Element]:
    """As `elements`, which must have exactly these tags."""
    found = elements(data, within)
    if len(found) != len(tags) or any(one.tag != tag for one, tag in zip(found, tags, strict=True)):
        raise Odd
    return found
