"""Every code has its words in both languages, and the words use only what the code carries."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import service
from service import problems
from service.errors import TekenError

SOURCES = [path for path in Path(service.__file__).parent.rglob("*.py") if "store/migrations" not in path.as_posix()]
RAISING = {"Conflict", "NotFound", "BadRequest", "Invalid", "CaseInvalid", "StateForbids", "PhotoInvalid", "Forbidden"}
NOTING = {"Fault": 1, "note": 1, "Unclean": 0, "IdentifierInvalid": 0}


def calls():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                yield path, name, node


def literal(node, index):
    argument = node.args[index] if len(node.args) > index else None
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def codes(names):
    found = {}
    for path, name, node in calls():
        code = literal(node, names[name]) if name in names and "sop/" not in path.as_posix() else None
        if code is not None:
            found.setdefault(code, path.name)
    return found


def subclasses(kind):
    for inner in kind.__subclasses__():
        yield inner
        yield from subclasses(inner)


def test_every_error_has_words():
    for module in pkgutil.walk_packages(service.__path__, "service."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    missing = {kind.code for kind in subclasses(TekenError)} - problems.problem_texts().keys()
    assert not missing


def test_every_code_that_is_raised_has_words():
    found = codes(dict.fromkeys(RAISING, 0))
    known = problems.problem_texts().keys() | problems.fault_texts().keys()
    assert len(found) > 10
    assert not {code: where for code, where in found.items() if code not in known}


def test_every_code_that_is_noted_has_words():
    found = codes(NOTING)
    assert len(found) > 30
    assert not {code: where for code, where in found.items() if code not in problems.fault_texts()}


@pytest.mark.parametrize("language", problems.LANGUAGES)
def test_words_are_whole(language):
    for code, texts in problems.problem_texts().items():
        assert texts[language].keys() == {"title", "advice"}, code
        assert texts[language]["advice"].endswith("."), code
        assert "$" not in texts[language]["title"], code
    assert all(texts.keys() == set(problems.LANGUAGES) for texts in problems.fault_texts().values())


def test_both_languages_use_the_same_params():
    for texts in problems.fault_texts().values():
        assert params(texts["id"]) == params(texts["en"])
    for texts in problems.problem_texts().values():
        assert params(texts["id"]["advice"]) == params(texts["en"]["advice"])


def params(text):
    return set(re.findall(r"\$(\w+)", text))


def test_values_are_never_templates():
    assert problems.fault("not_a_choice", {"choices": "$limit {0.x} ${choices}"}).endswith("$limit {0.x} ${choices}")
    assert problems.fault("too_long", {}) == "Paling banyak - karakter"
