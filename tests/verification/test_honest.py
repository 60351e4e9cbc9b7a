"""No honest permit is refused: as what was released by its own archive, and by inspection alone where the archive is another."""

from __future__ import annotations

import hashlib

import pytest

from service.verification import Verdict, verify_file
from tests.verification.honest import MAKERS, closing_all

SEEN: dict[str, set[bytes]] = {}


@pytest.mark.parametrize("name", list(MAKERS))
def test_an_honest_file_passes(tmp_path, in_process, name):
    opened = []
    with closing_all(opened):
        files = list(MAKERS[name](tmp_path, opened))
        for one in files:
            answer = verify_file(one.elsewhere, one.pdf)
            assert answer.verdict is Verdict.AUTHENTIC, (one.name, answer.reasons)
            assert answer.reasons == ("not_in_archive",), one.name
            assert all(signature.valid for signature in answer.signatures), one.name
            if one.own:
                assert verify_file(one.own, one.pdf).verdict is Verdict.IDENTICAL, one.name
    SEEN[name] = {hashlib.sha256(one.pdf).digest() for one in files}
