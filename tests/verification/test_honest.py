"""No honest permit is refused: as what was released by its own archive, and by inspection alone where the archive is another."""

from __future__ import annotations

import hashlib

import pytest

from service.verification import Verdict, verify_file
from tests.verification.honest import MAKERS, closing_all

EACH_TIME = {"types_p256", "stamped_by_others", "malang_B-LT", "rokan-hulu_B-LTA", "standings"}
"""Every type, both orders, all levels, versions and standings; the rest crosses them."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in EACH_TIME else [pytest.mark.thorough]) for name in MAKERS]
)
def test_an_honest_file_passes(tmp_path, in_process, name):
    number, make = MAKERS[name]
    opened, seen = [], set()
    with closing_all(opened):
        for one in make(tmp_path, opened):
            answer = verify_file(one.elsewhere, one.pdf)
            assert (answer.verdict, answer.reasons) == (Verdict.AUTHENTIC, ("not_in_archive",)), one.name
            assert all(signature.valid for signature in answer.signatures), one.name
            if one.own:
                assert verify_file(one.own, one.pdf).verdict is Verdict.IDENTICAL, one.name
            seen.add(hashlib.sha256(one.pdf).digest())
    assert len(seen) == number


def test_there_are_as_many_as_we_say():
    assert sum(number for number, _ in MAKERS.values()) >= 60
    assert EACH_TIME <= MAKERS.keys()
