"""The words of one notice: the office's own, or ours. Values go in once and are never looked at as words."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlalchemy import Row

    from service.settings import Settings
    from service.sop.model import Notices, Office

TRIAL: Final = "trial"
_RELEASED: Final = ("ready", "issued", "expiring")


def facts_of(
    settings: Settings, office: Office, policy: Notices, row: Row[Any], type_name: str, kind: str
) -> dict[str, str]:
    """Return what a notice may say of a permit: nothing of its holder."""
    found = {"office": office.short_name, "type": type_name, "application": row.upstream_id}
    if kind in _RELEASED:
        found |= {"number": row.number, "link": _link(settings, office, policy, row)}
    if kind == "expiring":
        day, months = date.fromisoformat(row.valid_to), words()[policy.language]["months"]
        found["until"] = f"{day.day} {months[day.month - 1]} {day.year}"
    return found


def written(policy: Notices, kind: str, facts: Mapping[str, str]) -> tuple[str, str]:
    """Return subject and text."""
    own = words()[policy.language]
    text = policy.texts.get(kind)
    if text is None:
        ours = [own[kind]] + ([own["link"][policy.link]] if facts.get("link") else [])
        text = " ".join(ours)
    return own["subject"][kind], Template(text).substitute(facts)


@cache
def words() -> dict[str, Any]:
    """Return `words.toml`."""
    return tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text("utf-8"))


def _link(settings: Settings, office: Office, policy: Notices, row: Row[Any]) -> str:
    if policy.link == "none":
        return ""
    if policy.link == "verify":
        return str(row.verify_url)
    return f"{settings.public_url or office.public_url}/izin-saya"
