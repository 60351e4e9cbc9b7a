"""`make conformance`: outside judges on every paper that the five procedures make. Too slow, and too Java, for `make test`."""

from __future__ import annotations

import logging

import pikepdf
import pytest

from service.settings import PROJECT
from signing import Trust, inspect
from tests.conformance import court, elsewhere, report
from tests.conformance.broken import BROKEN, P1
from tests.conformance.documents import ELSEWHERE, ORDER, papers
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


@pytest.mark.parametrize("paper", [one for one in papers() if len(one.signed) > 1], ids=lambda one: one.name)
def test_eu_dss_remarks_on_filled_fields_only_where_fields_were_filled(held, paper):
    """When this fails EU DSS has learnt to read them: take the exception out of judges.py."""
    after = paper.sop in {"002", "003"} and paper.kind.way != ORDER
    assert held.remarked(paper) == after


@pytest.mark.parametrize("way", elsewhere.BACKENDS)
@pytest.mark.parametrize("stage", ["sealed-rsa2048{}-B-T", "renewed-rsa2048{}-B-LTA"])
def test_every_key_makes_the_same_objects(held, way, stage):
    """Who holds the key shows in the signature's bytes only."""
    files, other = (held.out / f"{ELSEWHERE}-{stage.format(part)}.pdf" for part in ("", f"-{way}"))
    assert _shape(files) == _shape(other)


def _shape(path) -> list[tuple]:
    with pikepdf.open(path) as document:
        return [
            (one.objgen, sorted(one.keys()) if isinstance(one, pikepdf.Dictionary) else type(one))
            for one in document.objects
        ]


@pytest.mark.parametrize("one", BROKEN, ids=lambda one: one.name)
def test_a_judge_can_say_no(held, one):
    told = held.objections(one)
    assert set(told) >= one.objects
    assert not one.dss_says or any(one.dss_says in fault for fault in told["dss"])


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_what_we_let_the_last_signature_permit_is_archived_without_a_word(held, step):
    """docs/adr/0013: the answers that the decision rests on; the other ways are warned of."""
    for variant in VARIANTS:
        ours, archives = variant.name in {"p1", "seal"}, step.name in {"archived", "renewed"}
        assert bool(held.archive_faults(variant, step)) == (not ours and archives), variant.name


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
