"""The SKM form as pages show it: nine questions, four answers in words each; and reading it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.skm import ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.web.desk.words import Words

GRADES = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Question:
    """One element: its code, name, question, and the words of its four answers, worst first."""

    code: str
    name: str
    text: str
    answers: tuple[tuple[int, str], ...]


def questions(t: Words) -> tuple[Question, ...]:
    """Return the nine questions."""
    return tuple(
        Question(
            code,
            t(f"skm.{code}.name"),
            t(f"skm.{code}.text"),
            tuple((grade, t(f"skm.{code}.a{grade}")) for grade in GRADES),
        )
        for code in ELEMENTS
    )


def answers(form: Mapping[str, str]) -> dict[str, int]:
    """Return what was ticked; the use case says what is missing or wrong."""
    return {code: int(form[code]) for code in ELEMENTS if form.get(code, "") in {"1", "2", "3", "4"}}
