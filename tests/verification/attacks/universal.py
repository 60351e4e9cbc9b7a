"""Universal forgery: an update changes the page and breaks the signature in a way that a verifier might not dare to call broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.signing.attacks import field
from tests.verification.attacks.effects import sight
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import ALL, Attack, add
from tests.verification.attacks.tools import RED, changed, page_of, pdf, put, stream

GROUP = "universal forgery"


def _forged(change_signature: Callable[[Any], None]) -> Callable[[Run], bytes]:
    """The page is overpainted, and the last signature's dictionary is written anew with a change."""

    def make(run: Run) -> bytes:
        def change(update):
            page = page_of(update)
            put(page, Contents=[stream(update, b"q"), page.raw_get("/Contents"), stream(update, b"Q " + RED)])
            reference = field(update, run.last_field).get_object().raw_get("/V")
            change_signature(reference.get_object())
            update.mark_update(reference)

        return changed(run.final, change)

    return make


def _without(*keys: str) -> Callable[[Any], None]:
    def change(signature):
        for key in keys:
            signature.pop(key, None)

    return change


def _with(**entries: Any) -> Callable[[Any], None]:
    return lambda signature: put(signature, **entries)


VARIANTS: dict[str, tuple[str, Callable[[Any], None]]] = {
    "no_contents": ("The signature has no /Contents.", _without("/Contents")),
    "no_range": ("The signature has no /ByteRange.", _without("/ByteRange")),
    "neither": ("The signature has neither.", _without("/Contents", "/ByteRange")),
    "contents_zero": ("Its /Contents is a zero byte.", _with(Contents=b"\0")),
    "contents_empty": ("Its /Contents is empty.", _with(Contents=b"")),
    "contents_a_name": ("Its /Contents is a name.", _with(Contents="/Sah")),
    "contents_der_null": ("Its /Contents is a DER null.", _with(Contents=b"\5\0")),
    "range_whole_file": ("Its /ByteRange claims the file without a hole.", _with(ByteRange=[0, 99999999, 0, 0])),
    "range_nothing": ("Its /ByteRange covers nothing.", _with(ByteRange=[0, 0, 0, 0])),
    "range_negative": ("Its /ByteRange goes backwards.", _with(ByteRange=[0, -1, -1, -1])),
    "range_huge": ("Its /ByteRange is beyond every integer.", _with(ByteRange=[0, 2**63, 2**64, 2**65])),
    "range_of_strings": ("Its /ByteRange holds strings.", _with(ByteRange=["0", "1", "2", "3"])),
    "range_of_one": ("Its /ByteRange has one number.", _with(ByteRange=[0])),
    "other_subfilter": ("Its /SubFilter is one that nobody implements.", _with(SubFilter="/teken.sah")),
    "old_subfilter": ("Its /SubFilter is the raw RSA of PDF 1.3.", _with(SubFilter="/adbe.x509.rsa_sha1")),
    "other_filter": ("Its /Filter is a handler of the forger's.", _with(Filter="/Forger.Handler")),
    "no_filter": ("It has neither /Filter nor /SubFilter.", _without("/Filter", "/SubFilter")),
    "other_type": ("Its /Type is /DocTimeStamp.", _with(Type="/DocTimeStamp")),
    "stamp_subfilter": ("Its /SubFilter is that of a time-stamp.", _with(SubFilter="/ETSI.RFC3161")),
    "no_reference": ("It permits everything: no /Reference.", _without("/Reference")),
    "reference_null": ("Its /Reference is null.", _with(Reference=pdf({}))),
    "dates_itself_later": ("Its /M is another day.", _with(M="D:20990101000000Z")),
}
for short, (says, variant) in VARIANTS.items():
    add(Attack(f"page_and_{short}", GROUP, says, ALL, sight, _forged(variant)))


def _emptied(update, run: Run) -> None:
    reference = field(update, run.last_field)
    del reference.get_object()["/V"]
    update.mark_update(reference)


def _nulled(update, run: Run) -> None:
    reference = field(update, run.last_field).get_object().raw_get("/V")
    update.objects[(reference.generation, reference.idnum)] = pdf({})


def _listed_no_more(update, run: Run) -> None:
    fields = update.root["/AcroForm"]["/Fields"]
    fields.clear()
    update.update_container(fields)


for short, says, effect in (
    ("field_emptied", "The last signature field loses its value.", _emptied),
    ("signature_emptied", "The last signature is an empty dictionary.", _nulled),
    ("fields_not_listed", "The form lists no field any more.", _listed_no_more),
):

    def make(run: Run, effect=effect) -> bytes:
        def change(update):
            page = page_of(update)
            put(page, Contents=[stream(update, b"q"), page.raw_get("/Contents"), stream(update, b"Q " + RED)])
            effect(update, run)

        return changed(run.final, change)

    add(Attack(short, GROUP, says, ALL, sight, make))
    add(Attack(f"{short}_stamped", GROUP, says, ALL, sight, lambda run, make=make: run.stamped(make(run))))
