"""Step 8, archive: the released bytes are read back from the archive and found sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from service import failpoints, moves
from service.moves import Done
from service.steps.work import Work
from service.store.permits import fenced

if TYPE_CHECKING:
    from service.wiring import Teken


def archive(teken: Teken, work: Work) -> Row[Any]:
    """Read the document back by its hash and record that it is there.

    Raises ArchiveDamaged.
    """
    sha = work.row.released_sha
    teken.archive.get(sha)
    with teken.db.write() as connection:
        row = fenced(connection, work.claim)
        moved = moves.finish(
            connection, teken, row, work.procedure, Done("permit.archived", document_sha=sha, data={"sha256": sha})
        )
        failpoints.passing("archive.before_commit")
    return moved
