"""What stands around the page: metadata, permissions, validation material, versions, and files that are something else as well."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from tests.verification.attacks.effects import attachments, information, sight
from tests.verification.attacks.effects import catalog as other_catalog
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import ALL, Attack, add, attack
from tests.verification.attacks.tools import (
    RED,
    by_hand,
    catalog,
    changed,
    last_section,
    numbers,
    overpainted,
    page_of,
    pdf,
    put,
    stream,
)

META, STRUCTURE, POLYGLOTS = "metadata", "structure", "polyglots"
CATALOG: dict[str, tuple[str, dict[str, Any]]] = {
    "version": ("A later /Version, with rules of its own.", {"Version": "/9.9"}),
    "extensions": (
        "Extensions of an unknown developer.",
        {"Extensions": {"/XXXX": {"/BaseVersion": "/1.7", "/ExtensionLevel": 9}}},
    ),
    "language": ("Another language to be read aloud in.", {"Lang": "en"}),
    "viewer": (
        "The viewer is to hide its menu, and with it the signature panel.",
        {"ViewerPreferences": {"/HideToolbar": True}},
    ),
    "collection": ("A portfolio: viewers open the attachment instead of the page.", {"Collection": {"/View": "/H"}}),
    "requirements": ("Requirements that viewers don't meet.", {"Requirements": [{"/S": "/EnableJavaScripts"}]}),
    "legal": ("A legal attestation in the forger's words.", {"Legal": {"/Attestation": "Sah"}}),
    "output": ("Another output intent: other colours on paper.", {"OutputIntents": []}),
    "page_labels": ("The page is numbered otherwise.", {"PageLabels": {"/Nums": [0, {"/P": "2099"}]}}),
    "piece_info": ("Private data of some program.", {"PieceInfo": {"/X": {"/Private": 1}}}),
    "base_address": ("Another base for links.", {"URI": {"/Base": b"https://izin.example.net"}}),
    "usage_rights": ("Usage rights instead of the certification.", {"Perms": {}}),
}


def _catalog(entries: dict[str, Any]):
    return lambda run: changed(run.final, lambda update: put(catalog(update), **entries))


for short, (says, entries) in CATALOG.items():
    make = _catalog(entries)
    add(Attack(f"catalog_{short}", STRUCTURE, says, ALL, other_catalog, make))
    add(
        Attack(
            f"catalog_{short}_stamped",
            STRUCTURE,
            says,
            ALL,
            other_catalog,
            lambda run, make=make: run.stamped(make(run)),
        )
    )


@attack(STRUCTURE, other_catalog, stamped=True)
def permissions_dropped(run: Run) -> bytes:
    """The catalog loses /Perms: some viewers then forget that the document is certified."""

    def change(update):
        del catalog(update)["/Perms"]

    return changed(run.final, change)


@attack(STRUCTURE, sight, stamped=True)
def permissions_dropped_and_page_changed(run: Run) -> bytes:
    """The same, and the page changes."""

    def change(update):
        del catalog(update)["/Perms"]
        page = page_of(update)
        put(page, Contents=[page.raw_get("/Contents"), stream(update, RED)])

    return changed(run.final, change)


@attack(STRUCTURE, other_catalog)
def validation_material_of_the_forger(run: Run) -> bytes:
    """A DSS with a certificate of the forger's, and nothing on top."""
    return _dss(run.final, run, {})


@attack(STRUCTURE, other_catalog, stamped=True)
def page_in_the_validation_material(run: Run) -> bytes:
    """A DSS in which a page content hides."""
    return _dss(run.final, run, {"/Rahasia": {"/S": "/JavaScript", "/JS": "1"}})


@attack(STRUCTURE, sight, stamped=True)
def validation_material_and_page(run: Run) -> bytes:
    """A DSS, which is permitted, and a page content, which is not, in one update."""

    def change(update):
        page = page_of(update)
        put(page, Contents=[page.raw_get("/Contents"), stream(update, RED)])

    return changed(_dss(run.final, run, {}), change)


@attack(STRUCTURE)
def validation_material_behind_the_stamp(run: Run) -> bytes:
    """A DSS of the forger's behind a trusted time-stamp."""
    return _dss(run.archived, run, {})


def _dss(base: bytes, run: Run, more: dict[str, Any]) -> bytes:
    def change(update):
        certificate = stream(update, run.impostor.key("kepala").certificate_der)
        put(catalog(update), DSS=update.add_object(pdf({"/Type": "/DSS", "/Certs": [certificate], **more})))

    return changed(base, change)


@attack(STRUCTURE)
def says_that_it_is_linearized(run: Run) -> bytes:
    """A linearization dictionary in an update."""
    text = b"<< /Linearized 1 /L %d /H [0 0] /O 4 /E 99 /N 1 /T %d >>" % (len(run.final), last_section(run.final))
    return by_hand(run.final, {9000: text})


@attack(STRUCTURE, sight)
def linearized_in_front(run: Run) -> bytes:
    """The first object says that the first page's section is the forger's: readers that load page by page take it."""
    _, content = numbers(run.final)
    return by_hand(run.final, {9000: b"<< /Linearized 1 /L 9 /O 9 >>", content: overpainted(run.final)})


@attack(STRUCTURE)
def header_of_another_version(run: Run) -> bytes:
    """The header says 2.9."""
    return b"%PDF-2.9" + run.final[8:]


@attack(STRUCTURE)
def second_header(run: Run) -> bytes:
    """A second header behind the end."""
    return run.final + b"%PDF-1.7\n%%EOF\n"


@attack(STRUCTURE)
def line_ends_of_another_system(run: Run) -> bytes:
    """Every line break of the last update becomes a carriage return."""
    cut = last_section(run.final)
    return run.final[:cut] + run.final[cut:].replace(b"\n", b"\r")


@attack(META, information, stamped=True)
def title_exchanged(run: Run) -> bytes:
    """Another title in /Info."""

    def change(update):
        info = update.trailer["/Info"]
        put(info, Title="Izin tanpa batas")
        update.update_container(info)

    return changed(run.final, change)


@attack(META, information, stamped=True)
def xmp_exchanged(run: Run) -> bytes:
    """Other XMP metadata."""

    def change(update):
        put(catalog(update), Metadata=stream(update, b"<x:xmpmeta/>", Type="/Metadata", Subtype="/XML"))

    return changed(run.final, change)


@attack(META, attachments, stamped=True)
def attachment_taken_away(run: Run) -> bytes:
    """The data of the permit are gone."""

    def change(update):
        root = catalog(update)
        del root["/AF"]
        del root["/Names"]

    return changed(run.final, change)


@attack(META)
def another_identity(run: Run) -> bytes:
    """The update's trailer names another document by its /ID."""
    return by_hand(run.final, {9000: b"null"}, extra=b"/ID [<00> <00>] ")


@attack(META, stamped=True)
def private_data_of_the_page(run: Run) -> bytes:
    """/PieceInfo and a thumbnail of another page."""

    def change(update):
        entries = {"Type": "/XObject", "Subtype": "/Image", "Width": 1, "Height": 1, "BitsPerComponent": 8}
        thumb = stream(update, b"\0", ColorSpace="/DeviceGray", **entries)
        put(page_of(update), Thumb=thumb, PieceInfo={"/X": {"/Private": 1}})

    return changed(run.final, change)


@attack(POLYGLOTS)
def zip_behind(run: Run) -> bytes:
    """A ZIP archive behind the permit: another program opens something else."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("izin.txt", "Berlaku selamanya")
    return run.final + out.getvalue()


@attack(POLYGLOTS)
def html_in_front(run: Run) -> bytes:
    """HTML in front of the header."""
    return b"<html><body>Berlaku selamanya</body></html><!--\n" + run.final


@attack(POLYGLOTS)
def program_in_front(run: Run) -> bytes:
    """The first bytes are those of a Windows program."""
    return b"MZ" + bytes(60) + run.final


@attack(POLYGLOTS)
def picture_in_front(run: Run) -> bytes:
    """The first bytes are those of a JPEG picture."""
    return bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + run.final


@attack(POLYGLOTS)
def header_far_behind(run: Run) -> bytes:
    """The header begins at the last byte at which readers look for one."""
    return b" " * 1019 + run.final


@attack(POLYGLOTS)
def header_too_far_behind(run: Run) -> bytes:
    """The header begins behind it: some readers still find it."""
    return b" " * 1100 + run.final
