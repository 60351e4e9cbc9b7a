"""Shadow attacks: the document is prepared before it is signed, by somebody inside, and turned around afterwards."""

from __future__ import annotations

from typing import Any

from signing import fill_and_seal, sign
from tests.signing.world import writer
from tests.verification.attacks.effects import sight
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import attack
from tests.verification.attacks.tools import (
    RED,
    WHITE,
    annotate,
    as_stream,
    by_hand,
    changed,
    drawing,
    ended,
    enlist,
    marked,
    numbers,
    objects_at,
    page_of,
    pdf,
    put,
    stream,
    table,
    trailer,
)

GROUP = "shadow"
COVER = RED.replace(b"1 0 0 rg", b"1 1 1 rg")


def _signed(run: Run, prepared: bytes) -> bytes:
    """The real people sign what they saw."""
    head = sign(prepared, run.pki.key("kepala"), run.flow.head_spec).pdf
    if not run.sealed:
        return head
    return fill_and_seal(head, run.flow.values, run.pki.key("segel"), run.flow.seal_spec).pdf


def _with_overlay(run: Run, data: bytes, under: bytes = b"") -> bytes:
    """Before anybody signs: the page draws a form /Xs, innocent as yet."""

    def change(update):
        page = page_of(update)
        old = page.raw_get("/Contents")
        put(page, Contents=[stream(update, b"q"), old, stream(update, b"Q " + under + b" /Xs Do")])
        resources = marked(update, page, "/Resources")
        put(resources, XObject={"/Xs": drawing(update, data)})
        update.update_container(resources)

    return changed(run.preview, change)


def _overlay(update: Any) -> Any:
    return update.root["/Pages"]["/Kids"][0]["/Resources"]["/XObject"]


@attack(GROUP, sight, stamped=True)
def hide(run: Run) -> bytes:
    """Hide: what was signed lies over other words; the update takes the cover away."""

    def change(update):
        look = marked(update, _overlay(update), "/Xs")
        put(look, BBox=[0, 0, 0, 0])

    return changed(_signed(run, _with_overlay(run, COVER, RED)), change)


@attack(GROUP, sight)
def hide_by_freeing(run: Run) -> bytes:
    """Hide: the cover's object becomes null."""
    signed = _signed(run, _with_overlay(run, COVER, RED))
    cover = _overlay(writer(signed)).raw_get("/Xs").idnum
    return by_hand(signed, {cover: b"null"})


@attack(GROUP, sight, stamped=True)
def replace_overlay(run: Run) -> bytes:
    """Replace: an empty drawing that was signed is drawn full."""

    def change(update):
        page_of(update)
        put(_overlay(update), Xs=drawing(update, WHITE + b"\n" + RED))
        update.update_container(_overlay(update))

    return changed(_signed(run, _with_overlay(run, b"q Q")), change)


@attack(GROUP, sight, stamped=True)
def hide_and_replace(run: Run) -> bytes:
    """Hide and replace: a second page tree was signed along, unseen; the update makes it the document's."""

    def prepare(update):
        content = stream(update, RED)
        tree = update.add_object(pdf({"/Type": "/Pages", "/Count": 1, "/Kids": []}))
        page = {"/Type": "/Page", "/Parent": tree, "/MediaBox": [0, 0, 595, 842], "/Contents": content}
        put(tree.get_object(), Kids=[update.add_object(pdf(page))])
        put(update.root, PieceInfo={"/Teken": {"/Private": tree}})
        update.update_root()

    def change(update):
        put(update.root, Pages=update.root["/PieceInfo"]["/Teken"].raw_get("/Private"))
        update.update_root()

    return changed(_signed(run, changed(run.preview, prepare)), change)


@attack(GROUP, sight)
def hide_and_replace_by_table(run: Run) -> bytes:
    """Hide and replace: nothing is added but a section whose entries lead to objects that were signed along, unseen."""
    _, content = numbers(run.preview)
    hidden, places = objects_at(run.preview, {content: as_stream(RED)})
    signed = _signed(run, ended(hidden + b"xref\n0 0\n" + trailer(run.preview), len(hidden)))
    return ended(signed + table(places) + trailer(signed), len(signed))


@attack(GROUP, sight, stamped=True)
def field_overlaid(run: Run) -> bytes:
    """Replace: a prepared text field over the page shows its other value when it is filled."""

    def change(update):
        kids = update.root["/AcroForm"]["/Fields"]
        reference = kids.raw_get(len(kids) - 1)
        field = reference.get_object()
        put(field, V="Berlaku sampai 2099", AP={"/N": drawing(update, b"1 0 0 rg 0 0 500 100 re f", (0, 0, 500, 100))})
        update.mark_update(reference)

    def prepare(update):
        look = drawing(update, b"q Q", (0, 0, 500, 100))
        box = {"Subtype": "/Widget", "FT": "/Tx", "T": "catatan", "Rect": [40, 300, 540, 400], "AP": {"/N": look}}
        enlist(update, annotate(update, **box))

    return changed(_signed(run, changed(run.preview, prepare)), change)
