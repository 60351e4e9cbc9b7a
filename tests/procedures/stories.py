"""How a permit's story is read back: from the acts, the journal, the print log and the archive. And small trees of offices to change."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path

import pikepdf
import pypdfium2
import zxingcpp
from sqlalchemy import select

from service.settings import PROJECT
from service.sop import load_offices
from service.store.tables import acts, events, mandates, prints
from service.wiring import Teken
from tests.support.office import NOW, SetClock, Settings, client_of, open_teken, play, post, row

SYSTEM = "-"


def told(teken: Teken, permit: str) -> list[tuple[str, str]]:
    """What the journal says of a permit: (type, state), in order."""
    with teken.db.read() as connection:
        rows = connection.execute(select(events).where(events.c.permit == permit).order_by(events.c.seq)).all()
    return [(one.type, json.loads(one.data)["state"]) for one in rows]


def told_data(teken: Teken, permit: str, type_: str) -> list[dict]:
    with teken.db.read() as connection:
        query = select(events.c.data).where(events.c.permit == permit, events.c.type == type_).order_by(events.c.seq)
        return [json.loads(data) for data in connection.execute(query).scalars()]


def done(teken: Teken, permit: str) -> list[tuple[int | None, str, str | None, str]]:
    """Every act that stands: (SOP row, verb, role, who), in the order in which it was done."""
    with teken.db.read() as connection:
        query = select(acts).where(acts.c.permit == permit, acts.c.voided_at.is_(None)).order_by(acts.c.id)
        rows = connection.execute(query).all()
    return [(one.row, one.verb, one.role, (one.official or SYSTEM).rpartition("/")[2]) for one in rows]


def mandated(teken: Teken, permit: str) -> list[tuple[str, str]]:
    """For each act of a person: the role that the SOP's row asks for, and the role of the mandate under which he acted."""
    with teken.db.read() as connection:
        query = select(acts.c.role, mandates.c.role, mandates.c.official, acts.c.official).join(
            mandates, mandates.c.id == acts.c.mandate
        )
        rows = connection.execute(query.where(acts.c.permit == permit)).all()
    assert all(holder == who for *_, holder, who in rows)
    return [(asked, held) for asked, held, *_ in rows]


def printed(teken: Teken, permit: str) -> list[tuple[int, str, str]]:
    with teken.db.read() as connection:
        query = select(prints).where(prints.c.permit == permit).order_by(prints.c.no)
        return [(one.no, one.kind, one.sha) for one in connection.execute(query)]


def text(pdf: bytes) -> str:
    """All words of the paper with single spaces, then the values of its form fields."""
    document = pypdfium2.PdfDocument(pdf)
    words = " ".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return " ".join([*words.split(), *filled(pdf).values()])


def filled(pdf: bytes) -> dict[str, str]:
    """The values of the text fields."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        fields = document.Root.AcroForm.Fields if "/AcroForm" in document.Root else []
        return {str(one.T): str(one.V) for one in fields if one.get("/FT") == "/Tx" and "/V" in one}


def seen_codes(pdf: bytes, dpi: int = 150) -> list[str]:
    """Every barcode of any kind that a scanner finds on any page."""
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    images = [page.render(scale=dpi / 72, may_draw_forms=True).to_pil() for page in document]
    document.close()
    return [text for image in images for text in _scanned(image)]


def seen_by_poppler(pdf: bytes, folder: Path, dpi: int = 150) -> list[str]:
    """The same with another renderer: poppler."""
    from PIL import Image

    (folder / "izin.pdf").write_bytes(pdf)
    command = ["pdftoppm", "-r", str(dpi), "-png", "-singlefile", "izin.pdf", "izin"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    with Image.open(folder / "izin.png") as image:
        return _scanned(image)


def _scanned(image) -> list[str]:
    """What a scanner finds, but for bars of other kinds that chance draws within a QR: one dense QR in two hundred has some."""
    found = zxingcpp.read_barcodes(image)
    symbols = [_around(one) for one in found if one.format == zxingcpp.BarcodeFormat.QRCode]
    return [
        one.text
        for one in found
        if one.format == zxingcpp.BarcodeFormat.QRCode or not any(_lies_in(_around(one), symbol) for symbol in symbols)
    ]


def _around(found) -> tuple[float, float, float, float]:
    at = found.position
    corners = (at.top_left, at.top_right, at.bottom_left, at.bottom_right)
    across, down = [one.x for one in corners], [one.y for one in corners]
    return min(across), min(down), max(across), max(down)


def _lies_in(inner, outer) -> bool:
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def archived_papers(teken: Teken) -> dict[str, bytes]:
    """Every PDF that lies in the archive, by its hash, whatever the database says of it."""
    root = Path(teken.archive.root)
    files = {path.parent.name + path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return {sha: data for sha, data in files.items() if data.startswith(b"%PDF")}


def tree_of(folder: Path, *offices: str) -> Path:
    """Copy the shared parts and some offices of the project, to be changed with `edit`."""
    root = folder / "templates"
    for name in ("_shared", *offices):
        shutil.copytree(PROJECT / "templates" / name, root / name)
    return root


def edit(path: Path, old: str, new: str) -> None:
    """Change exactly one place of a data file."""
    words = path.read_text(encoding="utf-8")
    assert words.count(old) == 1, (path, old, words.count(old))
    path.write_text(words.replace(old, new), encoding="utf-8")


def open_tree(home: Path, templates: Path, keys: Path, clock=None, **settings) -> Teken:
    """Open Teken on other offices than the project's own."""
    given = Settings(home=home, keys=keys, templates=templates, retry_seconds=0, **settings)
    return open_teken(given, clock=clock or SetClock(NOW), signing=True, offices=load_offices(templates))


def issued(teken: Teken, client, body: dict) -> str:
    """Post a case and let everybody act until its procedure's end."""
    permit = post(teken, client, body).body["id"]
    play(teken, permit)
    assert row(teken, permit).state == "in_force", (row(teken, permit).state, row(teken, permit).fault)
    return permit


__all__ = [
    "SYSTEM",
    "archived_papers",
    "client_of",
    "done",
    "edit",
    "filled",
    "issued",
    "mandated",
    "open_tree",
    "printed",
    "seen_by_poppler",
    "seen_codes",
    "text",
    "told",
    "told_data",
    "tree_of",
]
