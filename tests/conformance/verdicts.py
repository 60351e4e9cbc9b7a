"""`make conformance`: outside judges on every paper that the five procedures make. Too slow, and too Java, for `make test`."""

from __future__ import annotations

import logging

import pytest

from service.settings import PROJECT
from signing import Trust, inspect
from tests.conformance import court, report
from tests.conformance.broken import BROKEN, P1
from tests.conformance.documents import papers
from tests.conformance.permission import STEPS, VARIANTS

pytestmark = pytest.mark.timeout(1800)  # the first run fetches the judges
COMMITTED = PROJECT / "docs" / "CONFORMANCE.md"


@pytest.fixture(scope="module")
def held():
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    return court.held()


@pytest.mark.parametrize("paper", papers(), ids=lambda paper: paper.name)
def test_no_judge_objects_to_our_paper(held, paper):
    assert {judge: faults for judge, faults in held.faults(paper).items() if faults} == {}


@pytest.mark.parametrize("paper", [one for one in papers() if len(one.kind.stage.signed) > 1], ids=lambda one: one.name)
def test_eu_dss_remarks_on_filled_fields_only_where_fields_were_filled(held, paper):
    """When this fails EU DSS has learnt to read them: take the exception out of judges.py."""
    assert held.remarked(paper) == (paper.sop in {"002", "003"})


@pytest.mark.parametrize("one", BROKEN, ids=lambda one: one.name)
def test_a_judge_can_say_no(held, one):
    told = held.objections(one)
    assert set(told) >= one.objects
    assert not one.dss_says or any(one.dss_says in fault for fault in told["dss"])


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_p1_without_a_field_lock_is_archived_without_a_word(held, step):
    """docs/adr/0013: the answer that the decision rests on."""
    assert held.archive_faults(VARIANTS[0], step) == []


def test_our_own_inspection_objects_to_a_signature_after_p1_too(held):
    archived, signed_again = (
        inspect((held.out / name).read_bytes(), Trust(())) for name in (P1, "broken-again-p1.pdf")
    )
    assert archived.by_field("ttd_kepala").sound
    assert not signed_again.by_field("ttd_kepala").sound


def test_the_committed_page_says_what_the_judges_say(held):
    fresh = report.written(held)
    path = court.OUT / COMMITTED.name
    path.write_text(fresh, encoding="utf-8")
    committed = COMMITTED.read_text(encoding="utf-8") if COMMITTED.exists() else ""
    told = f"the judges say something else now; if that is right: cp {path.relative_to(PROJECT)} docs/"
    assert report.stable(committed) == report.stable(fresh), told
