"""What the order of number and signature invites: refilling, sealing by the wrong one, leaving one out."""

from __future__ import annotations

import dataclasses

from signing import fill_and_seal, sign
from tests.signing.attacks import field, signed_anyway
from tests.verification.attacks.effects import form, sight
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import AFTER, SEALED, attack
from tests.verification.attacks.tools import changed, drawing, field_changed, put, with_field

GROUP = "order of number and signature"
OTHER_NUMBER = "500.16.7.2/0999/SIK-PM/I/2026"


@attack(GROUP, form, offices=AFTER, stamped=True)
def date_filled_again(run: Run) -> bytes:
    """The field with the last day of validity gets another value, its look stays."""
    return field_changed(run.final, "berlaku_sampai", V="31 Desember 2099")


@attack(GROUP, sight, offices=AFTER, stamped=True)
def date_drawn_again(run: Run) -> bytes:
    """The same field's look changes, its value stays."""

    def change(update):
        reference = field(update, "berlaku_sampai")
        look = drawing(update, b"/Tx BMC q 1 0 0 rg 0 0 90 12 re f Q EMC", (0, 0, 100, 15))
        put(reference.get_object()["/AP"], N=look)
        update.mark_update(reference)

    return changed(run.final, change)


@attack(GROUP, sight, offices=AFTER)
def number_changed_before_another_seal(run: Run) -> bytes:
    """Another number under a real seal, that of another office."""
    values = {**run.flow.values, "nomor_register": OTHER_NUMBER}
    return fill_and_seal(run.head, values, run.pki.key("orang-lain"), run.flow.seal_spec).pdf


@attack(GROUP, sight, offices=AFTER)
def number_changed_before_an_impostors_seal(run: Run) -> bytes:
    """Another number under a seal with our name, by another CA."""
    values = {**run.flow.values, "nomor_register": OTHER_NUMBER}
    return fill_and_seal(run.head, values, run.impostor.key("segel"), run.flow.seal_spec).pdf


@attack(GROUP, offices=SEALED)
def seal_by_the_head(run: Run) -> bytes:
    """The head's own key in the seal's place."""
    return fill_and_seal(run.head, run.flow.values, run.pki.key("kepala"), run.flow.seal_spec).pdf


@attack(GROUP, offices=SEALED)
def head_by_the_seal(run: Run) -> bytes:
    """The seal's key in the head's place too: nobody read it."""
    head = sign(run.preview, run.pki.key("segel"), run.flow.head_spec).pdf
    return fill_and_seal(head, run.flow.values, run.pki.key("segel"), run.flow.seal_spec).pdf


@attack(GROUP, offices=SEALED)
def only_the_seal(run: Run) -> bytes:
    """The seal alone on a document that nobody signed."""
    return sign(run.preview, run.pki.key("segel"), run.flow.seal_spec).pdf


@attack(GROUP)
def head_permits_more(run: Run) -> bytes:
    """The head's own key, but a certification that leaves the document open: never issued so."""
    return sign(run.preview, run.pki.key("kepala"), dataclasses.replace(run.flow.head_spec, permission=3)).pdf


@attack(GROUP)
def head_does_not_certify(run: Run) -> bytes:
    """The head's own key in an ordinary signature, which permits any update by itself."""
    spec = dataclasses.replace(run.flow.head_spec, certify=False)
    head = sign(run.preview, run.pki.key("kepala"), spec).pdf
    if not run.sealed:
        return head
    return fill_and_seal(head, run.flow.values, run.pki.key("segel"), run.flow.seal_spec).pdf


@attack(GROUP, form)
def signed_once_more(run: Run) -> bytes:
    """The office's own head signs again in a field of his own: not as we issue it."""
    return signed_anyway(with_field(run.final, "lagi"), run.pki.key("kepala"), "lagi")


@attack(GROUP, form)
def stranger_signs_below(run: Run) -> bytes:
    """Another office's real seal at the end, in a new field."""
    return signed_anyway(with_field(run.final, "lagi"), run.pki.key("orang-lain"), "lagi")


@attack(GROUP, sight, offices=SEALED)
def seal_stripped_then_stamped(run: Run) -> bytes:
    """Only the head's revision, under a trusted document time-stamp."""
    return run.stamped(run.head)
