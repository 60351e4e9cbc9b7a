"""Certification attacks: annotations (EAA) and signatures (SSA) that some viewers permit on a certified document."""

from __future__ import annotations

from tests.signing.attacks import field, signed_anyway
from tests.verification.attacks.effects import form, sight
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import ALL, Attack, add, attack
from tests.verification.attacks.tools import (
    FOREVER,
    RED,
    annotate,
    changed,
    drawing,
    enlist,
    marked,
    page_of,
    pdf,
    put,
    stream,
    with_field,
)

ANNOTATIONS, SIGNATURES = "certification: annotations", "certification: signatures"
BOX = [40, 300, 540, 400]
KINDS = {
    "FreeText": {"DA": "/Helv 12 Tf", "Contents": FOREVER},
    "Stamp": {"Name": "/Approved"},
    "Square": {"IC": [1, 1, 1]},
    "Redact": {"QuadPoints": BOX * 2},
    "Highlight": {"QuadPoints": [40, 400, 540, 400, 40, 300, 540, 300]},
    "Ink": {"InkList": [[40, 300, 540, 400]]},
    "Line": {"L": BOX},
    "Text": {"Contents": FOREVER},
    "Watermark": {},
}


def _noted(kind: str):
    def make(run: Run) -> bytes:
        def change(update):
            look = drawing(update, RED, (40, 300, 540, 400))
            annotate(update, Subtype=f"/{kind}", Rect=BOX, AP={"/N": look}, **KINDS[kind])

        return changed(run.final, change)

    return make


for kind in KINDS:
    says = f"A /{kind} annotation that covers the words."
    name = f"annotation_{kind.lower()}"
    add(Attack(name, ANNOTATIONS, says, ALL, sight, _noted(kind)))
    add(Attack(f"{name}_stamped", ANNOTATIONS, says, ALL, sight, lambda run, make=_noted(kind): run.stamped(make(run))))


@attack(ANNOTATIONS, form, stamped=True)
def link_over_the_code(run: Run) -> bytes:
    """An invisible link over the QR code leads to the forger's own page."""

    def change(update):
        action = {"/S": "/URI", "/URI": b"https://izin.example.net/V/0"}
        annotate(update, Subtype="/Link", Rect=[0, 0, 595, 842], A=action, Border=[0, 0, 0])

    return changed(run.final, change)


@attack(ANNOTATIONS, form, stamped=True)
def file_pinned_to_the_page(run: Run) -> bytes:
    """A file attachment annotation."""

    def change(update):
        file = {"/Type": "/Filespec", "/F": "izin.pdf", "/EF": {"/F": stream(update, b"%PDF-")}}
        annotate(update, Subtype="/FileAttachment", Rect=[40, 40, 60, 60], FS=update.add_object(pdf(file)))

    return changed(run.final, change)


@attack(ANNOTATIONS, sight, stamped=True)
def signature_box_taken_off_the_page(run: Run) -> bytes:
    """The page's /Annots lose the signature's box: the field is signed and nowhere to be seen."""

    def change(update):
        page = page_of(update)
        notes = page["/Annots"]
        notes.clear()
        update.update_container(notes)

    return changed(run.final, change)


@attack(ANNOTATIONS, sight, stamped=True)
def signature_flagged_hidden(run: Run) -> bytes:
    """The signature's box is flagged hidden."""

    def change(update):
        reference = field(update, run.last_field)
        put(reference.get_object(), F=2)
        update.mark_update(reference)

    return changed(run.final, change)


@attack(ANNOTATIONS, sight, stamped=True)
def signature_box_enlarged(run: Run) -> bytes:
    """The signature's box grows over the page, its look with it."""

    def change(update):
        reference = field(update, run.last_field)
        put(reference.get_object(), Rect=[0, 0, 595, 842])
        update.mark_update(reference)

    return changed(run.final, change)


@attack(ANNOTATIONS, sight, stamped=True)
def other_look_under_the_same_reference(run: Run) -> bytes:
    """The signature's drawing gets a /Matrix that turns the code around."""

    def change(update):
        look = marked(update, field(update, run.last_field).get_object()["/AP"], "/N")
        put(look, Matrix=[-1, 0, 0, 1, 85, 0])

    return changed(run.final, change)


@attack(ANNOTATIONS, form, stamped=True)
def further_states_of_the_look(run: Run) -> bytes:
    """A rollover and a pressed look for the signature: another code under the mouse."""

    def change(update):
        reference = field(update, run.last_field)
        put(reference.get_object()["/AP"], R=drawing(update), D=drawing(update))
        update.mark_update(reference)

    return changed(run.final, change)


def _covering(update, name: str, **more) -> None:
    look = drawing(update, RED, (40, 300, 540, 400))
    box = {"Subtype": "/Widget", "FT": "/Sig", "T": name, "Rect": BOX, "AP": {"/N": look}}
    enlist(update, annotate(update, **box, **more))


@attack(SIGNATURES, sight, stamped=True)
def unsigned_field_with_a_look(run: Run) -> bytes:
    """SSA: a signature field that nobody signed, drawn over the words."""
    return changed(run.final, lambda update: _covering(update, "lagi"))


@attack(SIGNATURES, sight, stamped=True)
def unsigned_archive_field_with_a_look(run: Run) -> bytes:
    """SSA: the same under a name that the locks leave out."""
    return changed(run.final, lambda update: _covering(update, "arsip_2"))


@attack(SIGNATURES, sight)
def signed_field_with_a_look(run: Run) -> bytes:
    """SSA: another office's real seal in such a field, drawn over the words."""
    base = changed(run.final, lambda update: _covering(update, "arsip_2"))
    return signed_anyway(base, run.pki.key("orang-lain"), "arsip_2")


@attack(SIGNATURES, form)
def impostor_signs_below(run: Run) -> bytes:
    """SSA: somebody with the head's name, of another CA, signs below."""
    return signed_anyway(with_field(run.final, "arsip_2"), run.impostor.key("kepala"), "arsip_2")


@attack(SIGNATURES, sight)
def visible_time_stamp(run: Run) -> bytes:
    """A trusted document time-stamp in a field that is drawn over the words."""
    base = changed(run.final, lambda update: _covering(update, "arsip_1"))
    return run.stamped(base, "arsip_1")


@attack(SIGNATURES, form, stamped=True)
def invisible_note_in_an_archive_field(run: Run) -> bytes:
    """A signature field below whose widget carries a note and a tooltip."""
    return changed(run.final, lambda update: _covering(update, "arsip_3", TU=FOREVER, Contents=FOREVER))
