"""Pages and layers: the same content in another box, turned, switched off, or laid under a layer."""

from __future__ import annotations

from typing import Any

from tests.verification.attacks.effects import catalog as other_catalog
from tests.verification.attacks.effects import sight, tags
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import ALL, Attack, add, attack
from tests.verification.attacks.tools import (
    RED,
    annotate,
    catalog,
    changed,
    drawing,
    marked,
    page_of,
    pdf,
    put,
    stream,
)

PAGES, LAYERS, TAGS = "pages", "layers", "tags"
BOXES: dict[str, tuple[str, dict[str, Any]]] = {
    "turned": ("The page is turned upside down.", {"Rotate": 180}),
    "cropped": ("The page shows its upper half only: conditions below it are gone.", {"CropBox": [0, 421, 595, 842]}),
    "moved": ("The page's /MediaBox moves the words off the sheet.", {"MediaBox": [0, 300, 595, 1142]}),
    "scaled": ("The page's unit is three times as large.", {"UserUnit": 3}),
    "emptied": ("The page has no resources: no letter is drawn.", {"Resources": {}}),
    "blank": ("The page has no content.", {"Contents": []}),
}


def _boxed(entries: dict[str, Any]):
    return lambda run: changed(run.final, lambda update: put(page_of(update), **entries))


for short, (says, entries) in BOXES.items():
    make = _boxed(entries)
    add(Attack(f"page_{short}", PAGES, says, ALL, None if short == "scaled" else sight, make))
    add(
        Attack(
            f"page_{short}_stamped",
            PAGES,
            says,
            ALL,
            None if short == "scaled" else sight,
            lambda run, make=make: run.stamped(make(run)),
        )
    )


@attack(PAGES, sight, stamped=True)
def page_twice(run: Run) -> bytes:
    """The page is there twice."""

    def change(update):
        tree = update.root["/Pages"]
        tree["/Kids"].append(tree["/Kids"].raw_get(0))
        put(tree, Count=2)
        update.update_container(tree["/Kids"])
        update.update_container(tree)

    return changed(run.final, change)


@attack(PAGES, sight, stamped=True)
def tree_in_between(run: Run) -> bytes:
    """A node between tree and page gives it another size by inheritance."""

    def change(update):
        tree = update.root["/Pages"]
        page = tree["/Kids"].raw_get(0)
        node = {
            "/Type": "/Pages",
            "/Count": 1,
            "/Kids": [page],
            "/Parent": update.root.raw_get("/Pages"),
            "/Rotate": 90,
        }
        tree["/Kids"][0] = update.add_object(pdf(node))
        put(page_of_reference(update, page), Parent=tree["/Kids"].raw_get(0))
        update.update_container(tree["/Kids"])

    return changed(run.final, change)


def page_of_reference(update: Any, reference: Any) -> Any:
    """The page behind a reference, marked as changed."""
    update.mark_update(reference)
    return reference.get_object()


def _layer(update: Any, *, shown: bool) -> Any:
    layer = update.add_object(pdf({"/Type": "/OCG", "/Name": "Lapisan"}))
    state = {"/D": {"/ON" if shown else "/OFF": [layer], "/Order": [layer]}, "/OCGs": [layer]}
    put(catalog(update), OCProperties=state)
    return layer


@attack(LAYERS, sight, stamped=True)
def layer_over_the_words(run: Run) -> bytes:
    """A layer that is switched on covers the words."""

    def change(update):
        layer = _layer(update, shown=True)
        page = page_of(update)
        put(page, Contents=[stream(update, b"q"), page.raw_get("/Contents"), stream(update, b"Q /Xl Do")])
        resources = marked(update, page, "/Resources")
        put(resources, XObject={"/Xl": drawing(update, RED, OC=layer)})
        update.update_container(resources)

    return changed(run.final, change)


@attack(LAYERS, sight, stamped=True)
def words_in_a_layer_that_is_off(run: Run) -> bytes:
    """All words belong to a layer that is switched off."""

    def change(update):
        layer = _layer(update, shown=False)
        page = page_of(update)
        old = page.raw_get("/Contents")
        put(page, Contents=[stream(update, b"/OC /Ol BDC"), old, stream(update, b" EMC")])
        resources = marked(update, page, "/Resources")
        put(resources, Properties={"/Ol": layer})
        update.update_container(resources)

    return changed(run.final, change)


@attack(LAYERS, sight, stamped=True)
def annotation_in_a_layer(run: Run) -> bytes:
    """An annotation that only a printer or only a screen shows."""

    def change(update):
        layer = _layer(update, shown=True)
        look = drawing(update, RED, (40, 300, 540, 400))
        annotate(update, Subtype="/Square", Rect=[40, 300, 540, 400], AP={"/N": look}, OC=layer)

    return changed(run.final, change)


@attack(LAYERS, other_catalog, stamped=True)
def layers_declared(run: Run) -> bytes:
    """Layers are declared, with nothing in them yet."""
    return changed(run.final, lambda update: _layer(update, shown=False) and None)


@attack(TAGS, tags, stamped=True)
def read_aloud_as_something_else(run: Run) -> bytes:
    """The first tag gets an /ActualText: a blind reader hears another date."""

    def change(update):
        root = update.root["/StructTreeRoot"]
        first = root.raw_get("/K")
        node = first if hasattr(first, "idnum") else root["/K"].raw_get(0)
        put(node.get_object(), ActualText="Berlaku sampai 2099")
        update.mark_update(node)

    return changed(run.final, change)


@attack(TAGS, tags, stamped=True)
def roles_exchanged(run: Run) -> bytes:
    """The role map makes every paragraph an artifact: nothing is read aloud."""

    def change(update):
        root = marked(update, update.root, "/StructTreeRoot")
        put(root, RoleMap={"/P": "/Artifact", "/H1": "/Artifact"})

    return changed(run.final, change)


@attack(TAGS, other_catalog, stamped=True)
def tags_taken_away(run: Run) -> bytes:
    """The catalog loses its structure tree."""

    def change(update):
        del catalog(update)["/StructTreeRoot"]

    return changed(run.final, change)
