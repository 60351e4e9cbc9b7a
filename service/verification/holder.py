"""The holder's name as the office's policy shows it in public."""

from __future__ import annotations

from service.names import HIDDEN, shown

__all__ = ["HIDDEN", "shown"]
