"""What an official typed into a form, read strictly: one fault for each field; and what the journal is told of its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from service.errors import Fault, Invalid
from service.journal import Entry, append

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.desk.proposals import Proposal
    from service.wiring import Teken


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form by name."""

    fields: Mapping[str, str]

    def text(self, name: str, faults: list[Fault], most: int, *, required: bool = True) -> str:
        """Return a line of text without needless blanks."""
        said = " ".join(self.fields.get(name, "").split())
        if required and not said:
            faults.append(Fault(f"/{name}", "required"))
        elif len(said) > most:
            faults.append(Fault(f"/{name}", "too_long", {"limit": str(most)}))
        elif not said.isprintable():
            faults.append(Fault(f"/{name}", "control_character"))
        return said

    def day(self, name: str, faults: list[Fault], *, required: bool = True) -> str | None:
        """Return a date as ISO text, None if there is none or it is none."""
        said = self.fields.get(name, "").strip()
        if not said and not required:
            return None
        try:
            return date.fromisoformat(said).isoformat()
        except ValueError:
            faults.append(Fault(f"/{name}", "date_shape" if said else "required"))
            return None

    def choice(self, name: str, faults: list[Fault], choices: Mapping[str, Any] | tuple[str, ...]) -> str:
        """Return one of the choices."""
        said = self.fields.get(name, "")
        if said not in choices:
            faults.append(Fault(f"/{name}", "not_a_choice" if said else "required", {"choices": ", ".join(choices)}))
        return said


def refuse(faults: list[Fault]) -> None:
    """Raise Invalid if anything is wrong."""
    if faults:
        raise Invalid(faults=tuple(faults))


def told(teken: Teken, connection: Connection, proposal: Proposal, **data: Any) -> None:
    """Tell the journal what two people decided: who by account, and nothing personal."""
    by = {"proposed_by": proposal.proposed_by, "confirmed_by": proposal.decided_by, "proposal": proposal.id}
    entry = Entry(f"office.{proposal.kind.replace('.', '_')}", proposal.office, None, None, {**data, **by})
    append(connection, teken.notary, teken.clock.now(), entry)
