"""`teken verify FILE [--json]`: the file's verdict for a terminal or a script."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from service.verification.answers import CONTENT, FileAnswer, Verdict
from service.verification.file import MOST_BYTES, verify_file

if TYPE_CHECKING:
    from pathlib import Path

    from service.wiring import Teken

EXIT = {
    Verdict.IDENTICAL: 0,
    Verdict.AUTHENTIC: 0,
    Verdict.SUPERSEDED: 0,
    Verdict.ALTERED: 1,
    Verdict.FOREIGN: 1,
    Verdict.UNSIGNED: 1,
    Verdict.UNDETERMINED: 2,
}
"""DESIGN §8. Scripts that only look at the exit code never take a doubt for a good file."""


def verify_file_command(teken: Teken, path: Path, *, as_json: bool) -> int:
    """Print the answer and return the exit code: 0 good, 1 not ours or not intact, 2 could not be determined."""
    answer = _answer(teken, path)
    print(json.dumps(answer.as_dict(), ensure_ascii=False) if as_json else in_words(answer))  # noqa: T201 - a command
    return EXIT[answer.verdict]


def _answer(teken: Teken, path: Path) -> FileAnswer:
    try:
        if not path.is_file():
            return FileAnswer(Verdict.UNDETERMINED, None, reasons=("unreadable",))
        with path.open("rb") as file:
            return verify_file(teken, file.read(MOST_BYTES + 1))
    except OSError:
        return FileAnswer(Verdict.UNDETERMINED, None, reasons=("unreadable",))


def in_words(answer: FileAnswer, language: str = "id") -> str:
    """Return the answer as a few lines for people."""
    words = file_words(language)
    lines = [words["verdict"][answer.verdict], *(words["reason"][reason] for reason in answer.reasons), ""]
    facts = {
        "permit_state": words["permit_state"][answer.permit_state],
        "number": answer.number,
        "office": answer.office,
        "code": answer.code,
        "sha256": answer.sha256,
    }
    lines += [f"{words['label'][name]}: {value}" for name, value in facts.items() if value]
    holds = words["holds"]
    lines += [
        f"{words['label']['signature']}: {one.field}, {one.by}, {one.level}, {holds[str(one.valid).lower()]}"
        for one in answer.signatures
    ]
    lines += [words["anew"]] if any(one.proof == CONTENT for one in answer.signatures) else []
    return "\n".join(lines)


@cache
def file_words(language: str) -> dict[str, Any]:
    """Return the words of verdicts and their reasons."""
    text = resources.files(__package__).joinpath("words.toml").read_text("utf-8")
    found: dict[str, Any] = tomllib.loads(text)[language]
    return found
