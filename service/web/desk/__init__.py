"""The face for officials: the SOPs' human acts in the browser. Every route says who may use it; nothing works without that word."""

from __future__ import annotations

from service.web.desk import (  # noqa: F401 - each registers its routes
    admin,
    assets,
    auditor,
    case,
    counter,
    decisions,
    entry,
    home,
    imports,
    login,
    mismatches,
    operator,
    registerbook,
    reports,
    roles,
    signing,
    survey,
    tray,
)
from service.web.desk.routing import desk

__all__ = ["desk"]
