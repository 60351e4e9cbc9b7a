"""The face for officials: the SOPs' human acts in the browser. Every route says who may use it; nothing works without that word."""

from __future__ import annotations

from service.web.desk import admin, assets, case, entry, home, login, reports, roles, signing, tray  # noqa: F401 - each registers its routes
from service.web.desk.routing import desk

__all__ = ["desk"]
