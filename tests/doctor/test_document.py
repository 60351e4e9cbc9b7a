"""docs/DOCTOR.md shows what the command says, and names every check."""

from __future__ import annotations

import re
from string import Template

from service.doctor import CHECKS
from service.doctor.findings import words
from service.settings import PROJECT

TEXT = (PROJECT / "docs" / "DOCTOR.md").read_text(encoding="utf-8")


def test_every_check_is_in_the_table():
    table = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `")]
    assert [name for cell in table for name in re.findall(r"`(\w+)`", cell)][1:] == [
        one.name for one in CHECKS if one.name != "official"
    ]


def test_the_sample_is_in_the_words_of_today():
    """Every sentence of the sample is one of `words.toml`, with something in the place of its params."""
    [sample] = [block for block in TEXT.split("```") if "✗ salah" in block]
    said = " ".join(sample.split())
    for code in (
        "office_fault",
        "certificate_expired",
        "file_exposed",
        "key_without_certificate",
        "clock_off",
        "key_there",
    ):
        for sentence in words()["code"][code].values():
            pattern = re.escape(Template(sentence).safe_substitute()).replace(r"\$", "$")
            assert re.search(re.sub(r"\$\w+", ".+?", pattern), said), (code, sentence)
