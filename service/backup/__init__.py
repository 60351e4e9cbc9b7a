"""Backups that prove themselves, and a restore that hands no number out twice (ADR 0053, docs/operating/backup.md)."""

from service.backup.errors import BackupRefused
from service.backup.make import make
from service.backup.manifest import Manifest, read
from service.backup.restore import Restored, restore

__all__ = ["BackupRefused", "Manifest", "Restored", "make", "read", "restore"]
