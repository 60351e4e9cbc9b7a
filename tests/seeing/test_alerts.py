"""The alert rules speak of metrics, labels and values that there are, and each says what to do."""

from __future__ import annotations

import re

import pytest
import yaml

from service.settings import PROJECT

RULES = [
    rule
    for group in yaml.safe_load((PROJECT / "docs/operating/alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DOCUMENT = (PROJECT / "docs/operating/metrics.md").read_text("utf-8")
LABELS = {
    name: set(filter(None, labels.split(", ")))
    for name, labels in re.findall(r"^\| `(\w+)` \| ([\w, ]*?) ?\|", DOCUMENT, re.MULTILINE)
}
OF_PROMETHEUS = {"le", "job", "instance"}


def family(name: str) -> str:
    return name if name in LABELS else re.sub(r"_(bucket|sum|count)$", "", name)


@pytest.mark.parametrize("rule", RULES, ids=[one["alert"] for one in RULES])
def test_a_rule_names_what_there_is_and_says_what_to_do(rule):
    said = rule["annotations"]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert said["summary"].endswith((".", "lost."))
    assert len(said["action"]) > 20
    names = {family(one) for one in re.findall(r"\bteken_\w+", rule["expr"])}
    assert names <= set(LABELS), names - set(LABELS)
    assert names or "up{" in rule["expr"]
    known = set().union(*(LABELS[one] for one in names)) | OF_PROMETHEUS
    grouped = {label for listed in re.findall(r"by \(([\w, ]+)\)", rule["expr"]) for label in listed.split(", ")}
    matched = set(re.findall(r"(\w+)(?:=~|!=|=)\"", rule["expr"]))
    assert grouped | matched <= known
    assert set(re.findall(r"\$labels\.(\w+)", str(said))) <= known
    assert rule["expr"].count("(") == rule["expr"].count(")")


def test_values_that_rules_ask_for_exist():
    from service.metrics.queues import PARKED
    from service.metrics.signing import UNFINISHED
    from service.store.webhook_tables import ENDPOINT_STATES
    from service.verification import Verdict

    text = " ".join(rule["expr"] for rule in RULES)
    assert set(re.findall(r'why="(\w+)"', text)) <= {PARKED}
    assert set(re.findall(r'state="(\w+)"', text)) <= {str(one) for one in UNFINISHED}
    states = {one for listed in re.findall(r'state=~"([\w|]+)"', text) for one in listed.split("|")}
    assert states <= set(ENDPOINT_STATES)
    verdicts = {one for listed in re.findall(r'result=~"([\w|]+)"', text) for one in listed.split("|")}
    assert verdicts <= {str(one) for one in Verdict}


def test_alerts_have_one_name_each():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_commands_that_rules_tell_of_are_understood():
    from service.cli import _parser

    for words in re.findall(r"`teken ([a-z -]+)`", str(RULES)):
        _parser().parse_args(words.split())
