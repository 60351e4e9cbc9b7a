"""What the page keeps folded away: signatures with their certificates and time-stamps, every version's hash, the history."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from service.verification import CONTENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.verification.answers import Certificate, PublicPermit, Signature, Version
    from service.web.verify_words import Tongue

ISSUED, DOCUMENT = "issued", "document"


def record(permit: PublicPermit, tongue: Tongue) -> dict[str, Any]:
    """Return the folded part. The newest version carries what the ones before it do; of those, file and level are told."""
    newest = permit.versions[-1]
    return {
        "signatures": [_signature(one, tongue) for one in newest.signatures],
        "versions": [version(one, tongue) for one in permit.versions],
        "history": list(_history(permit, tongue)),
    }


def _signature(one: Signature, tongue: Tongue) -> dict[str, Any]:
    words = tongue.words
    stamps = [
        tongue.say(
            words["archived" if stamp.what == DOCUMENT else "stamped"], by=stamp.by, when=tongue.moment(stamp.at)
        )
        for stamp in one.stamps
    ]
    return {
        "kind": words["signature"].get(one.field, one.field),
        "by": one.by,
        "lines": [
            level(one.level, tongue),
            tongue.say(words["claimed"], when=tongue.moment(one.at)),
            *stamps,
            *([words["anew"]] if one.proof == CONTENT else []),
        ],
        "certificate": certificate(one.certificate, tongue) if one.certificate else None,
    }


@lru_cache(256)
def certificate(one: Certificate, tongue: Tongue) -> dict[str, Any]:
    words = tongue.words
    name = ", ".join(filter(None, (one.subject, one.organization)))
    valid = {"from": tongue.day(tongue.local(one.valid_from)), "to": tongue.day(tongue.local(one.valid_to))}
    return {
        "name": tongue.say(words["certificate_of"], name=name),
        "lines": [
            tongue.say(words["certificate_by"], issuer=one.issuer),
            tongue.say(words["certificate_valid"], **valid),
            *([words["certificate_example"]] if one.is_example else []),
        ],
        "sha256": one.sha256,
    }


def version(version: Version, tongue: Tongue) -> dict[str, str]:
    words = tongue.words
    when = tongue.moment(version.released_at)
    levels = sorted({one.level for one in version.signatures}, key=list(words["levels"]).index)
    return {
        "title": tongue.say(words["version"], version=version.number),
        "when": tongue.say(words["released" if version.number == 1 else "extended"], when=when),
        "level": ", ".join(levels),
        "sha256": version.sha256,
    }


def level(level: str, tongue: Tongue) -> str:
    return tongue.say(tongue.words["level"], level=level, meaning=tongue.words["levels"][level])


def _history(permit: PublicPermit, tongue: Tongue) -> Iterator[str]:
    for one in permit.history:
        what = "issued_corrected" if one.what == ISSUED and permit.corrects else one.what
        yield f"{tongue.words['history_of'][what]}: {tongue.moment(one.at)}"
