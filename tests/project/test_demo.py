"""`teken demo` from outside: real processes, all five procedures, and what it prints is true."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.demo import HOME
from service.settings import PROJECT
from tests.project.test_secrets import personal
from tests.support.office import TYPES, payload
from tests.support.once import once

SHAPE = {
    "sop": str,
    "office": str,
    "type": str,
    "state": str,
    "register_number": str,
    "document": str,
    "sha256": str,
    "verify_url": str,
    "verdict": str,
    "signatures": list,
    "steps": list,
}
SIGNED = {"field": str, "by": str, "level": str, "valid": bool}
STEP = {"no", "verb", "how", "actor", "standard_minutes", "done_at", "acts", "replaced"}
SEALED = {"001", "002", "003"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEKEN_")} | more
    command = [sys.executable, "-m", "service.cli", *words]
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """It has one home, that of the checkout."""

    def play():
        done = run("demo", "--once", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["permits"], done.stderr

    return once(tmp_path_factory, "demo", play)


def test_five_permits_in_force_and_identical(demo):
    permits, _ = demo
    assert [one["sop"] for one in permits] == ["000", "001", "002", "003", "004"]
    assert {(one["office"], one["type"]) for one in permits} == set(TYPES)
    assert {(one["state"], one["verdict"]) for one in permits} == {("in_force", "identical")}


def test_each_has_the_documented_shape(demo):
    permits, _ = demo
    for one in permits:
        assert {key: type(value) for key, value in one.items()} == SHAPE
        assert all({key: type(value) for key, value in signed.items()} == SIGNED for signed in one["signatures"])
        assert all(set(step) == STEP for step in one["steps"])
        fields = ["ttd_kepala", *(["segel"] if one["sop"] in SEALED else [])]
        assert [(signed["field"], signed["valid"]) for signed in one["signatures"]] == [(name, True) for name in fields]
        assert re.fullmatch(r"HTTP://127\.0\.0\.1:\d+/V/[0-9A-HJKMNP-TV-Z]{16}", one["verify_url"])


def test_every_row_of_each_sop_was_done(demo):
    permits, _ = demo
    for one in permits:
        assert [step["no"] for step in one["steps"]] == list(range(1, len(one["steps"]) + 1))
        assert [step["no"] for step in one["steps"] if step["done_at"] is None] == []


def test_each_document_lies_where_it_says_with_the_hash_that_it_says(demo):
    from service.archive import sha256

    permits, _ = demo
    for one in permits:
        assert not Path(one["document"]).is_absolute()
        assert sha256((PROJECT / one["document"]).read_bytes()) == one["sha256"]


def test_the_logs_of_web_worker_and_signing_process_name_nobody(demo):
    _, logs = demo
    values = set().union(*(personal(payload(office, kind)) for office, kind in TYPES))
    assert [value for value in values if value in logs] == []
    assert "Traceback" not in logs


def test_the_demonstrations_own_register_and_journal_hold(demo):
    done = run("audit", "--json", TEKEN_HOME=str(HOME), TEKEN_KEYS=str(HOME / "keys"))
    found = json.loads(done.stdout)
    assert (done.returncode, found["violations"]) == (0, [])
    assert found["walked"]["documents"] == 5


def test_a_document_verifies_on_the_command_line(demo):
    permits, _ = demo
    settings = {"TEKEN_HOME": str(HOME), "TEKEN_KEYS": str(HOME / "keys")}
    done = run("verify", permits[0]["document"], "--json", **settings)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["verdict"], answer["permit_state"]) == (0, "identical", "in_force")
    assert answer["number"] == permits[0]["register_number"]
