"""What docs/operating/notices.md shows works as it stands there, and it names every field, outcome and cause."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import service.notices
from service.notices.gateways import read_gateways
from service.notices.message import FIELDS
from service.settings import PROJECT
from service.store.notice_tables import Outcome

TEXT = (PROJECT / "docs" / "operating" / "notices.md").read_text("utf-8")
FOLDER = Path(service.notices.__file__).parent


def test_the_file_that_is_shown_can_be_used(tmp_path):
    path = tmp_path / "notices.toml"
    path.write_text(TEXT.split("```toml\n")[1].split("```")[0])
    path.chmod(0o600)
    found = read_gateways(path)
    assert found.of("malang", "whatsapp").name == "meta"
    assert found.of("kudus", "whatsapp").name == "wablas"
    assert found.of("kudus", "email").name == "surel"


def test_every_field_and_outcome_is_told():
    assert {*re.findall(r"`\{(\w+)\}`", TEXT)} - {"name"} == FIELDS
    assert {*re.findall(r"^\| `(\w+)` \|", TEXT, flags=re.M)} >= {*Outcome}


def test_every_cause_is_told():
    causes = {"no_gateway", "worker_died"}
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NotTaken":
                causes |= {one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)}
    named = {*re.findall(r"`([\w:]+)[…N]*`", TEXT)}
    assert {one for one in causes if one not in {"http_", "tls"}} <= named | {"internal:", "SMTPServerDisconnected"}
    assert len(causes) > 8
