"""docs/ISSUANCE.md and the code tell the same story: steps, modules, states."""

from __future__ import annotations

import ast
import re
from itertools import pairwise

import pytest

from service.permits import BEFORE_ISSUE, RELEASED, TRANSITIONS, State, may_become
from service.settings import PROJECT
from service.sop.model import Verb
from service.steps import STEPS

PAGE = (PROJECT / "docs" / "ISSUANCE.md").read_text(encoding="utf-8")
TABLE = [
    (int(number), verbs, re.findall(r"`(service/[\w/]+\.py)`", modules))
    for number, verbs, *_, modules in (
        [cell.strip() for cell in re.sub(r"^\| (\d+) ", r"| \1 | ", line).strip("| ").split("|")]
        for line in PAGE.splitlines()
        if re.match(r"\| \d", line)
    )
]
NAMED = [(number, module) for number, _, modules in TABLE for module in modules]
DIAGRAM = re.search(r"## States.*?```\n(.*?)```", PAGE, re.DOTALL).group(1)


def test_the_table_counts_the_steps_in_order():
    assert [number for number, *_ in TABLE] == list(range(1, 10))
    assert all(modules for *_, modules in TABLE)


@pytest.mark.parametrize(("number", "module"), NAMED)
def test_the_module_of_a_step_says_its_number_in_its_first_line(number, module):
    first_line = ast.get_docstring(ast.parse((PROJECT / module).read_text(encoding="utf-8"))).splitlines()[0]
    said = re.match(r"Steps? ([\d, and]+)", first_line)
    assert said, first_line
    assert str(number) in re.findall(r"\d+", said.group(1))


def test_every_module_that_calls_itself_a_step_is_in_the_table():
    claims = set()
    for path in (PROJECT / "service").rglob("*.py"):
        first_line = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
        if said := re.match(r"Steps? ([\d, and]+)", first_line):
            claims |= {(int(one), str(path.relative_to(PROJECT))) for one in re.findall(r"\d+", said.group(1))}
    assert claims == set(NAMED)


def test_every_step_of_the_worker_is_a_verb_or_the_render():
    assert set(STEPS) - {"render"} <= set(Verb)


def test_the_states_of_the_page_are_the_states_of_a_permit():
    named = {word for word in re.findall(r"[a-z_]+", DIAGRAM) if word in set(State)}
    assert named == set(State)
    drawn = set(re.findall(r"[a-z]+(?:_[a-z]+)+", DIAGRAM.splitlines()[0]))
    assert drawn <= set(State)


def test_every_arrow_of_the_page_is_in_the_table_of_transitions():
    straight = re.split(r"\s*[→⇄]\s*", DIAGRAM.splitlines()[0].strip())
    assert straight[0] == "received"
    assert straight[-1] == "suspended"
    arrows = [*pairwise(straight), ("suspended", "in_force"), ("received", "returned"), ("returned", "received")]
    arrows += [("in_force", "revoked"), ("in_force", "replaced")]
    assert [arrow for arrow in arrows if not may_become(State(arrow[0]), State(arrow[1]))] == []


def test_every_state_can_be_reached_and_only_the_documented_ones_are_the_end():
    reached, frontier = {State.RECEIVED}, {State.RECEIVED}
    while frontier:
        frontier = {then for now in frontier for then in TRANSITIONS[now]} - reached
        reached |= frontier
    assert reached == set(State)
    assert {state for state in State if not TRANSITIONS[state]} == {State.REVOKED, State.REPLACED, State.CLOSED}


def test_nothing_comes_back_from_issue():
    """What the world has been told is in force never becomes a case again; and only a proven paper gets there."""
    for state in RELEASED:
        assert TRANSITIONS[state] <= RELEASED
    assert {now for now in BEFORE_ISSUE if State.IN_FORCE in TRANSITIONS[now]} == {State.SIGNED, State.SEALED}


def test_every_case_before_issue_may_be_withdrawn():
    assert [state for state in BEFORE_ISSUE if not may_become(state, State.CLOSED)] == []


def test_what_is_parked_goes_back_to_any_state_that_can_be_parked():
    parkable = {state for state in State if State.PARKED in TRANSITIONS[state]}
    assert TRANSITIONS[State.PARKED] == parkable | {State.CLOSED}
    assert parkable == BEFORE_ISSUE - {State.RETURNED, State.PARKED}


def test_the_first_release_of_a_table_names_the_same_states():
    """The database refuses any other word."""
    from sqlalchemy import CheckConstraint

    from service.store.tables import permits

    [known] = [
        str(one.sqltext)
        for one in permits.constraints
        if isinstance(one, CheckConstraint) and str(one.name).startswith("state")
    ]
    assert set(re.findall(r"'(\w+)'", known)) == set(State)


def test_every_invariant_names_where_it_is_hunted():
    page = (PROJECT / "docs" / "adr" / "0010-invariants.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (I\d+) \|.*\| ([^|]+) \|$", page, re.MULTILINE)
    assert [name for name, _ in rows] == [f"I{number}" for number in range(1, 12)]
    for _, hunters in rows:
        assert [path for path in re.findall(r"tests/\w+", hunters) if not any((PROJECT / path).glob("test_*.py"))] == []
