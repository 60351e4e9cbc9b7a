"""Reads a time-stamp token (RFC 3161) as what every token of its authority has, and what is this one's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from asn1crypto import core

from signing.cmsparts import Parts, take_apart
from signing.der import Element, Odd, Tag, element, elements, inside

_STAMP: Final[bytes] = core.ObjectIdentifier("1.2.840.113549.1.9.16.1.4").dump()
"""id-ct-TSTInfo: RFC 3161, 2.4.2."""
# by number, not by name: asn1crypto fixes its names at first use, and those of time-stamps are not yet among them
_DIGEST: Final[bytes] = core.ObjectIdentifier("1.2.840.113549.1.9.4").dump()
_SIGNING_TIME: Final[bytes] = core.ObjectIdentifier("1.2.840.113549.1.9.5").dump()
_INFO: Final = (Tag.INTEGER, Tag.OBJECT_ID, Tag.SEQUENCE, Tag.INTEGER, Tag.GENERALIZED_TIME)
_MAY_FOLLOW: Final = (Tag.SEQUENCE, Tag.BOOLEAN, Tag.INTEGER, Tag.CONTEXT_0, Tag.CONTEXT_1)
_TIME: Final = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,6}))?Z")


@dataclass(frozen=True, slots=True)
class StampParts:
    """A token: `frame` is all that its authority's next one has too (certificates, algorithms, policy); the rest is its own.

    `digest` is what the signed attributes say of `content`; `attributes` are encoded as they are signed.
    """

    frame: tuple[bytes, ...]
    content: bytes
    digest: bytes
    attributes: bytes
    signature: bytes
    imprint: bytes
    nonce: int | None
    at: datetime


@lru_cache(maxsize=32)
def read_stamp(der: bytes) -> StampParts | None:
    """Read a token of the common form; nothing for any other. Proves nothing."""
    try:
        return _read(take_apart(der))
    except ValueError:
        return None


def _read(parts: Parts) -> StampParts:
    if parts.unsigned is not None:
        raise Odd
    kind, wrapped = inside(parts.data, parts.content, Tag.OBJECT_ID, Tag.CONTEXT_0)
    (octets,) = inside(parts.data, wrapped, Tag.OCTETS)
    if parts.bytes_of(kind) != _STAMP:
        raise Odd
    version, identifier, algorithm, attributes, scheme, value = parts.signer
    framed, digest = _attributes(parts, attributes)
    content = parts.content_of(octets)
    info, imprint, nonce, at = _info(content)
    same = (parts.version, parts.digests, parts.certificates, version, identifier, algorithm, scheme)
    return StampParts(
        frame=(*map(parts.bytes_of, same), *framed, *info),
        content=content,
        digest=digest,
        attributes=bytes((Tag.SET,)) + parts.data[attributes.start + 1 : attributes.stop],
        signature=parts.content_of(value),
        imprint=imprint,
        nonce=nonce,
        at=at,
    )


def _attributes(parts: Parts, attributes: Element) -> tuple[list[bytes], bytes]:
    """The signed attributes, those that change by their kind only; and the digest that they name."""
    frame, digests = [], []
    for attribute in elements(parts.data, attributes):
        kind, values = inside(parts.data, attribute, Tag.OBJECT_ID, Tag.SET)
        named = parts.bytes_of(kind)
        if named == _DIGEST:
            digests.append(parts.content_of(*inside(parts.data, values, Tag.OCTETS)))
        elif named == _SIGNING_TIME:
            inside(parts.data, values, Tag.UTC_TIME)
        else:
            named = parts.bytes_of(attribute)
        frame.append(named)
    if len(digests) != 1:
        raise Odd
    return frame, digests[0]


def _info(content: bytes) -> tuple[list[bytes], bytes, int | None, datetime]:
    """The TSTInfo: what the authority always says, the imprint, the nonce and the moment."""
    whole = element(content, 0, len(content))
    found = elements(content, whole)
    tags, count = tuple(one.tag for one in found), len(_INFO)
    if whole.tag != Tag.SEQUENCE or whole.stop != len(content) or tags[:count] != _INFO:
        raise Odd
    if list(tags[count:]) != [tag for tag in _MAY_FOLLOW if tag in tags[count:]]:
        raise Odd
    version, policy, imprint, _, moment, *rest = found
    algorithm, hashed = inside(content, imprint, Tag.SEQUENCE, Tag.OCTETS)
    nonce = next((content[one.content : one.stop] for one in rest if one.tag == Tag.INTEGER), None)
    frame = [version, policy, algorithm, *(one for one in rest if one.tag != Tag.INTEGER)]
    return (
        [content[one.start : one.stop] for one in frame],
        content[hashed.content : hashed.stop],
        None if nonce is None else int.from_bytes(nonce, "big", signed=True),
        _moment(content[moment.content : moment.stop]),
    )


def _moment(written: bytes) -> datetime:
    time = _TIME.fullmatch(written)
    if not time:
        raise Odd
    *whole, fraction = time.groups(b"")
    year, month, day, hour, minute, second = map(int, whole)
    return datetime(year, month, day, hour, minute, second, int(fraction.ljust(6, b"0")), UTC)
