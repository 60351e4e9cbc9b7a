"""`[notices]` of `office.toml`: which texts an office may write, and what they may name."""

from __future__ import annotations

from datetime import time
from string import Template
from typing import TYPE_CHECKING, Final

from service.sop.model import Notices

if TYPE_CHECKING:
    from service.sop.faults import Faults
    from service.sop.schema import NoticesTable

ISSUED_NAMES: Final = ("office", "type", "application", "number", "link")
NAMES: Final = {
    "ready": ISSUED_NAMES,
    "issued": ISSUED_NAMES,
    "returned": ("office", "type", "application"),
    "expiring": (*ISSUED_NAMES, "until"),
}
"""What a text of each kind may name: never the holder, his NIK, his STR or why his case was returned."""


def check_notices(table: NoticesTable, found: Faults) -> None:
    """Texts name only what there is."""
    for kind, text in table.texts.items():
        template, names = Template(text), NAMES[kind]
        if not template.is_valid() or not set(template.get_identifiers()) <= set(names):
            found.add("notices.texts", kind, "notice_name", names=", ".join(f"${name}" for name in names))


def notices_of(table: NoticesTable) -> Notices:
    """Return the policy of a table without faults."""
    return Notices(
        channels=tuple(table.channels),
        kinds=tuple(table.kinds),
        quiet_from=time.fromisoformat(table.quiet.since),
        quiet_to=time.fromisoformat(table.quiet.to),
        language=table.language,
        link=table.link,
        expiring_days=table.expiring_days,
        texts={str(kind): text for kind, text in table.texts.items()},
    )
