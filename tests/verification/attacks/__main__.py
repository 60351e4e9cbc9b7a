"""Writes every forged file, and the genuine ones, into a folder: for trying other verifiers on them."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from service.development import certificates
from service.settings import PROJECT
from tests.verification.attacks import ATTACKS
from tests.verification.attacks.genuine import build


def write_all(out: Path) -> int:
    """Write OUT/genuine/OFFICE.pdf, OUT/forged/OFFICE/ATTACK.pdf and the anchors; return how many are forged."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys"
        certificates(PROJECT / "templates", keys, key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
        scene = build(Path(folder), keys)
        _write(out / "anchor.pem", (keys / "root.pem").read_bytes())
        for office, run in scene.runs.items():
            _write(out / "genuine" / f"{office}.pdf", run.final)
        made = [(one, office) for one in ATTACKS.values() for office in one.offices]
        for one, office in made:
            _write(out / "forged" / office / f"{one.name}.pdf", one.make(scene.runs[office]))
        scene.teken.close()
    return len(made)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


if __name__ == "__main__":
    print(f"{write_all(Path(sys.argv[1]))} forged files")
