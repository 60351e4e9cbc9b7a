"""No forged permit is ever good: every attack of the package, each on an office of either order of number and signature."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from service.settings import PROJECT
from service.verification import PermitState, Verdict, verify_file
from service.verification.command import EXIT
from tests.verification.attacks import ATTACKS
from tests.verification.attacks.registry import AFTER

GOOD = {Verdict.IDENTICAL, Verdict.AUTHENTIC, Verdict.SUPERSEDED}


@pytest.fixture(scope="session")
def forged(scene):
    """`forged(attack, office)`: the file, made once."""
    made: dict[tuple[str, str], bytes] = {}

    def make(name: str, office: str) -> bytes:
        if (name, office) not in made:
            made[name, office] = ATTACKS[name].make(scene.runs[office])
        return made[name, office]

    return make


def tried() -> list[tuple[str, str]]:
    """Each attack on one office of those that it applies to: the four, and with them both orders, take turns."""
    return [(one.name, one.offices[turn % len(one.offices)]) for turn, one in enumerate(ATTACKS.values())]


EACH_TIME = {one.name for turn, one in enumerate(sorted(ATTACKS.values(), key=lambda one: one.group)) if turn % 6 == 0}
EACH_TIME |= {one.name for one in {one.group: one for one in ATTACKS.values()}.values()}
"""Some of every class; `make conformance` tries them all."""
CASES = [
    pytest.param(*case, marks=[] if case[0] in EACH_TIME else [pytest.mark.thorough], id="-".join(case))
    for case in tried()
]


def _has_effect(name: str) -> bool:
    return ATTACKS[name].effect is not None and f"{name}_stamped" not in ATTACKS


@pytest.mark.parametrize(("name", "office"), CASES)
def test_no_attack_passes(scene, forged, in_process, name, office):
    pdf = forged(name, office)
    answer = verify_file(scene.teken, pdf)
    assert answer.verdict not in GOOD, answer
    assert EXIT[answer.verdict] in {1, 2}
    if answer.number is None:
        assert (answer.code, answer.office) == (None, None)
        assert answer.permit_state in {PermitState.UNKNOWN, PermitState.UNDETERMINED}
    else:  # what it was made from, by the register: whatever the file shows
        assert (answer.permit_state, answer.number) == (PermitState.IN_FORCE, scene.permits[office].number)


@pytest.mark.parametrize(("name", "office"), [case for case in CASES if _has_effect(case.values[0])])
def test_a_reader_is_fooled(scene, forged, name, office):
    """An attack that changes nothing proves nothing. One that comes with a time-stamp too is asked with it."""
    assert ATTACKS[name].effect(scene.runs[office].final, forged(name, office))


@pytest.mark.thorough
@pytest.mark.parametrize("after", [False, True], ids=["number first", "number after"])
def test_the_suite_is_as_large_as_it_says(forged, after):
    files = {hashlib.sha256(forged(name, office)).digest() for name, office in tried() if (office in AFTER) is after}
    assert len(files) >= 80


def test_every_class_is_tried_each_time():
    assert {ATTACKS[name].group for name in EACH_TIME} == {one.group for one in ATTACKS.values()}
    assert len({name for name, office in tried() if office in AFTER}) >= 80
    assert len({name for name, office in tried() if office not in AFTER}) >= 80


def test_the_document_names_every_class():
    lines = (PROJECT / "docs" / "ATTACKS.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines if line.startswith("| ")]
    said = {group: int(number) for group, number in rows if number.isdigit()}
    assert said == Counter(one.group for one in ATTACKS.values()) | {"together": len(ATTACKS)}
