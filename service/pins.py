"""What a case is pinned to: profile, template, shared parts, fonts and typesetter version, stored by hash.

A later edit of an office's files never changes a case that was accepted before it (§4.1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from threading import Lock

from service.archive import Archive
from service.canonical import dumps
from service.document.page import Labels, labels_of
from service.document.typeset import Typesetter
from service.sop import load
from service.sop.model import Office, PermitType

TYPESETTER = f"typst {version('typst')}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """One pinned office and type, ready to typeset."""

    pin: str
    office: Office
    permit_type: PermitType
    files: dict[str, bytes]
    labels: Labels
    typesetter: Typesetter


@dataclass(slots=True)
class Pins:
    """Stores the files of today and opens those of any day."""

    archive: Archive
    root: Path
    work: Path
    _today: dict[tuple[str, str], str] = field(default_factory=dict)
    _open: dict[str, Bundle] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def pin(self, office: str, permit_type: str) -> str:
        """Store the files as they are now (read once per process) and return the manifest's SHA-256."""
        key = (office, permit_type)
        with self._lock:
            if key not in self._today:
                files = load.bundle_files(self.root, office, permit_type)
                listed = {path: self.archive.put(data) for path, data in sorted(files.items())}
                manifest = {"office": office, "type": permit_type, "typesetter": TYPESETTER, "files": listed}
                self._today[key] = self.archive.put(dumps(manifest).encode())
            return self._today[key]

    def open(self, pin: str) -> Bundle:
        """Return the bundle of a pin.

        Raises ArchiveDamaged when a file is missing or changed.
        """
        with self._lock:
            if pin not in self._open:
                self._open[pin] = self._read(pin)
            return self._open[pin]

    def _read(self, pin: str) -> Bundle:
        manifest = json.loads(self.archive.get(pin))
        files = {path: self.archive.get(name) for path, name in manifest["files"].items()}
        office, permit_type = load.load_bundle(files, manifest["office"], manifest["type"])
        typesetter = Typesetter(files, manifest["office"], manifest["type"], self.work)
        return Bundle(pin, office, permit_type, files, labels_of(files), typesetter)
