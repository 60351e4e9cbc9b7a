"""The faces of Teken. Views call use cases and render what they return; they know no step, table or signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from service.wiring import Teken


def teken() -> Teken:
    """Return the Teken that this application was made for."""
    return cast("Teken", current_app.extensions["teken"])
