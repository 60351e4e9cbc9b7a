"""No forged permit is ever good: every attack of the package, each on an office of either order of number and signature."""

from __future__ import annotations

import hashlib

import pytest

from service.verification import PermitState, Verdict, verify_file
from service.verification.command import EXIT
from tests.verification.attacks import ATTACKS
from tests.verification.attacks.genuine import build
from tests.verification.attacks.registry import AFTER

GOOD = {Verdict.IDENTICAL, Verdict.AUTHENTIC, Verdict.SUPERSEDED}


@pytest.fixture(scope="session")
def scene(tmp_path_factory, keys):
    made = build(tmp_path_factory.mktemp("attacked"), keys)
    yield made
    made.teken.close()


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
    """Every attack on one office of each order that it applies to, taking turns."""
    cases = []
    for turn, one in enumerate(ATTACKS.values()):
        for order in ([o for o in one.offices if o not in AFTER], [o for o in one.offices if o in AFTER]):
            cases += [(one.name, order[turn % len(order)])] if order else []
    return cases


CASES = tried()


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


@pytest.mark.parametrize(("name", "office"), [case for case in CASES if ATTACKS[case[0]].effect])
def test_a_reader_is_fooled(scene, forged, name, office):
    """An attack that changes nothing proves nothing."""
    assert ATTACKS[name].effect(scene.runs[office].final, forged(name, office))


@pytest.mark.parametrize("after", [False, True], ids=["number first", "number after"])
def test_the_suite_is_as_large_as_it_says(forged, after):
    files = {hashlib.sha256(forged(name, office)).digest() for name, office in CASES if (office in AFTER) is after}
    assert len(files) >= 80
