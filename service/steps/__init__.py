"""One module per SOP verb that the worker or the signing process does. Each may run twice safely; each commits once.

A step does its work with no lock held, then commits state, act and event in one transaction behind its fence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from service.steps.archive import archive
from service.steps.assemble import assemble, render
from service.steps.issue import issue
from service.steps.notify import notify
from service.steps.number import number
from service.steps.seal import seal
from service.steps.sign import sign, sign_together
from service.steps.work import Work

if TYPE_CHECKING:
    from service.wiring import Teken

Step = Callable[["Teken", Work], Row[Any] | None]

STEPS: dict[str, Step] = {
    "assemble": assemble,
    "number": number,
    "render": render,
    "sign": sign,
    "seal": seal,
    "issue": issue,
    "notify": notify,
    "archive": archive,
}

__all__ = ["STEPS", "Work", "sign_together"]
