"""From an answer to what the template shows: which words, which colour, which facts in which order."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from service.codes import grouped
from service.verification import PermitState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.verification import PermitAnswer, PublicOffice, PublicPermit
    from service.web.verify_words import Tongue

TONE = {
    PermitState.IN_FORCE: ("good", "tick"),
    PermitState.EXPIRING: ("good", "clock"),
    PermitState.NOT_YET: ("wait", "clock"),
    PermitState.SUSPENDED: ("wait", "pause"),
    PermitState.REPLACED: ("wait", "swap"),
    PermitState.UNDETERMINED: ("wait", "query"),
    PermitState.EXPIRED: ("past", "clock"),
    PermitState.REVOKED: ("bad", "cross"),
    PermitState.UNKNOWN: ("bad", "cross"),
}
"""Colour and icon; the word stands beside them, so that nobody needs to see the colour."""
_PNG = b"\x89PNG"


@dataclass(frozen=True, slots=True)
class Fact:
    """A label above its lines. A number is cut into parts that may stand on lines of their own. `key`: look here first."""

    label: str
    lines: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    key: bool = False


def panel(answer: PermitAnswer, tongue: Tongue) -> dict[str, str]:
    """Return the one coloured panel."""
    tone, icon = TONE[answer.state]
    words = tongue.words["state"][answer.state]
    values = _values(answer, tongue)
    word, text = _case(answer, values)
    return {
        "tone": tone,
        "icon": icon,
        "word": tongue.say(words.get(word, words["word"]), **values),
        "text": tongue.say(words.get(text, words["text"]), **values),
        "checked": tongue.say(tongue.words["checked"], when=tongue.moment(answer.checked_at)),
    }


def _case(answer: PermitAnswer, values: dict[str, str]) -> tuple[str, str]:
    """Return which headline and which sentence of a state fit: the special one where the words have it."""
    permit = answer.permit
    if permit is None:
        return "word", "text"
    over = answer.state is PermitState.SUSPENDED and values["today"] > permit.valid_to.isoformat()
    word = {"0": "last_day", "1": "tomorrow"}.get(values.get("days", ""), "word")
    return word, "expired" if over else permit.became or "text"


def _values(answer: PermitAnswer, tongue: Tongue) -> dict[str, str]:
    permit = answer.permit
    if permit is None:
        return {}
    since = tongue.local(permit.history[-1].at).date() if permit.history else permit.valid_from
    today = tongue.local(answer.checked_at).date()
    days = {"days": str((permit.valid_to - today).days)} if answer.state is PermitState.EXPIRING else {}
    return {
        "from": tongue.day(permit.valid_from),
        "to": tongue.day(permit.valid_to),
        "since": tongue.day(since),
        "today": today.isoformat(),
        **days,
    }


def facts(permit: PublicPermit, tongue: Tongue) -> Iterator[Fact]:
    """Yield what is to be compared with the paper, most telling first."""
    words = tongue.words["facts"]
    yield Fact(words["number"], parts=number_parts(permit.number), key=True)
    yield Fact(words["holder"], (permit.holder,), key=True)
    yield Fact(words["profession"], (permit.profession,), key=True)
    yield Fact(words["place"], tuple(_line(label, value) for label, value in permit.place), key=True)
    span = {"from": tongue.day(permit.valid_from), "to": tongue.day(permit.valid_to)}
    yield Fact(words["validity"], (tongue.say(words["validity_text"], **span),))
    yield Fact(words["type"], (permit.type_name,))
    yield Fact(words["issuer"], (permit.office.name,))
    yield Fact(words["official"], (permit.official, permit.official_title))
    yield Fact(words["code"], (grouped(permit.code),))


def _line(label: str, value: str) -> str:
    """Return "Tempat praktik ke-1 (satu)": a label that ends in a hyphen runs into its value."""
    return label + value if label.endswith("-") else f"{label} {value}".strip()


def number_parts(number: str) -> tuple[str, ...]:
    """Cut a register number where it may break: after a slash, nowhere else."""
    parts = number.split("/")
    return (*(f"{part}/" for part in parts[:-1]), parts[-1])


def emblem(office: PublicOffice) -> str:
    """Return the emblem as a data URI: an image inside the page, where nothing in it can run."""
    return _emblem(office.emblem)


@lru_cache(64)
def _emblem(picture: bytes) -> str:
    media = "image/png" if picture.startswith(_PNG) else "image/svg+xml"
    return f"data:{media};base64,{base64.b64encode(picture).decode()}" if picture else ""
