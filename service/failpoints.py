"""Named places between two writes where a process may die. Tests kill at each of them; in production they do nothing.

The idea is FoundationDB's BUGGIFY and boulder's habit of recording the intent first: what can be named can be looped over.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

POINTS = (
    "accept.before_commit",
    "accept.after_commit",
    "accept.after_archive",
    "claim.after_commit",
    "assemble.after_archive",
    "assemble.before_commit",
    "assemble.after_commit",
    "number.before_commit",
    "number.after_commit",
    "render.after_archive",
    "render.after_commit",
    "act.before_commit",
    "act.after_commit",
    "sign.after_signature",
    "sign.after_archive",
    "sign.before_commit",
    "sign.after_commit",
    "dispatch.after_record",
    "dispatch.after_answer",
    "dispatch.before_commit",
    "dispatch.after_commit",
    "seal.after_signature",
    "seal.after_archive",
    "seal.before_commit",
    "seal.after_commit",
    "issue.after_proof",
    "issue.before_commit",
    "issue.after_commit",
    "notify.before_commit",
    "webhook.before_send",
    "webhook.after_send",
    "archive.before_commit",
    "archive.after_temporary",
    "backup.after_database",
    "backup.between_documents",
    "backup.before_manifest",
    "restore.before_documents",
    "restore.before_database",
    "notice.before_send",
    "notice.after_send",
)

_armed: tuple[str, int, Path | None] | None = None
_hits = 0


def arm(spec: str | None) -> None:
    """Arm `point:hit[:file]`: die by SIGKILL at the hit-th passage; with a file, only once ever (the file marks it)."""
    global _armed, _hits  # noqa: PLW0603 - one process dies once
    _hits = 0
    if not spec:
        _armed = None
        return
    point, hit, *marker = spec.split(":", 2)
    if point not in POINTS:
        raise ValueError(f"unknown failpoint {point!r}")
    _armed = (point, int(hit), Path(marker[0]) if marker else None)


def passing(point: str) -> None:
    """Die here if this passage is the armed one."""
    global _hits  # noqa: PLW0603 - one count for the process, as `arm` sets it
    assert point in POINTS, point
    if _armed is None or _armed[0] != point:
        return
    _hits += 1
    if _hits != _armed[1]:
        return
    marker = _armed[2]
    if marker is not None:
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            return
    os.kill(os.getpid(), signal.SIGKILL)
