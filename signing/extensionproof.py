"""Proves that a later version is an earlier one plus validation data and document time-stamps, and nothing else.

Shares nothing with the composer (`longterm`). The order is the order of the argument: the file begins with the version
before; each update adds only what it may; each time-stamp is of this file and from a trusted authority; and what was
added carries the level.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pikepdf
from asn1crypto import parser
from pikepdf import Name

from signing.changes import Revision, covered_by, open_revision, prove_same
from signing.coverage import prove_level
from signing.dssproof import prove_store
from signing.errors import ProofFailed, SigningError, translated
from signing.model import Level
from signing.revisions import Update, end_of_update, read_update
from signing.revocation import Evidence
from signing.tokenproof import Token, prove_token

_OUTSIDE: Final = -9999
_WIDGET_HAS: Final = {"/Type", "/Subtype", "/FT", "/T", "/TU", "/F", "/Rect", "/P", "/V"}
_STAMP_HAS: Final = {"/Type", "/Filter", "/SubFilter", "/Contents", "/ByteRange"}
_ODD: Final = re.compile(rb"[^\n\x20-\x7e]")
"""Bytes that our composer never writes outside of streams; accepting them would leave bits free that no signature covers."""
_IDENTIFIER: Final = re.compile(rb"/ID \[ <([0-9a-f]+)> <[0-9a-f]{32}> \]\n")


@dataclass(frozen=True, slots=True)
class ExpectedExtension:
    """What was meant. `stamps`: the fields of the new document time-stamps, in order (None: whichever).

    With `evidence`, nothing else may be added to the DSS. With `anchors_der`, time-stamps and signers lead to one of them.
    """

    stamps: tuple[str, ...] | None = ()
    level: Level | None = None
    evidence: Evidence | None = field(default=None, repr=False)
    anchors_der: tuple[bytes, ...] = field(default=(), repr=False)
    others_der: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ExtensionProof:
    """A proven version: the level that the whole file carries, and when the new time-stamps were made."""

    level: Level
    stamped_at: tuple[datetime, ...]


def prove_extension(pdf: bytes, released: bytes, expected: ExpectedExtension) -> ExtensionProof:
    """Prove that `pdf` extends `released` exactly as meant; raise ProofFailed otherwise."""
    if not pdf.startswith(released):
        raise ProofFailed("proof_prefix")
    if len(pdf) == len(released):
        raise ProofFailed("proof_revisions", "nothing was added")
    with translated(ProofFailed, "proof_unreadable"):
        below, end, names, stamps = open_revision(released), len(released), [], []
        while end < len(pdf):
            start, end = end, end_of_update(pdf, end)
            update = read_update(pdf, start, end, int(below.document.trailer.Size))
            above = open_revision(pdf[:end])
            stamp = _prove_update(pdf, below, above, update, expected)
            if stamp:
                names.append(stamp[0])
                stamps.append(stamp[1])
            below = above
        if expected.stamps is not None and tuple(names) != expected.stamps:
            raise ProofFailed("proof_fields", f"time-stamps {names}")
        level = prove_level(pdf, expected.anchors_der, expected.others_der)
        if expected.level and level != expected.level:
            raise ProofFailed("proof_level", f"{level}, expected {expected.level}")
        return ExtensionProof(level, tuple(stamp.at for stamp in stamps))


def _prove_update(
    pdf: bytes, below: Revision, above: Revision, update: Update, expected: ExpectedExtension
) -> tuple[str, Token] | None:
    """One update: validation data, or a time-stamp, or both. Return the time-stamp with its field."""
    if above.document.get_warnings():
        raise ProofFailed("proof_unreadable", "the PDF library had to guess")
    _prove_trailer(below.document, above.document)
    may_write = prove_store(below, above, update, expected.evidence)
    added = [name for name in above.fields if name not in below.fields]
    if len(added) > 1 or set(below.fields) - set(above.fields):
        raise ProofFailed("proof_fields", "an update adds or removes other fields than one time-stamp's")
    if added:
        may_write |= _prove_field(below, above, update, added[0])
    if update.objects != may_write:
        raise ProofFailed("proof_objects", "an update writes other objects than it must")
    for name, widget in below.fields.items():
        prove_same(widget, above.fields[name], set(), name)
    if not added:
        _prove_plain(pdf, below, update)
        return None
    return added[0], _prove_stamp(pdf, above.fields[added[0]].V, update, expected)


def _prove_trailer(below: pikepdf.Pdf, above: pikepdf.Pdf) -> None:
    """The trailer leads where it led."""
    for key in ("/Root", "/Info", "/Encrypt"):
        if (key in below.trailer) != (key in above.trailer):
            raise ProofFailed("proof_objects", f"trailer: {key}")
        if key in below.trailer and below.trailer[key].objgen != above.trailer[key].objgen:
            raise ProofFailed("proof_objects", f"trailer: {key}")


def _prove_field(below: Revision, above: Revision, update: Update, name: str) -> set[int]:
    """The new field: one widget outside the page, at the end of its page's annotations and of the form's fields."""
    widget = above.fields[name]
    place = [float(number) for number in widget.Rect]
    if set(widget.keys()) != _WIDGET_HAS or Name.Sig != widget.FT or widget.Subtype != Name.Widget:
        raise ProofFailed("proof_fields", f"{name}: another kind of field")
    if place != [_OUTSIDE] * 4 or int(widget.F) != 132:  # noqa: PLR2004  # print, locked: ISO 32000-2, 12.5.3
        raise ProofFailed("proof_fields", f"{name} is on the page or hidden")
    if min(widget.objgen[0], widget.V.objgen[0]) < update.first_new:
        raise ProofFailed("proof_objects", f"{name} takes the place of another object")
    page = next((page for page in above.document.pages if page.objgen == widget.P.objgen), None)
    if page is None:
        raise ProofFailed("proof_fields", f"{name} is on no page")
    before = below.document.get_object(*page.obj.objgen)
    written = {widget.objgen[0], widget.V.objgen[0]}
    written |= _prove_appended(before, page.obj, "/Annots", widget)
    form = above.document.Root.AcroForm
    return written | _prove_appended(below.document.Root.AcroForm, form, "/Fields", widget)


def _prove_appended(before: pikepdf.Object, after: pikepdf.Object, key: str, widget: pikepdf.Object) -> set[int]:
    """The array has one more entry at its end, and its dictionary is otherwise the same. Return who was written for it."""
    old, new = before.get(key, pikepdf.Array()), after[key]
    if [entry.objgen for entry in new] != [*(entry.objgen for entry in old), widget.objgen]:
        raise ProofFailed("proof_objects", f"{key} changed")
    prove_same(before, after, {key}, "page or form")
    if new.is_indirect:
        return {new.objgen[0]}
    if not after.is_indirect:
        raise ProofFailed("proof_objects", f"{key} has no place of its own")
    return {after.objgen[0]}


def _prove_stamp(pdf: bytes, value: pikepdf.Object, update: Update, expected: ExpectedExtension) -> Token:
    if set(value.keys()) != _STAMP_HAS or value.Type != Name("/DocTimeStamp"):
        raise ProofFailed("proof_timestamp", "not a document time-stamp")
    if value.SubFilter != Name("/ETSI.RFC3161"):
        raise ProofFailed("proof_timestamp", "not a document time-stamp")
    covered, content = covered_by(pdf, value, update), bytes(value.Contents)
    if content[parser.peek(content) :].strip(b"\0"):
        raise ProofFailed("proof_timestamp", "bytes behind the token")
    try:
        token = prove_token(content, expected.anchors_der, expected.others_der)
    except SigningError as refused:
        raise ProofFailed("proof_timestamp", refused.detail) from refused
    if hashlib.new(token.digest, covered).digest() != token.imprint:
        raise ProofFailed("proof_timestamp", "it is of another file")
    return token


def _prove_plain(pdf: bytes, below: Revision, update: Update) -> None:
    """An update that no time-stamp covers has one form, also where a PDF reader would not mind another."""
    rest, texts = pdf[update.start : update.end], []
    while rest:
        text, _, stream = rest.partition(b"stream\n")
        rest = stream.partition(b"\nendstream")[2]
        texts.append(text)
    plain = b"".join(texts)
    named = _IDENTIFIER.findall(plain)
    if _ODD.search(plain) or named != [bytes(below.document.trailer.ID[0]).hex().encode()]:
        raise ProofFailed("proof_objects", "another form than ours")
