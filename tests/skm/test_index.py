"""The survey's index against vectors that were computed by hand, and what must hold for any answers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.skm import ELEMENTS, grade, index


def forms(*rows: str) -> list[dict[str, int]]:
    return [dict(zip(ELEMENTS, map(int, row.split()), strict=True)) for row in rows]


@pytest.mark.parametrize(
    ("answer", "value", "letter"), [("4", "100.00", "A"), ("3", "75.00", "C"), ("2", "50.00", "D"), ("1", "25.00", "D")]
)
def test_equal_answers(answer, value, letter):
    found = index(forms(" ".join(answer * 9)))
    assert (str(found.value), found.grade) == (value, letter)


def test_three_forms_by_hand():
    found = index(forms("4 3 3 4 3 3 4 2 3", "3 3 4 4 4 3 3 3 3", "4 4 3 4 3 4 4 3 4"))
    assert (found.forms, str(found.value), found.grade) == (3, "85.19", "B")
    assert [str(one) for one in found.elements.values()] == (
        "3.667 3.333 3.333 4.000 3.333 3.333 3.667 2.667 3.333".split()
    )


@pytest.mark.parametrize(
    ("value", "letter"),
    [
        ("100.00", "A"), ("88.31", "A"), ("88.30", "B"), ("76.61", "B"),
        ("76.60", "C"), ("65.00", "C"), ("64.99", "D"), ("25.00", "D"),
    ],
)  # fmt: skip
def test_grades_begin_where_the_regulation_says(value, letter):
    assert grade(Decimal(value)) == letter


def test_nobody_answered():
    assert index([]) is None


@given(st.lists(st.fixed_dictionaries({element: st.integers(1, 4) for element in ELEMENTS}), min_size=1, max_size=40))
def test_the_index_lies_in_its_scale_and_is_the_mean_of_all_answers(rows):
    found = index(rows)
    exact = Decimal(sum(sum(row.values()) for row in rows)) / (9 * len(rows)) * 25
    assert Decimal(25) <= found.value <= Decimal(100)
    assert abs(found.value - exact) <= Decimal("0.005")
    assert index(rows * 2).value == found.value, "the same answers twice say the same"
