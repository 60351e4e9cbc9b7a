"""What makes a forged file one: a reader shows or takes something else. Asked of pdfium, poppler and qpdf, not of our own code."""

from __future__ import annotations

import functools
import io
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2

_DPI = 40


@functools.lru_cache(maxsize=8)
def picture(pdf: bytes) -> tuple[tuple[int, int], bytes]:
    """Size and pixels of every page, as pdfium draws it with its form fields."""
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    pages = [page.render(scale=_DPI / 72, may_draw_forms=True).to_pil() for page in document]
    document.close()
    return (len(pages), pages[0].width), b"".join(page.tobytes() for page in pages)


def sight(genuine: bytes, forged: bytes) -> bool:
    """Pdfium draws something else."""
    return picture(genuine) != picture(forged)


def text(genuine: bytes, forged: bytes) -> bool:
    """Pdfium reads other words from the page: what search, copy and a screen reader get."""
    return _words(genuine) != _words(forged)


def poppler(genuine: bytes, forged: bytes) -> bool:
    """Poppler draws something else."""
    return _by_poppler(genuine) != _by_poppler(forged)


def catalog(genuine: bytes, forged: bytes) -> bool:
    """Qpdf finds other entries in the catalog."""
    return _catalog(genuine) != _catalog(forged)


def attachments(genuine: bytes, forged: bytes) -> bool:
    """Qpdf takes other attachments out of it."""
    return _attached(genuine) != _attached(forged)


def information(genuine: bytes, forged: bytes) -> bool:
    """Title, author or XMP are others."""
    return _told(genuine) != _told(forged)


def form(genuine: bytes, forged: bytes) -> bool:
    """The form, its fields or the first page's annotations say something else."""
    return _form(genuine) != _form(forged)


def tags(genuine: bytes, forged: bytes) -> bool:
    """The structure tree, which is read aloud, says something else."""
    return _tags(genuine) != _tags(forged)


def _words(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    words = "\f".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return words


@functools.lru_cache(maxsize=8)
def _by_poppler(pdf: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "izin.pdf"
        path.write_bytes(pdf)
        command = ["pdftoppm", "-r", str(_DPI), str(path), "-"]
        return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def _open(pdf: bytes) -> Any:
    return pikepdf.open(io.BytesIO(pdf), suppress_warnings=True)


def _flat(value: Any, depth: int = 3) -> Any:
    """A value down to a depth, comparable."""
    if isinstance(value, pikepdf.Stream):
        return value.read_raw_bytes()
    if depth and isinstance(value, pikepdf.Dictionary):
        return {key: _flat(inner, depth - 1) for key, inner in value.items() if key not in {"/P", "/Parent"}}
    if depth and isinstance(value, pikepdf.Array):
        return [_flat(inner, depth - 1) for inner in value]
    return str(value) if not isinstance(value, pikepdf.Dictionary | pikepdf.Array) else type(value).__name__


def _catalog(pdf: bytes) -> Any:
    with _open(pdf) as document:
        return _flat(document.Root)


def _attached(pdf: bytes) -> Any:
    with _open(pdf) as document:
        names = {name: document.attachments[name].get_file().read_bytes() for name in document.attachments}
        linked = [one.EF.F.read_bytes() for one in document.Root.get("/AF", [])]
        return names, linked


def _told(pdf: bytes) -> Any:
    with _open(pdf) as document:
        return _flat(document.docinfo), document.Root.Metadata.read_bytes()


def _form(pdf: bytes) -> Any:
    with _open(pdf) as document:
        notes = document.pages[0].obj.get("/Annots", [])
        return _flat(document.Root.AcroForm, 5), [_flat(note) for note in notes]


def _tags(pdf: bytes) -> Any:
    with _open(pdf) as document:
        return _flat(document.Root.StructTreeRoot, 12)
