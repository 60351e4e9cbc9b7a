"""The archive in a local folder. Nothing is ever overwritten; only the sweep removes, and only what nobody has put for days."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from service import failpoints
from service.archive.errors import ArchiveDamaged, ArchiveUnreachable
from service.archive.names import MARKS, Listed, mark_path, name_at, path_of, sha256
from service.durable import sync_folder

ASIDE = "damaged"


@dataclass(frozen=True, slots=True)
class LocalArchive:
    """A folder `ab/cdef...`; files are complete, durable (file and folder fsync) and read-only once they have their name."""

    root: Path

    def put(self, data: bytes) -> str:
        """Store and return the SHA-256. Storing the same bytes again changes nothing; over damaged ones it raises ArchiveDamaged.

        Raises ArchiveUnreachable where the disk is full or refuses: nothing half stays, and it may be put again.
        """
        name = sha256(data)
        path = self._path(name)
        with _disk_is_the_hosts():
            while not self._stands(path, name):
                _place(path, data)
            sync_folder(path.parent)  # also of what is there: who put it may have died before
            sync_folder(self.root)
        return name

    def get(self, name: str) -> bytes:
        """Return the bytes.

        Raises ArchiveDamaged if they are missing or do not hash to their name; ArchiveUnreachable if the disk can't be read.
        """
        with _disk_is_the_hosts():
            try:
                data = self._path(name).read_bytes()
            except FileNotFoundError:
                raise ArchiveDamaged(f"missing: {name}") from None
        if sha256(data) != name:
            raise ArchiveDamaged(f"hash differs: {name}")
        return data

    def has(self, name: str) -> bool:
        """Tell whether the name exists (not whether it is sound)."""
        return self._path(name).exists()

    def keep(self, name: str, now: datetime) -> None:  # noqa: ARG002 - the port's
        """A folder knows no lock beyond the read-only file; raises ArchiveDamaged if there is nothing to keep."""
        if not self.has(name):
            raise ArchiveDamaged(f"missing: {name}")

    def names(self, after: str = "") -> Iterator[Listed]:
        """Yield what is stored in the order of its names; files that never got their name are not told."""
        if not self.root.is_dir():
            return
        for folder in sorted(one.name for one in self.root.iterdir() if one.is_dir() and one.name >= after[:2]):
            for path in sorted((self.root / folder).iterdir()):
                name = name_at(f"{folder}/{path.name}")
                if name is not None and name > after:
                    with suppress(FileNotFoundError):
                        yield Listed(name, datetime.fromtimestamp(path.stat().st_mtime, UTC))

    def mend(self, name: str, data: bytes) -> None:
        """Give a lost or damaged name its bytes again; what stands there is moved aside to `damaged/`, never overwritten."""
        assert sha256(data) == name, "a name is mended with its own bytes"
        path = self._path(name)
        if path.exists():
            aside = self.root / ASIDE
            aside.mkdir(parents=True, exist_ok=True)
            path.rename(aside / f"{name}-{secrets.token_hex(4)}")
            sync_folder(path.parent)
            sync_folder(aside)
        self.put(data)

    def remove(self, name: str, until: datetime) -> bool:
        """Remove what nobody has put since `until`; tell whether it is gone. For the sweep alone (service/archive_sweep.py).

        It is moved away first and looked at once more: whoever puts it at that very moment made it young, or finds no file and writes his.
        """
        path = self._path(name)
        away = path.with_name(f".{path.name}-{secrets.token_hex(6)}")
        try:
            path.rename(away)
        except FileNotFoundError:
            return False
        if datetime.fromtimestamp(away.stat().st_mtime, UTC) >= until:
            with suppress(FileExistsError):
                os.link(away, path)
            away.unlink()
            return False
        away.unlink()
        sync_folder(path.parent)
        return True

    def put_mark(self, order: tuple[int, int], data: bytes) -> None:
        """Keep a word, whole or not at all."""
        path = self.root / mark_path(order)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}-{secrets.token_hex(6)}")
        _write_durably(temporary, data)
        temporary.rename(path)
        sync_folder(path.parent)

    def newest_mark(self) -> bytes | None:
        """Return the newest word."""
        with suppress(FileNotFoundError):
            found = (one.name for one in os.scandir(self.root / MARKS) if not one.name.startswith("."))
            newest = min(found, default=None)
            return (self.root / MARKS / newest).read_bytes() if newest else None
        return None

    def tried(self, now: datetime) -> Mapping[str, str]:  # noqa: ARG002 - the port's
        """A folder of ours promises nothing that could be tried."""
        return {}

    def _stands(self, path: Path, name: str) -> bool:
        """Tell whether the bytes are there, made young so that no sweep takes them. Raises ArchiveDamaged for others under the name."""
        try:
            os.utime(path)
            self.get(name)
        except FileNotFoundError:
            return False
        except ArchiveDamaged as damage:
            if not str(damage).startswith("missing"):
                raise
            return False
        return True

    def _path(self, name: str) -> Path:
        return self.root / path_of(name)


@contextmanager
def _disk_is_the_hosts() -> Iterator[None]:
    """What a disk refuses is no fault of a permit: it waits until there is room again."""
    try:
        yield
    except OSError as error:
        raise ArchiveUnreachable from error


def _place(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.parent.name}{path.name[:6]}-{secrets.token_hex(6)}"
    try:
        _write_durably(temporary, data)
        failpoints.passing("archive.after_temporary")
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
