"""Writes the first document security store of one of our own files as an update by itself, with no writer of a PDF library.

The update is the one that pyHanko would write, to the order of its objects. Where the file is not of the one form that is
known here, there is no answer, and pyHanko writes.
"""

from __future__ import annotations

import re
import secrets
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from asn1crypto import ocsp
from pyhanko.sign.validation.dss import enumerate_ocsp_certs

from signing.ownupdates import OwnUpdates
from signing.revocation import Evidence

_TRAILER: Final = re.compile(
    rb"<<\n/W \[ 1 8 2 \]\n/Type /XRef\n/Filter /FlateDecode\n((?:/Info \d+ 0 R\n)?/Root (\d+) 0 R)\n/Size (\d+)\n"
    rb"/ID \[ (<[0-9a-f]+>) <[0-9a-f]{32}> \]\n/Prev \d+\n/Index \[ [\d ]+ \]\n/Length \d+\n"
)
"""A newest trailer with these entries and no other: nothing is encrypted, nothing lies elsewhere."""
_PLAIN: Final = re.compile(rb"<<\n[\n\x20-\x7e]*\n>>")
_EXTENSION: Final = (
    b"\n/Extensions <<\n/ESIC <<\n/Type /DeveloperExtensions\n/BaseVersion /1.7\n/ExtensionLevel 1\n>>\n>>\n"
)
"""As every signature of ours declares it: ETSI EN 319 142-1, 5.6."""
_IN_FILE: Final = 1
_FREE_ROW: Final = bytes(9) + b"\xff\xff"


def store_update(pdf: bytes, updates: OwnUpdates, evidence: Evidence) -> bytes | None:
    """Append the evidence as the file's first DSS; nothing where another must write."""
    trailer = _TRAILER.fullmatch(updates.header)
    if not trailer:
        return None
    root, size = int(trailer[2]), int(trailer[3])
    catalog = updates.objects.get(root, b"")
    if not _PLAIN.fullmatch(catalog) or catalog.count(_EXTENSION) != 1 or b"/DSS" in catalog:
        return None
    kinds, streams = _streams(evidence)
    store = size + len(streams)
    dictionary = b"".join(_references(key, range(size + first, size + last)) for key, first, last in kinds)
    bodies = [
        (root, b"%s/DSS %d 0 R\n>>" % (catalog.removesuffix(b">>"), store)),
        *enumerate(streams, size),
        (store, b"<<\n%s>>" % dictionary),
    ]
    identifier = b"%s <%s>" % (trailer[4], secrets.token_hex(16).encode())
    ours = b"%s\n/Size %d\n/ID [ %s ]\n/Prev %d\n" % (trailer[1], store + 2, identifier, updates.section)
    return pdf + _update(len(pdf), bodies, ours)


@lru_cache(maxsize=8)  # a batch shares its evidence
def _streams(evidence: Evidence) -> tuple[tuple[tuple[bytes, int, int], ...], tuple[bytes, ...]]:
    """The kinds, each with its place among the streams, and the streams; an OCSP answer brings its certificates along."""
    certificates = [*evidence.certificates_der, *(der for one in evidence.ocsps_der for der in _brought(one))]
    kinds: list[tuple[bytes, int, int]] = []
    streams: list[bytes] = []
    for key, ders in ((b"Certs", certificates), (b"OCSPs", evidence.ocsps_der), (b"CRLs", evidence.crls_der)):
        pieces = list(dict.fromkeys(ders))
        kinds.append((key, len(streams), len(streams) + len(pieces)))
        streams += [b"<<\n/Length %d\n>>\nstream\n%s\nendstream" % (len(der), der) for der in pieces]
    return tuple(kinds), tuple(streams)


def _brought(answer_der: bytes) -> list[bytes]:
    return [one.dump() for one in enumerate_ocsp_certs(ocsp.OCSPResponse.load(answer_der))]


def _references(key: bytes, numbers: range) -> bytes:
    written = b" ".join(b"%d 0 R" % number for number in numbers)
    return b"/%s [ %s ]\n" % (key, written) if numbers else b""


def _update(start: int, bodies: Sequence[tuple[int, bytes]], trailer: bytes) -> bytes:
    """Objects, cross-reference stream and end; the stream itself takes the number behind the last object."""
    parts, places, at = [], {}, start
    for number, body in bodies:
        places[number] = at
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        at += len(parts[-1])
    own = bodies[-1][0] + 1
    places[own] = at
    rows = [b"%c%s%s" % (_IN_FILE, place.to_bytes(8, "big"), bytes(2)) for _, place in sorted(places.items())]
    table = zlib.compress(_FREE_ROW + b"".join(rows))
    parts.append(
        b"%d 0 obj\n<<\n/W [ 1 8 2 ]\n/Type /XRef\n/Filter /FlateDecode\n%s/Index [ 0 1 %s ]\n/Length %d\n>>\nstream\n"
        b"%s\nendstream\nendobj\n\nstartxref\n%d\n%%%%EOF\n"
        % (own, trailer, _ranges(sorted(places)), len(table), table, at)
    )
    return b"".join(parts)


def _ranges(numbers: Sequence[int]) -> bytes:
    """The numbers as first and count of each run."""
    starts = [number for number in numbers if number - 1 not in numbers]
    ends = [number for number in numbers if number + 1 not in numbers]
    return b" ".join(b"%d %d" % (first, last - first + 1) for first, last in zip(starts, ends, strict=True))
