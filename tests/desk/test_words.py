"""The desk says nothing that nobody reads: every word, every style and every icon is used somewhere, in both languages alike."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from service.desk import decisions, staff
from service.store.desk_tables import Decision
from service.web.desk.routing import WHO

SERVICE = Path(__file__).parents[2] / "service"
DESK = SERVICE / "web" / "desk"
SCREENS = sorted(one.stem for one in (DESK / "words").glob("*.toml"))
STYLES = re.sub(r"/\*.*?\*/", "", (DESK / "static" / "desk.css").read_text("utf-8"), flags=re.S)
_CHAIN = re.compile(r'"([^"{}]*)" ~ [^"{}~]*(?:\("[^"]*"\)|"[^"]*"|[^"{}~])*?(?: ~ "([^"{}]*)"|(?=[)%}]))')


@cache
def pages() -> str:
    """Every template and script of the service."""
    found = [*SERVICE.rglob("*.html"), *(DESK / "static").glob("[ct]*.js")]
    return "\n".join(one.read_text("utf-8") for one in found)


@cache
def said() -> tuple[frozenset[str], frozenset[tuple[str, ...]]]:
    """Every text that program and pages hold, and those with gaps as the parts around them."""
    decided = {f"{kind}.{state}" for kind in {*staff.KINDS, *decisions.KINDS} for state in Decision}
    refused = {endpoint.removeprefix("desk.") for endpoint in WHO}
    plain, gapped = decided | refused | {*re.findall(r"(?<=[\"'])[\w. -]+(?=[\"'])", pages())}, set()
    for begin, end in _CHAIN.findall(pages()):
        gapped.add((begin, end))
    for one in SERVICE.rglob("*.py"):
        for node in ast.walk(ast.parse(one.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                plain.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
                gapped.add(tuple(parts.split("\0")))
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and isinstance(node.left, ast.Constant):
                gapped.add((str(node.left.value), ""))
    return frozenset(map(_alike, plain)), frozenset(tuple(map(_alike, one)) for one in gapped)


def _alike(text: str) -> str:
    return re.sub(r"[. ]", "_", text)


@cache
def is_said(text: str, depth: int = 3) -> bool:
    """Tell whether a text is one of them, or is made by filling gaps with such texts."""
    plain, gapped = said()
    if text in plain or text.isdigit() or not text:
        return True
    if depth == 0:
        return False
    for parts in gapped:
        if len("".join(parts).strip("_")) > 1:
            filled = re.fullmatch("(.+)".join(map(re.escape, parts)), text)
            if filled and all(is_said(one, depth - 1) for one in filled.groups()):
                return True
    return False


def keys(table: dict, before: str = "") -> list[str]:
    found = []
    for key, value in table.items():
        found += keys(value, f"{before}{key}.") if isinstance(value, dict) else [before + key]
    return found


def words(screen: str) -> dict:
    return tomllib.loads((DESK / "words" / f"{screen}.toml").read_text("utf-8"))


@pytest.mark.parametrize("screen", SCREENS)
def test_every_word_is_used(screen):
    assert [key for key in keys(words(screen)["id"]) if not is_said(_alike(f"{screen}.{key}"))] == []


def test_every_word_that_is_asked_for_exists():
    asked = set(re.findall(r"\bt\(\"([a-z]+\.[a-z0-9_.]+)\"[,)]", pages()))
    known = {f"{screen}.{key}" for screen in SCREENS for key in keys(words(screen)["id"])}
    assert len(asked) > 500
    assert asked - known == set()


def test_a_word_that_nobody_says_is_found():
    assert not is_said("inbox_zzz_unheard_of")
    assert is_said("case_event_case_returned")


@pytest.mark.parametrize("screen", SCREENS)
def test_both_languages_have_the_same_words(screen):
    languages = words(screen)
    assert set(languages) == {"id", "en"}
    assert keys(languages["id"]) == keys(languages["en"])


def test_every_style_is_used():
    classes = set(re.findall(r"\.([a-z][\w-]*)(?=[^{}]*\{)", STYLES))
    assert {one for one in classes if not re.search(rf"(?<![\w-]){one}(?![\w-])", pages())} == set()


def test_every_variable_of_the_styles_is_used():
    defined = set(re.findall(r"(--[a-z-]+):", STYLES))
    assert {one for one in defined if f"var({one})" not in STYLES} == set()


def test_every_icon_is_used():
    icons = tomllib.loads((DESK / "icons.toml").read_text("utf-8"))
    assert {one for one in icons if _alike(one) not in said()[0]} == set()
