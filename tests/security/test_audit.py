"""The audit of dependencies: an old package is named, an ignored one has its reason, and what nobody could ask is never told as clean."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest

from service.settings import PROJECT

LOCK = "flask==3.1.2 \\\n    --hash=sha256:0\ngunicorn==21.0.0 \\\n    --hash=sha256:0\n"
KNOWN = 'as_of = "2026-11-23"\nfixed = [{ package = "gunicorn", id = "CVE-2024-1135", in = "22.0.0" }]\n'


@pytest.fixture
def audit(tmp_path, monkeypatch):
    loader = SourceFileLoader("audit", str(PROJECT / "scripts" / "audit"))
    module = module_from_spec(spec_from_loader("audit", loader))
    loader.exec_module(module)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "requirements.lock").write_text(LOCK)
    (tmp_path / "scripts" / "advisories.toml").write_text(KNOWN)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "asked", lambda _: None)
    monkeypatch.delenv("AUDIT", raising=False)
    return module


def test_an_old_package_is_named_even_where_nobody_can_be_asked(audit, capsys):
    assert audit.main() == audit.VULNERABLE
    assert "gunicorn 21.0.0: CVE-2024-1135" in capsys.readouterr().out


def test_an_index_without_advisories_is_not_told_as_clean(audit, capsys, monkeypatch):
    (audit.ROOT / "requirements.lock").write_text(LOCK.replace("21.0.0", "27.0.1"))
    assert audit.main() == 0
    told = capsys.readouterr().out
    assert "NOT DONE" in told
    assert "no known vulnerability" not in told
    monkeypatch.setenv("AUDIT", "strict")
    assert audit.main() == audit.NOT_AUDITED


def test_what_the_index_knows_fails_unless_it_is_ignored_with_a_reason(audit, capsys, monkeypatch):
    (audit.ROOT / "requirements.lock").write_text(LOCK.replace("21.0.0", "27.0.1"))
    monkeypatch.setattr(audit, "asked", lambda packages: [("flask", "PYSEC-1", "fixed in 4")] if len(packages) else [])
    assert audit.main() == audit.VULNERABLE
    (audit.ROOT / "scripts" / "advisories.toml").write_text(KNOWN + '[ignored]\n"PYSEC-1" = "not reached"\n')
    assert audit.main() == 0
    assert "1 ignored" in capsys.readouterr().out


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        json.dumps({"dependencies": []}),
        json.dumps({"dependencies": [{"name": "flask", "skip_reason": "not found"}]}),
    ],
)
def test_a_package_that_was_skipped_was_not_audited(monkeypatch, answer):
    loader = SourceFileLoader("audit", str(PROJECT / "scripts" / "audit"))
    module = module_from_spec(spec_from_loader("audit", loader))
    loader.exec_module(module)
    done = subprocess.CompletedProcess([], 0, stdout=answer, stderr="")
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: done)
    assert module.asked({"flask": "3.1.2"}) is None


def test_the_check_of_the_project_audits():
    make = (PROJECT / "Makefile").read_text()
    assert re.search(r"^check:.*(\n\t.*)*\n\t\$\(PY\) scripts/audit", make, re.MULTILINE)
