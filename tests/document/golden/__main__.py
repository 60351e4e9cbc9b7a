"""Writes the golden texts anew: `python -m tests.document.golden`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from service.document import Typesetter
from tests.document.offices import AT, KINDS, files, page, photo, text

with tempfile.TemporaryDirectory() as folder:
    for kind, (office, permit) in KINDS.items():
        typesetter = Typesetter(files(office.code, permit.code), office.code, permit.code, Path(folder))
        for draft in (False, True):
            made = typesetter.typeset(page(kind, draft=draft), photo=photo(kind), timestamp=AT)
            name = f"{kind}{'-draft' if draft else ''}.txt"
            (Path(__file__).parent / name).write_text(text(made.pdf), encoding="utf-8")
