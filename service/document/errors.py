"""What can go wrong between a case and its paper. Nothing personal is in any of these."""

from __future__ import annotations

from service.errors import Invalid, TekenError


class DoesNotFit(Invalid):
    """Even the tightest setting needs more pages than the type allows. Params: `pages`, `max_pages`."""

    code = "does_not_fit"


class TypesettingFailed(TekenError):
    """The template refused the page; the compiler's message may quote the case and stays out of the error."""

    code = "typesetting_failed"


class RehearsalFailed(Invalid):
    """The paper can't be issued as it stands: `faults` hold every reason."""

    code = "rehearsal_failed"


class PhotoInvalid(Invalid):
    """The photo is refused; the code says why."""

    code = "photo_invalid"
