"""I5: nothing verifies as issued before step 7: at every failpoint of every procedure, by code and by file."""

from __future__ import annotations

import pytest

from service.verification import PermitState, Verdict, by_code, verify_file
from tests.support.office import NOW, TYPES, client_of, open_office, payload, play, post, row

GOOD = {Verdict.IDENTICAL, Verdict.AUTHENTIC, Verdict.SUPERSEDED}
PAPERS = ("draft_sha", "final_sha", "ordered_sha", "head_sha", "sealed_sha")


@pytest.mark.parametrize(("office", "kind"), TYPES)
def test_nothing_verifies_before_it_is_issued(tmp_path, keys, monkeypatch, in_process, office, kind):
    teken = open_office(tmp_path, keys)
    permit = post(teken, client_of(teken, office), payload(office, kind)).body["id"]
    code, passed, tried = row(teken, permit).code, [], {}

    def watch(name: str) -> None:
        passed.append(name)
        issued = "issue.after_commit" in passed
        state = by_code(teken, code, at=NOW).state
        assert state == (PermitState.IN_FORCE if issued else PermitState.UNKNOWN), (name, state)
        if issued:
            return
        now = row(teken, permit)
        for sha in {getattr(now, paper) for paper in PAPERS} - {None}:
            if sha not in tried or name.startswith("issue"):
                tried[sha] = verify_file(teken, teken.archive.get(sha))
                assert tried[sha].verdict not in GOOD, (name, tried[sha])
                assert (tried[sha].number, tried[sha].code) == (None, None)

    monkeypatch.setattr("service.failpoints.passing", watch)
    play(teken, permit)
    assert {"sign.after_commit", "issue.before_commit", "issue.after_commit"} <= set(passed)
    assert len(tried) >= 3
    released = row(teken, permit).released_sha
    assert tried[released].reasons == ("never_released",)  # complete and signed, but not yet issued
    assert verify_file(teken, teken.archive.get(released)).verdict is Verdict.IDENTICAL
    teken.close()
