"""The first corpus (tests/signing/attacks.py), on real permits: written before there were any."""

from __future__ import annotations

from tests.signing.attacks import CORPUS
from tests.verification.attacks.effects import form, sight
from tests.verification.attacks.registry import AFTER, ALL, SEALED, Attack, Make, add

GROUPS = {
    "incremental saving": ("isa_page_text", "isa_annotation", "isa_number_changed", "isa_new_signature_field"),
    "bytes behind the end": ("garbage_after_eof", "loose_object_after_eof", "second_startxref"),
    "polyglots": ("junk_before_header",),
    "signature wrapping": ("swa_moved_tail", "swa_hole_widened"),
    "universal forgery": tuple(name for name in CORPUS if name.startswith("usf_")),
    "shadow": ("shadow_hide_and_replace", "shadow_seal_look"),
    "fonts": ("shadow_font",),
    "order of number and signature": ("seal_stripped", "number_filled_without_seal", "filled_outside_the_lock"),
    "other signers": ("sealed_by_another", "sealed_by_impostor", "all_by_impostor"),
    "certification: signatures": ("extra_field_and_signature", "stranger_in_archive_field", "text_in_archive_field"),
    "written anew": ("rewritten",),
}
NEEDS_SEAL = {
    "seal_stripped",
    "sealed_by_another",
    "sealed_by_impostor",
    "all_by_impostor",
    "filled_outside_the_lock",
    "extra_field_and_signature",
}
NEEDS_FIELDS = {"isa_number_changed", "number_filled_without_seal", "shadow_font"}
EFFECTS = {
    "isa_page_text": sight,
    "isa_annotation": form,
    "isa_number_changed": form,
    "isa_new_signature_field": form,
    "shadow_hide_and_replace": sight,
    "shadow_seal_look": sight,
    "stranger_in_archive_field": form,
    "text_in_archive_field": sight,
    "seal_stripped": sight,
    "number_filled_without_seal": sight,
}
SAYS = {
    "isa_page_text": "A drawing over the page, in an update.",
    "isa_annotation": "A note with another date.",
    "isa_number_changed": "Another number in the field.",
    "isa_new_signature_field": "One more signature field, empty.",
    "garbage_after_eof": "A line of text behind the end.",
    "loose_object_after_eof": "An object behind the end that no section names.",
    "second_startxref": "The end is written twice.",
    "junk_before_header": "Bytes before `%PDF`: every offset is wrong by as much.",
    "shadow_hide_and_replace": "The page's content is replaced by nothing.",
    "shadow_seal_look": "The last signature is drawn as a black box.",
    "seal_stripped": "Only the head's revision: no number, no seal.",
    "number_filled_without_seal": "The head's revision with a number of the forger's.",
    "rewritten": "Saved anew by qpdf.",
    "swa_moved_tail": "The signed tail moves to the end; other content takes its place.",
    "swa_hole_widened": "The hole grows over the start of the signed tail.",
}


def _made(name: str) -> Make:
    return lambda run: CORPUS[name](run, pki=run.pki, impostor=run.impostor)


def _says(name: str) -> str:
    doc = (CORPUS[name].__doc__ or "").strip().splitlines()
    return SAYS.get(name) or (doc[0] if doc else f"The signature's {name.removeprefix('usf_').replace('_', ': ', 1)}.")


for group, names in GROUPS.items():
    for name in names:
        offices = AFTER if name in NEEDS_FIELDS else SEALED if name in NEEDS_SEAL else ALL
        add(Attack(name, group, _says(name), offices, EFFECTS.get(name), _made(name)))
