"""What the documents promise can be done and is there: commands, folders, settings, links."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from service.cli import _parser
from service.settings import PREFIX, PROJECT, Settings

README = (PROJECT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    path for path in [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")] if ".venv" not in path.parts
)
MADE_HERE = {"certs/dev"}  # by `make certs`, outside git
FOR_DRILLS = {"TEKEN_FAIL_AT"}  # crash points of the tests: no setting for an office


def blocks(text: str, language: str) -> list[list[str]]:
    """The fenced blocks of a language, each as its lines."""
    found: list[list[str]] = []
    inside = None
    for line in text.splitlines():
        if line.startswith("```"):
            inside = None if inside is not None else line[3:].strip()
            if inside == language:
                found.append([])
        elif inside is not None and inside == language:
            found[-1].append(line)
    return found


def commands(text: str, *languages: str) -> list[list[str]]:
    lines = [line for language in languages for block in blocks(text, language) for line in block]
    return [words for line in lines if (words := shlex.split(line, comments=True)) and words[0] in {"make", "teken"}]


CONTRIBUTING = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
COMMANDS = commands(README, "sh") + commands(CONTRIBUTING, "sh", "")


@pytest.mark.parametrize("words", [one for one in COMMANDS if one[0] == "make"], ids=" ".join)
def test_every_make_command_has_its_target(words):
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert words[1] in targets


@pytest.mark.parametrize("words", [one for one in COMMANDS if one[0] == "teken"], ids=" ".join)
def test_every_teken_command_is_understood_as_written(words):
    chosen = _parser().parse_args(words[1:])
    assert callable(chosen.run)


def test_the_readme_shows_both_kinds():
    assert {words[0] for words in commands(README, "sh")} == {"make", "teken"}


def folder_map() -> list[str]:
    [tree] = [block for block in blocks(README, "") if any(line.startswith("service/") for line in block)]
    return [path for line in tree for path in re.findall(r"(?:^|\s{2,})([\w./-]+(?:/|\.py|\.toml|\.md))(?=\s)", line)]


def test_every_path_of_the_folder_map_exists():
    paths = folder_map()
    assert len(paths) >= 6
    assert [path for path in paths if not (PROJECT / path).exists()] == []
    assert [path for path in paths if path.endswith("/") != (PROJECT / path).is_dir()] == []


def test_the_folder_map_leaves_no_folder_of_ours_out():
    import subprocess

    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    folders = {f"{line.split('/')[0]}/" for line in tracked.splitlines() if "/" in line}
    assert {one for one in folders if not one.startswith(".")} - set(folder_map()) <= {"scripts/"}


def test_the_settings_table_names_every_variable_and_no_other():
    settings = {PREFIX + name.upper() for name in Settings.model_fields} - FOR_DRILLS
    named = set(re.findall(rf"`({PREFIX}[A-Z_]+[A-Z])`", README))
    assert named == settings


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_link_to_a_file_leads_somewhere(document):
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_file_that_a_document_names_exists(document):
    """Paths in backticks, such as `service/pipeline.py`; patterns and placeholders are left out."""
    named = re.findall(
        r"`((?:service|signing|templates|certs|tests|benchmarks|docs|scripts)/[\w./-]+)`", document.read_text()
    )
    assert [path for path in named if not (PROJECT / path).exists() and path not in MADE_HERE] == []


def test_the_readme_is_short_enough_to_be_read():
    assert len(README.splitlines()) < 150


def test_the_version_of_the_changelog_is_that_of_the_package():
    """Either still unreleased, or released under the number that the package carries."""
    import tomllib

    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    headings = re.findall(r"^## \[([^\]]+)\]", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] in {"Unreleased", version}


def test_every_decision_that_a_procedure_or_the_code_cites_is_written_down():
    written = {path.name[:4] for path in (PROJECT / "docs" / "adr").glob("[0-9]*.md")}
    cited = set()
    for path in (PROJECT / "templates").rglob("sop.toml"):
        for numbers in re.findall(r'adr = "([\d, ]+)"', path.read_text()):
            cited |= {one.strip() for one in numbers.split(",")}
    for folder in ("service", "signing", "docs"):
        for path in [*Path(PROJECT / folder).rglob("*.py"), *Path(PROJECT / folder).rglob("*.md")]:
            cited |= set(re.findall(r"\bADR (\d{4})\b", path.read_text()))
    assert cited
    assert cited - written == set()
