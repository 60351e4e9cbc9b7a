"""Turns the template's marker links into tagged form fields, before any signature.

A template marks a place with a link to `x-field:<name>` around an empty box. In PDF/UA-1 mode the typesetter gives that
link a rectangle, a structure element and a place in the reading order: everything that a tagged widget needs.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from signing.appearance import extent
from signing.errors import PreparationFailed, translated
from signing.fieldfont import PRINTABLE_ASCII, RESOURCE, field_font
from signing.model import ARCHIVE_FIELDS, FieldSpec, Lock
from signing.places import keep_places

MARKER: Final = "x-field:"
_READ_ONLY: Final = 1
_PRINT, _PRINT_AND_LOCKED = 4, 132
_SIGNATURES_EXIST_APPEND_ONLY: Final = 3
_KINDS: Final = {"text": Name.Tx, "signature": Name.Sig}
_ACTIONS: Final = {"all": Name.All, "exclude": Name.Exclude, "include": Name.Include}


@dataclass(frozen=True, slots=True)
class _Marker:
    page: pikepdf.Object
    link: pikepdf.Object
    element: pikepdf.Object


def prepare_fields(
    pdf: bytes,
    fields: Sequence[FieldSpec],
    *,
    font: Path | bytes,
    alphabet: str = PRINTABLE_ASCII,
    size: float = 11,
) -> bytes:
    """Give a typeset document its fields: the same input gives the same bytes.

    `font` is a TrueType or OpenType font for the text fields, `alphabet` the characters that they can show, `size` their type size
    in points. The document's markers must be exactly the names in `fields`, each once, each around an empty box. A `place` becomes
    no field: a service makes its own there (`signing.places`).
    Raises PreparationFailed: pdf_unreadable, untagged, field_spec, markers_differ, marker_not_empty, font_unusable.
    Sources: ISO 14289-1, 7.18 (Form, TU, Tabs); ISO 19005-3, 6.3 (appearance, flags); ISO 32000-2, 12.7.
    """
    _check(fields)
    with translated(PreparationFailed, "pdf_unreadable"), pikepdf.open(io.BytesIO(pdf)) as document:
        markers = _markers(document, fields)
        form = document.make_indirect(Dictionary(Fields=[], SigFlags=_SIGNATURES_EXIST_APPEND_ONLY))
        if any(field.kind == "text" for field in fields):
            form.DR = Dictionary(Font=Dictionary({RESOURCE: field_font(font, alphabet).embed(document)}))
            form.DA = String(f"{RESOURCE} {size:g} Tf 0 g")
        kept = [(one.name, *_vanished(document, markers[one.name])) for one in fields if one.kind == "place"]
        if kept:
            keep_places(document, kept)
        for field in fields:
            if field.kind != "place":
                _become_widget(document, form, field, markers[field.name])
        document.Root.AcroForm = form
        out = io.BytesIO()
        document.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            deterministic_id=True,
            fix_metadata_version=False,  # the typesetter's metadata are right as they stand
        )
        return out.getvalue()


def _check(fields: Sequence[FieldSpec]) -> None:
    names = [field.name for field in fields]
    if len(set(names)) != len(names):
        raise PreparationFailed("field_spec", "a name occurs twice")
    if set(names) & set(ARCHIVE_FIELDS):
        raise PreparationFailed("field_spec", "an archive's name")
    for field in fields:
        if field.lock and field.kind != "signature":
            raise PreparationFailed("field_spec", f"{field.name}: only a signature field locks")
        strangers = set(field.lock.fields) - {*names, *ARCHIVE_FIELDS} if field.lock else set()
        if strangers:
            raise PreparationFailed("field_spec", f"{field.name} locks unknown {sorted(strangers)}")


def _markers(document: pikepdf.Pdf, fields: Sequence[FieldSpec]) -> dict[str, _Marker]:
    """The marker links by name; exactly the wanted ones, so that no content can smuggle in another."""
    root = document.Root
    if "/AcroForm" in root:
        raise PreparationFailed("markers_differ", "the document has a form already")
    if "/StructTreeRoot" not in root:
        raise PreparationFailed("untagged")
    parents = pikepdf.NumberTree(root.StructTreeRoot.ParentTree)
    found: dict[str, _Marker] = {}
    for page in document.pages:
        for link in page.obj.get("/Annots", []):
            uri = str(link.A.get("/URI", "")) if "/A" in link else ""
            if uri.startswith(MARKER):
                name = uri.removeprefix(MARKER)
                if name in found:
                    raise PreparationFailed("markers_differ", f"{name!r} twice")
                found[name] = _Marker(page.obj, link, _element(name, link, parents))
    wanted = {field.name for field in fields}
    if set(found) != wanted:
        raise PreparationFailed("markers_differ", f"found {sorted(found)}, wanted {sorted(wanted)}")
    return found


def _element(name: str, link: pikepdf.Object, parents: pikepdf.NumberTree) -> pikepdf.Object:
    """The link's structure element, whose only kid must be the link itself: text inside would lose its parent."""
    element = parents[int(link.StructParent)]
    kids = list(element.K) if isinstance(element.K, Array) else [element.K]
    lone = len(kids) == 1 and isinstance(kids[0], Dictionary) and kids[0].get("/Type") == Name.OBJR
    if Name.Link != element.S or not lone:
        raise PreparationFailed("marker_not_empty", name)
    return element


def _become_widget(document: pikepdf.Pdf, form: pikepdf.Object, field: FieldSpec, marker: _Marker) -> None:
    page, widget, element = marker.page, marker.link, marker.element
    page.Tabs = Name.S
    element.S = Name.Form
    # the OBJR itself, not an array of it: pyHanko's difference analysis follows only a path that ends in /K/Obj
    element.K = Dictionary(Type=Name.OBJR, Obj=widget, Pg=page)
    element.Pg = page
    element.Alt = String(field.label)
    for key in ("/A", "/Border", "/Contents"):
        if key in widget:
            del widget[key]
    widget.Type, widget.Subtype, widget.FT = Name.Annot, Name.Widget, _KINDS[field.kind]
    widget.T, widget.TU, widget.P = String(field.name), String(field.label), page
    widget.F = _PRINT if field.kind == "text" else _PRINT_AND_LOCKED
    widget.AP = Dictionary(N=_empty_appearance(document, widget))
    if field.kind == "text":
        widget.Ff, widget.DA = _READ_ONLY, form.DA
    if field.lock:
        widget.Lock = document.make_indirect(_lock_dictionary(field.lock))
    form.Fields.append(widget)


def _vanished(document: pikepdf.Pdf, marker: _Marker) -> tuple[int, list[float]]:
    """Take a marker away with its tag, so that nothing is left to click or to read; return its page, from 1, and rectangle."""
    page, link, element = marker.page, marker.link, marker.element
    page.Annots = Array([one for one in page.Annots if one.objgen != link.objgen])
    del pikepdf.NumberTree(document.Root.StructTreeRoot.ParentTree)[int(link.StructParent)]
    parent = element.P
    siblings = list(parent.K) if isinstance(parent.K, Array) else [parent.K]
    parent.K = Array([kid for kid in siblings if not _is(kid, element)])
    number = next(at for at, one in enumerate(document.pages, 1) if one.obj.objgen == page.objgen)
    return number, [float(edge) for edge in link.Rect]


def _is(kid: pikepdf.Object | int, element: pikepdf.Object) -> bool:
    return isinstance(kid, Dictionary) and kid.objgen == element.objgen


def _empty_appearance(document: pikepdf.Pdf, widget: pikepdf.Object) -> pikepdf.Object:
    box = [0, 0, *extent([float(edge) for edge in widget.Rect])]
    return document.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, BBox=box, Resources=Dictionary())


def _lock_dictionary(lock: Lock) -> pikepdf.Dictionary:
    entry = Dictionary(Type=Name.SigFieldLock, Action=_ACTIONS[lock.action], P=lock.permission)
    if lock.fields:
        entry.Fields = Array([String(name) for name in lock.fields])
    return entry
