"""A small fixed sample of `make fuzz`, and what the fuzzer itself must be able to see."""

from __future__ import annotations

import logging
import random
from copy import deepcopy

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.verification import Verdict, verify_file
from signing import inspect
from tests.fuzz.cases import case
from tests.fuzz.house import EXPECTED, House
from tests.fuzz.mutators import LEVELS, envelopes
from tests.fuzz.mutators.edits import edit
from tests.fuzz.oracle import GOOD, is_finding, says_the_same
from tests.fuzz.report import failures
from tests.fuzz.run import Run
from tests.fuzz.syntax import Update, dump, layout, parse

SEED, SAMPLE = 20261123, 160


@pytest.fixture(scope="session", autouse=True)
def _quiet_validator():
    """pyHanko logs every chain that does not end at an anchor, with a traceback; here that is expected."""
    for name in ("pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> Run:
    return Run(tmp_path_factory.mktemp("fuzz"), SEED, borrowed=False)


@pytest.fixture(scope="session")
def house(run):
    opened = run.open()
    yield opened
    opened.teken.close()


@pytest.fixture
def in_process(monkeypatch):
    monkeypatch.setattr("service.verification.file.inspect_isolated", inspect)


def test_every_seed_is_good_before_it_is_changed(house: House, in_process):
    verdicts = {(one.kind, one.name): verify_file(house.teken, one.pdf).verdict for one in house.seeds}
    assert verdicts == {(kind, name): EXPECTED[kind] for kind, name in verdicts}
    assert {kind for kind, _ in verdicts} == set(EXPECTED)


def test_a_sample_of_changed_files(run, house):
    """Real children, every level: none is praised, none ends the parent, and most reach the validator."""
    tally = run.play(SAMPLE, processes=1)
    assert tally.total == SAMPLE
    assert set(tally.cases) == set(LEVELS)
    assert failures(tally, 0.5) == []


def test_a_child_that_dies_of_a_file_costs_that_file_only(run, house, monkeypatch):
    """The system ends it, as it ends one that takes too much; the case is tried in the cage and the next child goes on."""
    from tests.fuzz import run as module

    monkeypatch.setattr(module, "WORKER", "tests.fuzz.dying")
    mortal = Run(run.folder, SEED)
    earlier = run.folder / "findings" / "0000001.json"
    earlier.parent.mkdir(exist_ok=True)
    earlier.touch()
    tally = mortal.play(6, processes=1)
    assert (tally.total, len(tally.died)) == (6, 1)
    assert tally.died[0]["number"] == 3
    assert not earlier.exists()


def test_the_oracle_sees_a_page_that_was_painted_over(house):
    seed = next(one for one in house.seeds if one.name == "tabel-disetujui")
    below = layout(seed.pdf)
    number = next(number for number, (text, data) in below.objects.items() if data and b"/Subtype" not in text)
    painted = Update({number: b"<</Length 27>>\nstream\n1 0 0 rg 20 20 200 100 re f\nendstream"}).write(seed.pdf)
    assert not says_the_same(seed.pdf, painted)
    assert is_finding(seed, painted, Verdict.FOREIGN)
    assert not is_finding(seed, painted, Verdict.ALTERED)


def test_the_oracle_excuses_a_security_store_of_a_strangers_file_only(house):
    for seed in house.seeds:
        below = layout(seed.pdf)
        root = below.thing(below.root)
        root.value.put(b"/DSS", b"%d 0 R" % below.size)
        longer = Update({below.size: b"<</Certs []>>", below.root: root.body()}).write(seed.pdf)
        assert says_the_same(seed.pdf, longer), seed.name
        assert is_finding(seed, longer, Verdict.FOREIGN) is (seed.kind != "foreign")
        assert is_finding(seed, longer, Verdict.AUTHENTIC)


def test_the_oracle_takes_an_empty_dictionary_under_a_number_for_the_same(house):
    seed = next(one for one in house.seeds if one.kind == "foreign")
    below = layout(seed.pdf)
    root = below.thing(below.root)
    direct, indirect, other = (deepcopy(root) for _ in range(3))
    direct.value.put(b"/PieceInfo", b"<<>>")
    indirect.value.put(b"/PieceInfo", b"%d 0 R" % below.size)
    other.value.put(b"/PieceInfo", b"<</A 1>>")
    one, same, differs = (
        Update({below.root: each.body(), below.size: b"<<>>"}).write(seed.pdf) for each in (direct, indirect, other)
    )
    assert says_the_same(one, same)
    assert not says_the_same(one, differs)


def test_a_number_is_a_file(house):
    """The same dice, the same bytes: a finding can be replayed."""
    first = [case(house, SEED, number).mutation for number in range(40)]
    assert first == [case(house, SEED, number).mutation for number in range(40)]
    assert first != [case(house, SEED + 1, number).mutation for number in range(40)]


def test_grafts_one_upon_another_stay_a_tree():
    """A graft that holds what is grafted into it would have no end."""
    donor = bytes.fromhex("3009300730053003020101")
    for seed in range(200):
        dice, tree, given = random.Random(seed), *(envelopes.read(donor)[0] for _ in range(2))
        for _ in range(3):
            envelopes._graft(tree, dice, envelopes._all(given))
        assert envelopes.read(tree.dump()) is not None


def test_what_is_read_is_written_back(house):
    for seed in house.seeds:
        for text, _ in layout(seed.pdf).objects.values():
            assert dump(parse(dump(parse(text)))) == dump(parse(text))


def test_an_update_is_right_in_its_syntax(house):
    """Otherwise the validator would never see one, and refusals would prove nothing."""
    import io

    for seed in house.seeds:
        below = layout(seed.pdf)
        for packed in (False, True):
            root = below.thing(below.root)
            root.value.put(b"/Lang", b"(xx)")
            longer = Update({below.root: root.body()}, packed=packed).write(seed.pdf)
            with pikepdf.open(io.BytesIO(longer), attempt_recovery=False) as document:
                assert str(document.Root.Lang) == "xx"


@given(data=st.data())
@settings(
    max_examples=25, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_no_update_of_a_reachable_object_is_ever_good(house, in_process, data):
    """Whatever one update does to one object that the document needs, no file of ours stays good, and none becomes a stranger's."""
    seed = data.draw(st.sampled_from([one for one in house.seeds if one.kind == "elsewhere"]))
    below = layout(seed.pdf)
    number = data.draw(st.sampled_from(sorted(below.objects)))
    thing = edit(below.thing(number), random.Random(data.draw(st.integers(0, 2**32))), below)
    changed = Update({number: thing.body()}, packed=data.draw(st.booleans())).write(seed.pdf)
    assert verify_file(house.teken, changed).verdict not in GOOD | {Verdict.FOREIGN}
