"""Whoever silences a checker says why, on the line."""

from __future__ import annotations

import re
from itertools import chain

from service.settings import PROJECT

SILENCED = re.compile(r"#\s*(noqa|nosec)\b:?(?P<codes>[A-Z0-9, ]*)(?P<reason>.*)")


def test_every_exception_from_the_checks_has_a_reason_on_its_line():
    folders = ((PROJECT / name).rglob("*.py") for name in ("service", "signing", "certs"))
    lines = [
        (f"{path.relative_to(PROJECT)}:{number}", SILENCED.search(line))
        for path in [*chain.from_iterable(folders), PROJECT / "worker.py", PROJECT / "scripts" / "audit"]
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
    ]
    found = {place: match for place, match in lines if match}
    assert len(found) > 30
    bare = [place for place, match in found.items() if not match["codes"].strip() or len(match["reason"]) < 5]
    assert not bare
