"""Free text that goes out and stays for ever, in the journal and in its feed, must not name the applicant."""

from __future__ import annotations

import json
import re
from typing import Final

from service.errors import Fault, Invalid

_NIK: Final = re.compile(r"(?<!\d)\d(?:[ .\-]?\d){15}(?!\d)")
_OWN: Final = ("nama", "nik", "wa", "email")


def refuse_personal(text: str, body: str, pointer: str) -> None:
    """Refuse a text with a number as long as a NIK, or with this case's name, telephone number or address of mail.

    Raises Invalid(reason_personal).
    """
    applicant = json.loads(body)["applicant"]
    said = " ".join(text.casefold().split())
    own = [" ".join(str(applicant[key]).casefold().split()) for key in _OWN if applicant.get(key)]
    if _NIK.search(text) or any(re.search(rf"(?<!\w){re.escape(one)}(?!\w)", said) for one in own):
        raise Invalid(faults=(Fault(pointer, "reason_personal"),))
