"""The package's face: what it exports, what it must not know, and that its errors are a closed and used list."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import signing
from signing.errors import ADVICE

SOURCES = sorted(Path(signing.__file__).parent.rglob("*.py"))


def test_everything_that_is_promised_is_there():
    assert all(hasattr(signing, name) for name in signing.__all__)


def test_it_knows_no_office_queue_database_or_web():
    code = "import signing, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    strangers = {"service", "flask", "rq", "redis", "sqlalchemy", "typst", "certs"}
    assert not {name for name in loaded if name.split(".")[0] in strangers}


def test_every_code_is_raised_somewhere_and_has_advice():
    text = "".join(path.read_text() for path in SOURCES if path.name != "errors.py")
    raised = set(re.findall(r'"([a-z_]+)"', text))
    assert set(ADVICE) <= raised
    assert all(advice.endswith(".") for advice in ADVICE.values())


def test_files_stay_small():
    assert {path.name: lines for path in SOURCES if (lines := len(path.read_text().splitlines())) > 300} == {}
