"""Proves our own output, by reading it back with code that shares nothing with the composer.

The order of `prove` is the order of the argument: the file is the previewed bytes plus exactly the updates that we meant,
each update changes only what a signature may change, each signature holds, and the page shows the right values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import pikepdf
from pikepdf import Name

from signing.appearance import qr_modules
from signing.backends import Backend
from signing.base import read_base
from signing.changes import Revision, covered_by, is_plainly_changed, open_revision, prove_changes
from signing.cmsproof import prove_cms
from signing.drawing import drawn_modules, drawn_value, mask_of, page_text, plain, prove_paths_only
from signing.errors import ProofFailed, translated
from signing.fieldfont import RESOURCE
from signing.model import Level, Permission
from signing.revisions import Update, end_of_update, read_update
from signing.shown import is_shown

_SIGNATURE_HAS: Final = {
    "/Type",
    "/Filter",
    "/SubFilter",
    "/Contents",
    "/ByteRange",
    "/M",
    "/Location",
    "/Reason",
    "/Reference",
}


@dataclass(frozen=True, slots=True)
class ExpectedSignature:
    """Who must have signed, where: the SHA-256 of the exact certificate, in lower-case hex; a certification permits `permission`.

    With `chain_sha256` the further embedded certificates must be exactly those; without, they must only have issued one
    another, which leaves the topmost one's own bytes unproven (no signature in the file covers them).
    """

    field: str
    certificate_sha256: str
    certify: bool = False
    chain_sha256: frozenset[str] | None = None
    permission: Permission = 2

    @classmethod
    def by(cls, key: Backend, field: str, *, certify: bool = False, permission: Permission = 2) -> ExpectedSignature:
        """What `key` must have left in `field`."""
        chain = frozenset(hashlib.sha256(der).hexdigest() for der in key.chain_der)
        return cls(field, key.certificate_sha256, certify, chain, permission)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a signed file must be. `signatures` in order; `filled` are filled in the first one's update, `values` in the last one's.

    `visible` are texts that the pages must show, `qr_url` the QR code drawn in the last signature (None = none),
    `level` the level of the last signature, `still_empty` the fields that a later update is to fill,
    `already` those that are signed or filled in the preview.
    """

    preview: bytes = field(repr=False)
    signatures: tuple[ExpectedSignature, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    filled: Mapping[str, str] = field(default_factory=dict)
    visible: tuple[str, ...] = ()
    qr_url: str | None = None
    level: Level | None = None
    still_empty: tuple[str, ...] = ()
    already: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """A proven file: how many pages, and the level of each signature in order."""

    pages: int
    levels: tuple[Level, ...]


def prove(pdf: bytes, expected: Expectation) -> Proof:
    """Prove that `pdf` is exactly what was meant; raise ProofFailed otherwise, never return a doubtful answer."""
    if not expected.signatures:
        raise ProofFailed("proof_revisions", "no signature expected")
    if not pdf.startswith(expected.preview):
        raise ProofFailed("proof_prefix")
    with translated(ProofFailed, "proof_unreadable"):
        below, levels, end = _Below(expected.preview), [], len(expected.preview)
        for number, signature in enumerate(expected.signatures, 1):
            last = number == len(expected.signatures)
            start, end = end, len(pdf) if last else end_of_update(pdf, end)
            update = read_update(pdf, start, end, below.size)
            above = open_revision(pdf[:end])
            values = {**(expected.filled if number == 1 else {}), **(expected.values if last else {})}
            before = below.prove_changes(above, update, signature, values)
            levels.append(_prove_signature(pdf, above.fields[signature.field].V, update, signature))
            _prove_locks(before.fields[signature.field], above, signature)
            if above.document.get_warnings():
                raise ProofFailed("proof_unreadable", "the PDF library had to guess")
            below = _Below(pdf[:end], above)
        if expected.level and levels[-1] != expected.level:
            raise ProofFailed("proof_level", f"{levels[-1]}, expected {expected.level}")
        _prove_fields(above, expected)
        _prove_appearances(above, expected)
        pages = _prove_visible(pdf, above, expected)
        return Proof(pages, tuple(levels))


class _Below:
    """The state before an update; a prepared document is opened only where its bytes alone don't tell enough."""

    def __init__(self, pdf: bytes, opened: Revision | None = None) -> None:
        self._pdf, self._opened = pdf, opened
        self._base = None if opened else read_base(pdf)

    @property
    def size(self) -> int:
        """The /Size, from which on numbers are new."""
        return self._base.size if self._base else int(self._revision().document.trailer.Size)

    def prove_changes(
        self, above: Revision, update: Update, signature: ExpectedSignature, filled: Collection[str]
    ) -> Revision:
        """Prove what led from here to `above`; return a state in which the field's lock is as it was here."""
        field, certify = signature.field, signature.certify
        if self._base and is_plainly_changed(self._base, above, update, field, filled, certify=certify):
            return above
        prove_changes(self._revision(), above, update, field, filled, certify=certify)
        return self._revision()

    def _revision(self) -> Revision:
        self._opened = self._opened or open_revision(self._pdf)
        return self._opened


def _prove_signature(pdf: bytes, signature: pikepdf.Object, update: Update, expected: ExpectedSignature) -> Level:
    if set(signature.keys()) - _SIGNATURE_HAS or signature.SubFilter != Name("/ETSI.CAdES.detached"):
        raise ProofFailed("proof_signature", "not a PAdES signature dictionary")
    covered = covered_by(pdf, signature, update)
    return prove_cms(bytes(signature.Contents), covered, expected.certificate_sha256, expected.chain_sha256)


def _prove_locks(before: pikepdf.Object, above: Revision, expected: ExpectedSignature) -> None:
    """What the prepared field wanted locked is what the signature locks, and a certification permits what it must.

    That is what the lock of the field permits, if it has one: papers of the first release had one where none is made today.
    """
    signature = above.fields[expected.field].V
    transforms = {str(entry.TransformMethod): entry.TransformParams for entry in signature.get("/Reference", [])}
    wanted = ({"/DocMDP"} if expected.certify else set()) | ({"/FieldMDP"} if "/Lock" in before else set())
    if set(transforms) != wanted or len(signature.get("/Reference", [])) != len(wanted):
        raise ProofFailed("proof_fields", f"{expected.field}: locks")
    permission = before.Lock.get("/P", expected.permission) if "/Lock" in before else expected.permission
    if expected.certify and transforms["/DocMDP"].get("/P") != permission:
        raise ProofFailed("proof_fields", f"{expected.field}: permission")
    if "/FieldMDP" not in transforms:
        return
    for key in ("/Action", "/Fields", "/P"):
        if transforms["/FieldMDP"].get(key) != before.Lock.get(key):
            raise ProofFailed("proof_fields", f"{expected.field}: lock {key}")


def _prove_fields(final: Revision, expected: Expectation) -> None:
    """Exactly the expected fields; each signed, filled, or named as still empty."""
    signed = {signature.field for signature in expected.signatures}
    full = signed | set(expected.values) | set(expected.filled)
    before, later = set(expected.already), set(expected.still_empty)
    if set(final.fields) != full | before | later or full & later or before & (full | later):
        raise ProofFailed("proof_fields", f"found {sorted(final.fields)}")
    for name, widget in final.fields.items():
        kind = Name.Sig if name in signed else Name.Tx
        if name in full and (kind != widget.FT or "/V" not in widget):
            raise ProofFailed("proof_fields", f"{name} is empty or of another kind")
        if name in before and "/V" not in widget:
            raise ProofFailed("proof_fields", f"{name} is empty")
        if name in later and "/V" in widget:
            raise ProofFailed("proof_fields", f"{name} is filled")


def _prove_appearances(final: Revision, expected: Expectation) -> None:
    form = final.document.Root.AcroForm
    for name, value in {**expected.filled, **expected.values}.items():
        widget = final.fields[name]
        if str(widget.V) != value or drawn_value(widget, form.DR.Font[RESOURCE], RESOURCE) != value:
            raise ProofFailed("proof_values", name)
    *others, last = [final.fields[signature.field] for signature in expected.signatures]
    for widget in others if expected.qr_url is not None else [*others, last]:
        prove_paths_only(widget)
    if expected.qr_url is not None:
        drawn = drawn_modules(last)
        if drawn != qr_modules(expected.qr_url, mask_of(drawn)):
            raise ProofFailed("proof_qr", "another code than expected")


def _prove_visible(pdf: bytes, final: Revision, expected: Expectation) -> int:
    """What the pages show, filled fields drawn in; return the number of pages. White space doesn't count."""
    unsure = [text for text in expected.visible if not is_shown(final.document, text)]
    if unsure:
        shown, _ = page_text(pdf, fields=bool(expected.filled or expected.values))
        if any(plain(text) not in shown for text in unsure):
            raise ProofFailed("proof_visible", "a text is missing")
    return len(final.document.pages)
