"""From a page to PDF/A-3a + PDF/UA-1 bytes: the same page, photo and time always give the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typst

from service.document.errors import DoesNotFit, TypesettingFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from service.document.page import Page

STANDARDS: list[typst.PDFStandard] = ["a-3a", "ua-1"]
DENSITIES = (0, 1, 2)  # normal, compact, tight
FONTS = "_shared/fonts"
PAGE = "given/page.json"
"""Where a template finds what it has to print: a file in memory only, since it is personal data."""
PHOTOS = "photo-"
ABANDONED_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Typeset:
    """A document, its number of pages and the density that made it fit."""

    pdf: bytes
    pages: int
    density: int


class Typesetter:
    """One permit type's template, at one pinned version, ready to typeset. Safe to share between threads.

    `files` maps paths below `templates/` to their bytes; they are laid out once, in a folder named by their hash.
    """

    def __init__(self, files: Mapping[str, bytes], office: str, permit_type: str, work_dir: Path) -> None:
        self.files = files
        self._root = lay_out(files, work_dir)
        _sweep(self._root)
        self._main = f'#include "/{office}/{permit_type}/permit.typ"'.encode()
        self._office = office
        self._lock = threading.Lock()
        fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(self._root / FONTS)]
        )
        self._compiler = typst.Compiler(None, root=str(self._root), font_paths=fonts, ignore_system_fonts=True)

    def typeset(self, page: Page, *, photo: bytes | None, timestamp: datetime) -> Typeset:
        """Return the loosest setting that fits `page["max_pages"]`. Raises DoesNotFit, TypesettingFailed."""
        with self._photo_file(photo) as path:
            for density in DENSITIES:
                pdf = self._quietly(page, path, density, timestamp)
                if (pages := count_pages(pdf)) <= page["max_pages"]:
                    return Typeset(pdf, pages, density)
        raise DoesNotFit(pages=str(pages), max_pages=str(page["max_pages"]))

    def compile(
        self, page: Page, *, timestamp: datetime, photo: str = "", density: int = 0, marks: bool = False
    ) -> bytes:
        """Compile once, at one density; the compiler's own errors pass through. For typeset and for checks."""
        emblem = self._emblem(page["letterhead"]["emblem"])
        given = {"page": page, "density": density, "emblem": emblem, "photo": photo, "marks": marks}
        # A file, not sys.inputs: with other inputs the compiler forgets all that it has laid out, and takes twice as long.
        files = {"main.typ": self._main, PAGE: json.dumps(given, ensure_ascii=False).encode()}
        with self._lock:
            pdf = self._compiler.compile(  # type: ignore[type-var]  # the stubs lack the dict of files that is documented
                input=files, pdf_standards=STANDARDS, timestamp=timestamp
            )
        assert isinstance(pdf, bytes)
        return pdf

    def _quietly(self, page: Page, photo: str, density: int, timestamp: datetime) -> bytes:
        try:
            return self.compile(page, timestamp=timestamp, photo=photo, density=density)
        except typst.TypstError:
            raise TypesettingFailed from None  # its message quotes the case

    def _emblem(self, name: str) -> str:
        own = f"/{self._office}/{name}"
        return own if (self._root / own[1:]).is_file() else f"/_shared/{name}"

    @contextmanager
    def _photo_file(self, photo: bytes | None) -> Iterator[str]:
        """Lend the photo to the compiler as a file of its own name, gone afterwards: equal photos never collide."""
        if photo is None:
            yield ""
            return
        descriptor, path = tempfile.mkstemp(prefix=PHOTOS, suffix=".jpg", dir=self._root)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(photo)
            yield f"/{Path(path).name}"
        finally:
            Path(path).unlink()


def lay_out(files: Mapping[str, bytes], work_dir: Path) -> Path:
    """Write the files once into a folder named by their contents, and return it. Safe when two processes do it."""
    root = work_dir / fingerprint(files)
    if root.is_dir():
        return root
    work_dir.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="laying-", dir=work_dir))
    try:
        _write(files, fresh)
        fresh.rename(root)
    except BaseException as error:
        shutil.rmtree(fresh, ignore_errors=True)
        if not (isinstance(error, OSError) and root.is_dir()):  # another process was faster
            raise
    return root


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise ValueError(f"template file outside its folder: {name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _sweep(root: Path) -> None:
    """Remove photos that a killed process left behind: they are personal data."""
    for photo in root.glob(PHOTOS + "*"):
        if time.time() - photo.stat().st_mtime > ABANDONED_SECONDS:
            photo.unlink(missing_ok=True)


def fingerprint(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 over sorted names and contents."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def count_pages(pdf: bytes) -> int:
    """Read the page count from the page tree's root, which typst writes in the clear."""
    counts = re.findall(rb"/Type\s*/Pages\b[^>]*?/Count\s+(\d+)", pdf)
    if len(counts) != 1:
        raise TypesettingFailed("page_tree_unreadable")
    return int(counts[0])
