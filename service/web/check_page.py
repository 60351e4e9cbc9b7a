"""From a file's answer to what the page shows: two questions, two panels. Green only where both answers are good."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from service.verification import CONTENT, PermitState, Verdict, file_words
from service.web import verify_page, verify_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from service.verification import FileAnswer, FileSignature, PermitAnswer
    from service.web.verify_words import Tongue

GENUINE = frozenset({Verdict.IDENTICAL, Verdict.AUTHENTIC, Verdict.SUPERSEDED})
_TONE = {
    Verdict.ALTERED: ("bad", "cross"),
    Verdict.FOREIGN: ("wait", "query"),
    Verdict.UNSIGNED: ("past", "cross"),
    Verdict.UNDETERMINED: ("wait", "query"),
}
_NO_PERMIT = ("wait", "query")


def shown(answer: FileAnswer, permit: PermitAnswer | None, tongue: Tongue, at: datetime) -> dict[str, Any]:
    """Return everything that the template shows of an answer."""
    t = words(tongue.code)
    return {
        "panel": _panel(answer, permit, tongue, at),
        "permit": _permit(permit, tongue),
        "genuine": answer.code if answer.verdict is Verdict.ALTERED else None,
        "reasons": list(_reasons(answer, tongue)),
        "signatures": [_signature(one, tongue) for one in answer.signatures],
        "versions": list(_versions(answer, permit, tongue)),
        "anew": any(one.proof == CONTENT for one in answer.signatures),
        "advice": t["advice"].get(answer.verdict, ""),
    }


@cache
def words(language: str) -> dict[str, Any]:
    """Return the page's own words; those of verdicts' reasons are the command's too."""
    text = resources.files(__package__).joinpath("templates/check.toml").read_text("utf-8")
    found: dict[str, Any] = tomllib.loads(text)[language]
    return found | {"of_file": file_words(language)}


def _panel(answer: FileAnswer, permit: PermitAnswer | None, tongue: Tongue, at: datetime) -> dict[str, str]:
    """The file's panel. At a glance it is as good as the worse of both answers."""
    t = words(tongue.code)
    if answer.verdict in GENUINE:
        state = permit.state if permit else PermitState.UNKNOWN
        tone, icon = verify_page.TONE[state] if state is not PermitState.UNKNOWN else _NO_PERMIT
        head = t["genuine"][state]
        text = t["same"] if answer.verdict is Verdict.IDENTICAL else t["holds"]
    else:
        tone, icon = _TONE[answer.verdict]
        head, text = t["head"][answer.verdict], t["text"][answer.verdict]
    checked = tongue.say(tongue.words["checked"], when=tongue.moment(at))
    return {"tone": tone, "icon": icon, "word": head, "text": text, "checked": checked}


def _permit(permit: PermitAnswer | None, tongue: Tongue) -> dict[str, Any] | None:
    if permit is None:
        return None
    found = permit.permit
    number = verify_page.number_parts(found.number) if found else ()
    return verify_page.panel(permit, tongue) | {"number": number, "code": found.code if found else None}


def _reasons(answer: FileAnswer, tongue: Tongue) -> Iterator[str]:
    t = words(tongue.code)
    for reason in answer.reasons:
        yield t["of_file"]["reason"][reason]
    if answer.updates_after:
        yield tongue.say(t["updates"], count=answer.updates_after)


def _signature(one: FileSignature, tongue: Tongue) -> dict[str, Any]:
    """Whose it is by our own record; of a stranger's, what his certificate says."""
    t, own = words(tongue.code), tongue.words
    lines = [t["of_file"]["holds"][str(one.valid).lower()] if one.ours else t["stranger"]]
    lines.append(verify_record.level(one.level, tongue))
    if one.signed_at:
        lines.append(tongue.say(own["claimed"], when=tongue.moment(one.signed_at)))
    if one.timestamp_at:
        lines.append(tongue.say(t["stamped"], when=tongue.moment(one.timestamp_at)))
    return {
        "kind": own["signature"].get(one.field, t["signature"]) if one.ours else t["signature"],
        "by": one.by or t["nameless"],
        "lines": lines,
        "certificate": verify_record.certificate(one.certificate, tongue) if one.certificate else None,
    }


def _versions(answer: FileAnswer, permit: PermitAnswer | None, tongue: Tongue) -> Iterator[dict[str, Any]]:
    for one in permit.permit.versions if permit and permit.permit else ():
        yield verify_record.version(one, tongue) | {"this": one.sha256 == answer.sha256}
