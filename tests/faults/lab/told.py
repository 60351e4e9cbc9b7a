"""What a run says: a table, a file that a machine reads, and for each failure the command that plays it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.faults.lab.scene import Scene

ELSEWHERE = {
    **dict.fromkeys(
        ("dispatch.after_record", "dispatch.after_answer", "dispatch.before_commit", "dispatch.after_commit"),
        "tests/backends",
    ),
    **dict.fromkeys(("webhook.before_send", "webhook.after_send"), "tests/webhooks"),
    **dict.fromkeys(("notice.before_send", "notice.after_send"), "tests/notices"),
    **dict.fromkeys(("backup.after_database", "backup.between_documents", "backup.before_manifest"), "tests/backup"),
    **dict.fromkeys(("restore.before_documents", "restore.before_database"), "tests/backup"),
}
"""Points that a day's work of this office does not pass, and where processes die at them."""


def table(scenes: Sequence[Scene]) -> str:
    """One line a row and engine: faults, violations, seconds of work."""
    heads = ("row", "engine", "scenes", "faults", "violations", "seconds")
    rows = [[str(cell) for cell in line.values()] for line in summary(scenes)]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [heads, *rows]
    )


def summary(scenes: Sequence[Scene]) -> list[dict[str, object]]:
    """The table as values; a fault counts once however often it was tried."""
    lines = []
    for row, engine in dict.fromkeys((scene.row, scene.engine) for scene in scenes):
        mine = [scene for scene in scenes if (scene.row, scene.engine) == (row, engine)]
        lines.append(
            {
                "row": row,
                "engine": engine,
                "scenes": len(mine),
                "faults": len({fault for scene in mine for fault in scene.faults}),
                "violations": sum(len(scene.violations) for scene in mine),
                "seconds": round(sum(scene.seconds for scene in mine), 1),
            }
        )
    return lines


def failures(scenes: Sequence[Scene]) -> str:
    """Each scene that broke a rule, and how to see it again."""
    return "\n".join(
        f"{scene.replay}\n"
        + "\n".join(f"  {one}" for one in scene.violations)
        + f"\n  make faults REPLAY='{scene.replay}'"
        for scene in scenes
        if scene.violations
    )


def keep(path: Path, seed: int, scenes: Sequence[Scene], seconds: float, **more: object) -> None:
    """Write everything down."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"seed": seed, "seconds": round(seconds, 1), "rows": summary(scenes), **more}
    told["failed"] = [asdict(scene) for scene in scenes if scene.violations]
    path.write_text(json.dumps(told, indent=1) + "\n")
