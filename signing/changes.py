"""Proves what one update changes: the signed widget, the filled widgets, their new parts, the permissions; no more."""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import pikepdf

from signing.base import Base
from signing.errors import ProofFailed
from signing.revisions import Update

_WIDGET_MAY_CHANGE: Final = {"/AP", "/V"}
_CATALOG_MAY_CHANGE: Final = {"/Perms", "/Extensions"}


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of the document, opened by itself."""

    document: pikepdf.Pdf
    fields: dict[str, pikepdf.Object]


def open_revision(pdf: bytes) -> Revision:
    document = pikepdf.open(io.BytesIO(pdf), suppress_warnings=True, attempt_recovery=False)
    fields: dict[str, pikepdf.Object] = {}
    for widget in document.Root.AcroForm.Fields:
        if str(widget.T) in fields:
            raise ProofFailed("proof_fields", "a name occurs twice")
        fields[str(widget.T)] = widget
    return Revision(document, fields)


def prove_changes(
    below: Revision, above: Revision, update: Update, signed: str, filled: Collection[str], *, certify: bool
) -> None:
    """Prove that `update` leads from `below` to `above` by signing one field and filling others, and by nothing else.

    Raises ProofFailed: proof_fields, proof_objects, proof_values.
    """
    if set(above.fields) != set(below.fields):
        raise ProofFailed("proof_fields", "an update adds or removes a field")
    touched = {signed, *filled}
    _prove_written(above, update, signed, touched)
    for name in touched:
        prove_same(below.fields[name], above.fields[name], _WIDGET_MAY_CHANGE, name)
        if "/V" in below.fields[name]:
            raise ProofFailed("proof_values", f"{name} was filled before")
    prove_same(below.document.Root, above.document.Root, _CATALOG_MAY_CHANGE, "catalog")
    _prove_permissions(below.document.Root, above, signed, certify=certify)


def is_plainly_changed(
    base: Base, above: Revision, update: Update, signed: str, filled: Collection[str], *, certify: bool
) -> bool:
    """Tell whether surely `prove_changes` would prove it, without a revision below: few objects changed, and all are read here.

    What an update does not write is the same; so are the fields, whose list it does not write. Raises as `prove_changes`.
    """
    touched, catalog = {signed, *filled}, above.document.Root
    _prove_written(above, update, signed, touched)
    if certify != ("/Perms" in catalog) or (certify and not _is_permission(above, signed)):
        return False
    unchanged = base.is_unchanged(catalog, _CATALOG_MAY_CHANGE)
    return unchanged and all(base.is_unchanged(above.fields[name], _WIDGET_MAY_CHANGE) for name in touched)


def _prove_written(above: Revision, update: Update, signed: str, touched: set[str]) -> None:
    if not touched <= set(above.fields):
        raise ProofFailed("proof_fields", f"no field {sorted(touched - set(above.fields))}")
    widgets = [above.fields[name] for name in touched]
    new = {widget.AP.N.objgen[0] for widget in widgets} | {above.fields[signed].V.objgen[0]}
    old = {widget.objgen[0] for widget in widgets}
    if update.objects - {above.document.Root.objgen[0]} != new | old:
        raise ProofFailed("proof_objects", "an update writes other objects than it must")
    if min(new) < update.first_new or max(old) >= update.first_new or len(new) != len(touched) + 1:
        raise ProofFailed("proof_objects", "new and changed objects are mixed up")


def covered_by(pdf: bytes, signature: pikepdf.Object, update: Update) -> bytes:
    """What a signature or time-stamp must cover: all up to the end of its update but its own /Contents.

    Raises ProofFailed proof_byte_range.
    """
    first, gap, resume, rest = (int(number) for number in signature.ByteRange)
    if first != 0 or resume + rest != update.end or not update.start < gap < resume < update.end:
        raise ProofFailed("proof_byte_range", "it does not cover the file")
    digits = bytes(signature.Contents).hex()
    if pdf[gap:resume].decode("ascii") not in {f"<{digits}>", f"<{digits.upper()}>"}:
        raise ProofFailed("proof_byte_range", "the gap is not its contents")
    return pdf[:gap] + pdf[resume : update.end]


def prove_same(before: pikepdf.Object, after: pikepdf.Object, may_change: set[str], what: str) -> None:
    for key in (set(before.keys()) | set(after.keys())) - may_change:
        if key not in before or key not in after or raw(before, key) != raw(after, key):
            raise ProofFailed("proof_objects", f"{what}: {key} changed")


def raw(dictionary: pikepdf.Object, key: str) -> object:
    """An entry as it is written: references stay references, so nothing can hide behind an equal-looking copy."""
    entry = dictionary[key]
    return entry.unparse() if isinstance(entry, pikepdf.Object) else entry


def _prove_permissions(before: pikepdf.Object, above: Revision, signed: str, *, certify: bool) -> None:
    """A certification signature becomes the document's one permission; any other leaves the permissions alone."""
    after = above.document.Root
    if not certify:
        prove_same(before, after, {*before.keys(), *after.keys()} - {"/Perms"}, "catalog")
        return
    if "/Perms" in before or not _is_permission(above, signed):
        raise ProofFailed("proof_objects", "the certification is not the document's only permission")


def _is_permission(above: Revision, signed: str) -> bool:
    permissions = above.document.Root.Perms
    return bool(list(permissions.keys()) == ["/DocMDP"] and permissions.DocMDP.objgen == above.fields[signed].V.objgen)
