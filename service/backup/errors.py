"""Why a backup is not made, not believed or not restored."""

from __future__ import annotations

from service.errors import TekenError


class BackupRefused(TekenError):
    """Nothing was changed. The code says why: `backup_unfinished`, `backup_altered`, `restore_place_taken` and others."""

    code = "backup_unfinished"
    status = 409
