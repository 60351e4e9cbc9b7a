"""The form that gives a case back to upstream: one for everybody who may, wherever he reads it."""

from __future__ import annotations

from typing import Any

from flask import request

from service.errors import Fault, Invalid
from service.turn import REASON_LENGTH
from service.web.desk.page import words
from service.web.desk.words import LANGUAGES, Words

REASONS = ("data", "requirement", "photo", "place", "kind", "wording", "other")


def fields() -> dict[str, Any]:
    """Return what the form shows: the reasons, and what was chosen and typed."""
    chosen, text = _typed()
    return {"chosen": chosen, "text": text, "reasons": REASONS, "most": REASON_LENGTH}


def reason() -> str:
    """Put the reason together in Indonesian, whatever language the official reads: upstream gets it. Raises Invalid."""
    (chosen, text), faults = _typed(), []
    if chosen not in REASONS:
        faults.append(Fault("/alasan", "required"))
    if chosen == "other" and not text:
        faults.append(Fault("/uraian", "required"))
    said = text if chosen == "other" else ""
    if not faults and not said:
        label = Words(LANGUAGES[0], words().zone)(f"case.reason.{chosen}")
        said = f"{label}: {text}" if text else label
    if len(said) > REASON_LENGTH:
        faults.append(Fault("/uraian", "too_long", {"limit": str(REASON_LENGTH)}))
    if faults:
        raise Invalid(faults=tuple(faults))
    return said


def _typed() -> tuple[str, str]:
    return request.form.get("alasan", ""), " ".join(request.form.get("uraian", "").split())
