"""Incremental saving: the simplest of all. An update draws over, exchanges or adds what a reader shows."""

from __future__ import annotations

from tests.signing.attacks import field
from tests.verification.attacks.effects import catalog, form, sight, text
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import ALL, attack
from tests.verification.attacks.tools import (
    FOREVER,
    RED,
    WHITE,
    by_hand,
    changed,
    drawing,
    numbers,
    overpainted,
    page_content,
    page_of,
    pdf,
    put,
    stream,
)
from tests.verification.attacks.tools import (
    catalog as root_of,
)

GROUP = "incremental saving"


def _with_content(run: Run, before: bytes, after: bytes, **resources) -> bytes:
    def change(update):
        page = page_of(update)
        old = page.raw_get("/Contents")
        put(page, Contents=[stream(update, before), old, stream(update, after)])
        for kind, entries in resources.items():
            put(page["/Resources"], **{kind: entries(update)})
        update.update_container(page["/Resources"])

    return changed(run.final, change)


@attack(GROUP, sight, stamped=True)
def bar_over_the_page(run: Run) -> bytes:
    """One more content stream draws a bar over the name."""
    return _with_content(run, b"q", b"Q " + RED)


@attack(GROUP, text, stamped=True)
def words_that_nobody_sees(run: Run) -> bytes:
    """Invisible text over the page: what is copied or read aloud is something else."""
    font = {"/F9": {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}}
    words = b" BT /F9 12 Tf 3 Tr 60 60 Td (%s) Tj ET" % FOREVER.encode()
    return _with_content(run, b"q", b"Q" + words, Font=lambda update: pdf(font))


@attack(GROUP, sight, stamped=True)
def page_exchanged(run: Run) -> bytes:
    """The page tree leads to a new page."""

    def change(update):
        kids = update.root["/Pages"]["/Kids"]
        content = stream(update, RED)
        parent = update.root.raw_get("/Pages")
        new = {"/Type": "/Page", "/Parent": parent, "/MediaBox": [0, 0, 595, 842], "/Contents": content}
        kids[0] = update.add_object(pdf(new))
        update.update_container(kids)

    return changed(run.final, change)


def _more_pages(run: Run, *, first: bool) -> bytes:
    def change(update):
        tree = update.root["/Pages"]
        content = stream(update, RED)
        new = {"/Type": "/Page", "/Parent": update.root.raw_get("/Pages"), "/MediaBox": [0, 0, 595, 842]}
        page = update.add_object(pdf({**new, "/Contents": content}))
        tree["/Kids"].insert(0 if first else 1, page)
        put(tree, Count=len(tree["/Kids"]))
        update.update_container(tree["/Kids"])
        update.update_container(tree)

    return changed(run.final, change)


@attack(GROUP, sight, stamped=True)
def page_added(run: Run) -> bytes:
    """A second page, for whatever the forger likes to permit."""
    return _more_pages(run, first=False)


@attack(GROUP, sight)
def page_put_in_front(run: Run) -> bytes:
    """A new first page: the permit is what one sees before scrolling."""
    return _more_pages(run, first=True)


@attack(GROUP, sight)
def content_exchanged_by_hand(run: Run) -> bytes:
    """The content stream's own number, written again with a classic table."""
    _, content = numbers(run.final)
    return by_hand(run.final, {content: overpainted(run.final)})


@attack(GROUP, sight)
def two_updates(run: Run) -> bytes:
    """One update changes the page, a second one does nothing: the last revision looks harmless."""
    _, content = numbers(run.final)
    return by_hand(by_hand(run.final, {content: overpainted(run.final)}), {9000: b"null"})


@attack(GROUP)
def changed_and_changed_back(run: Run) -> bytes:
    """An update changes the page and the next restores it: a file that can be cut anywhere."""
    _, content = numbers(run.final)
    restored = b"<< /Length %d >>\nstream\n" % len(page_content(run.final)) + page_content(run.final) + b"\nendstream"
    return by_hand(by_hand(run.final, {content: overpainted(run.final)}), {content: restored})


@attack(GROUP, sight, stamped=True)
def white_sheet_with_a_drawing(run: Run) -> bytes:
    """Everything is covered by a form that draws another page."""
    return _with_content(
        run, b"q", b"Q /Xe Do", XObject=lambda update: pdf({"/Xe": drawing(update, WHITE + b"\n" + RED)})
    )


@attack(GROUP, catalog, stamped=True)
def catalog_exchanged(run: Run) -> bytes:
    """A new catalog without the permissions and without tags."""

    def change(update):
        root = root_of(update)
        for key in ("/Perms", "/StructTreeRoot", "/MarkInfo"):
            del root[key]

    return changed(run.final, change)


@attack(GROUP, form, offices=ALL, stamped=True)
def signature_hidden(run: Run) -> bytes:
    """The last signature's box is moved off the page: nobody looks for what is not there."""

    def change(update):
        reference = field(update, run.last_field)
        put(reference.get_object(), Rect=[-500, -500, -400, -400])
        update.mark_update(reference)

    return changed(run.final, change)
