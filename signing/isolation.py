"""Runs the inspector in a child process with caps on memory, processor and wall time: hostile files end there.

The child gets the file on its standard input, no environment to speak of, and answers JSON, which is checked: even a
child that was taken over can only lie about one file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import resource
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from signing.facts import Inspection, Trust, from_json, to_json

_MEGABYTE: Final = 1 << 20
_LARGEST_ANSWER: Final = 4 * _MEGABYTE
_ROOT: Final = Path(__file__).resolve().parent.parent
_STARTING: Final = 10.0
"""Seconds of wall time granted on top, for a busy machine to start the child."""


def inspect_isolated(pdf: bytes, trust: Trust, *, seconds: float = 10.0, memory: int = 1024 * _MEGABYTE) -> Inspection:
    """Inspect in a child of `memory` bytes of address space and `seconds` of processor time.

    Never raises for what a file holds: a child that dies, hangs or answers nonsense makes the outcome `undetermined`.
    """
    sha256 = hashlib.sha256(pdf).hexdigest()
    command = [sys.executable, "-m", "signing.isolation", str(max(1, round(seconds))), str(memory)]
    try:
        child = subprocess.run(  # noqa: S603  # our own interpreter and module; nothing of the file is in the command
            command,
            input=_question(trust) + b"\n" + pdf,
            capture_output=True,
            timeout=seconds + _STARTING,
            check=False,
            cwd=_ROOT,
            env={"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        return Inspection(sha256, "undetermined", "timeout")
    if child.returncode:
        return Inspection(sha256, "undetermined", "crashed" if child.returncode > 0 else "killed")
    return _answer(child.stdout, sha256)


def _question(trust: Trust) -> bytes:
    encoded: dict[str, Any] = {
        key: [base64.b64encode(der).decode() for der in getattr(trust, key)]
        for key in ("anchors_der", "intermediates_der", "crls_der")
    }
    encoded["at"] = trust.at.isoformat() if trust.at else None
    return json.dumps(encoded).encode()


def _answer(output: bytes, sha256: str) -> Inspection:
    try:
        if len(output) > _LARGEST_ANSWER:
            raise ValueError("too long")
        inspection = from_json(json.loads(output))
        if inspection.sha256 != sha256:
            raise ValueError("another file")
    except (ValueError, KeyError, TypeError, RecursionError):
        return Inspection(sha256, "undetermined", "nonsense")
    return inspection


def _child(seconds: int, memory: int) -> None:
    """The child's whole life."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    from signing.inspection import inspect

    question = json.loads(sys.stdin.buffer.readline())
    at = question.pop("at")
    ders = {key: tuple(base64.b64decode(der) for der in value) for key, value in question.items()}
    trust = Trust(**ders, at=datetime.fromisoformat(at) if at else None)
    json.dump(to_json(inspect(sys.stdin.buffer.read(), trust)), sys.stdout)


if __name__ == "__main__":
    _child(int(sys.argv[1]), int(sys.argv[2]))
