"""Cross-reference tricks: two readers that follow the same file to different objects."""

from __future__ import annotations

import re

from tests.signing.world import writer
from tests.verification.attacks.effects import sight
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import attack
from tests.verification.attacks.tools import (
    RED,
    as_stream,
    by_hand,
    ended,
    last_section,
    numbers,
    objects_at,
    overpainted,
    root_and_size,
    table,
    trailer,
    xref_stream,
)

GROUP = "cross references"


def page_with(run: Run, content: int) -> bytes:
    """The first page's object with another /Contents, bare."""
    return b"<< /Type /Page /Parent %s /MediaBox [0 0 595 842] /Contents %d 0 R >>" % (_parent(run), content)


def _parent(run: Run) -> bytes:
    tree = writer(run.final).root.raw_get("/Pages")
    return b"%d 0 R" % tree.idnum


@attack(GROUP, sight)
def hybrid_with_a_hidden_stream(run: Run) -> bytes:
    """A classic update whose /XRefStm leads to a section with another page content: old and new readers differ."""
    _, content = numbers(run.final)
    _, free = root_and_size(run.final)
    out, places = objects_at(run.final, {content: overpainted(run.final)})
    hidden = len(out)
    root, _ = root_and_size(run.final)
    header = b"/Size %d /Root %d 0 R" % (free + 9, root)
    out += xref_stream(free + 1, {content: (1, places[content], 0)}, header)
    empty = b"xref\n0 1\n0000000000 65535 f \n"
    return ended(out + empty + trailer(run.final, extra=b"/XRefStm %d " % hidden), len(out))


@attack(GROUP, sight)
def hybrid_that_contradicts_itself(run: Run) -> bytes:
    """Table and /XRefStm give the same object two places."""
    _, content = numbers(run.final)
    root, free = root_and_size(run.final)
    out, shown = objects_at(run.final, {content: overpainted(run.final)})
    out, other = objects_at(out, {content: as_stream(RED)})
    hidden = len(out)
    header = b"/Size %d /Root %d 0 R" % (free + 9, root)
    out += xref_stream(free + 1, {content: (1, other[content], 0)}, header)
    return ended(out + table(shown) + trailer(run.final, extra=b"/XRefStm %d " % hidden), len(out))


@attack(GROUP)
def previous_in_a_loop(run: Run) -> bytes:
    """/Prev leads to the section itself."""
    _, content = numbers(run.final)
    out, places = objects_at(run.final, {content: overpainted(run.final)})
    return ended(out + table(places) + trailer(run.final, len(out)), len(out))


@attack(GROUP, sight)
def previous_into_a_comment(run: Run) -> bytes:
    """/Prev leads to another copy of the old sections' start, made by the forger inside a stream."""
    _, content = numbers(run.final)
    section = last_section(run.final)
    old = run.final[section : run.final.rindex(b"startxref")]
    _, free = root_and_size(run.final)
    head = b"%d 0 obj\n<< /Length %d >>\nstream\n" % (free + 2, len(old))
    copied = len(run.final) + len(head)
    out = run.final + head + old + b"\nendstream\nendobj\n"
    out, places = objects_at(out, {content: overpainted(run.final)})
    return ended(out + table(places) + trailer(run.final, copied), len(out))


@attack(GROUP)
def previous_is_zero(run: Run) -> bytes:
    """/Prev 0: the chain ends in the header."""
    _, content = numbers(run.final)
    out, places = objects_at(run.final, {content: overpainted(run.final)})
    return ended(out + table(places) + trailer(run.final, extra=b"/Prev 0 ", previous=0), len(out))


@attack(GROUP, sight)
def previous_skips_a_revision(run: Run) -> bytes:
    """/Prev leads past the last signature's revision to the one before."""
    _, content = numbers(run.preview)
    before = int(re.findall(rb"startxref\s+(\d+)", run.final)[-2])
    out, places = objects_at(run.final, {content: overpainted(run.final)})
    return ended(out + table(places) + trailer(run.final, before), len(out))


@attack(GROUP, sight)
def entry_into_a_string(run: Run) -> bytes:
    """The page content's entry leads into the middle of another object's string."""
    _, content = numbers(run.final)
    _, free = root_and_size(run.final)
    inner = b"%d 0 obj\n" % content + overpainted(run.final) + b"\nendobj\n"
    hidden = b"%d 0 obj\n<< /Note (\n" % free
    out = run.final + hidden + inner + b") >>\nendobj\n"
    return ended(out + table({content: len(run.final) + len(hidden)}) + trailer(run.final), len(out))


@attack(GROUP, sight)
def entry_into_a_stream(run: Run) -> bytes:
    """The entry leads into the data of another stream."""
    _, content = numbers(run.final)
    _, free = root_and_size(run.final)
    inner = b"%d 0 obj\n" % content + overpainted(run.final) + b"\nendobj\n"
    head = b"%d 0 obj\n<< /Length %d >>\nstream\n" % (free, len(inner))
    out = run.final + head + inner + b"\nendstream\nendobj\n"
    return ended(out + table({content: len(run.final) + len(head)}) + trailer(run.final), len(out))


@attack(GROUP, sight)
def entry_into_a_comment(run: Run) -> bytes:
    """The entry leads into a comment: `% 17 0 obj`."""
    _, content = numbers(run.final)
    out = run.final + b"% "
    out, places = objects_at(out, {content: overpainted(run.final)})
    return ended(out + table(places) + trailer(run.final), len(out))


@attack(GROUP)
def entry_one_byte_off(run: Run) -> bytes:
    """Every entry is one byte late: careful readers stop, helpful ones rebuild the table."""
    _, content = numbers(run.final)
    out, places = objects_at(run.final, {content: overpainted(run.final)})
    return ended(out + table({content: places[content] + 1}) + trailer(run.final), len(out))


@attack(GROUP)
def freed_and_used_again(run: Run) -> bytes:
    """The page content is freed, and its number used again in a new generation."""
    _, content = numbers(run.final)
    freed = b"xref\n0 1\n%010d 65535 f \n%d 1\n0000000000 00001 f \n" % (content, content)
    out = ended(run.final + freed + trailer(run.final), len(run.final))
    new, places = objects_at(out, {content: overpainted(run.final)}, generation=1)
    return ended(new + table(places, 1) + trailer(run.final, len(run.final)), len(new))


@attack(GROUP, sight)
def page_of_a_new_generation(run: Run) -> bytes:
    """The page asks for generation 1 of its content, and gets it."""
    page, content = numbers(run.final)
    out, second = objects_at(run.final, {content: as_stream(RED)}, generation=1)
    out, first = objects_at(
        out, {page: page_with(run, content).replace(b"%d 0 R >>" % content, b"%d 1 R >>" % content)}
    )
    both = table(first) + table(second, 1).removeprefix(b"xref\n")
    return ended(out + both + trailer(run.final), len(out))


@attack(GROUP)
def other_generation(run: Run) -> bytes:
    """The object says generation 7, its entry 0."""
    _, content = numbers(run.final)
    out, places = objects_at(run.final, {content: overpainted(run.final)}, generation=7)
    return ended(out + table(places) + trailer(run.final), len(out))


@attack(GROUP, sight)
def listed_twice(run: Run) -> bytes:
    """One section names the content twice, with two places."""
    _, content = numbers(run.final)
    out, first = objects_at(run.final, {content: overpainted(run.final)})
    out, second = objects_at(out, {content: as_stream(RED)})
    both = table(first) + table(second).removeprefix(b"xref\n")
    return ended(out + both + trailer(run.final), len(out))


@attack(GROUP)
def size_too_small(run: Run) -> bytes:
    """/Size leaves the new object out: some readers ignore it, others don't."""
    page, _ = numbers(run.final)
    _, free = root_and_size(run.final)
    out, places = objects_at(run.final, {free + 5: as_stream(RED), page: page_with(run, free + 5)})
    return ended(out + table(places) + trailer(run.final, size=page + 1), len(out))


@attack(GROUP, sight)
def table_in_lines_of_nineteen(run: Run) -> bytes:
    """Entries of 19 bytes instead of 20."""
    _, content = numbers(run.final)
    out, places = objects_at(run.final, {content: overpainted(run.final)})
    return ended(out + table(places).replace(b" n \n", b" n\n") + trailer(run.final), len(out))


def _another_document(run: Run) -> tuple[int, bytes, bytes, bytes]:
    """The first free number, and catalog, page tree and page of a document of the forger's from there on."""
    _, free = root_and_size(run.final)
    root = b"<< /Type /Catalog /Pages %d 0 R >>" % (free + 1)
    tree = b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % (free + 2)
    page = b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R >>" % (free + 1, free + 3)
    return free, root, tree, page


@attack(GROUP, sight)
def stream_section_with_a_second_root(run: Run) -> bytes:
    """A cross-reference stream that names a catalog of the forger's."""
    free, root, tree, page = _another_document(run)
    given = {free: root, free + 1: tree, free + 2: page, free + 3: as_stream(RED)}
    out, places = objects_at(run.final, given)
    header = b"/Size %d /Root %d 0 R /Prev %d" % (free + 9, free, last_section(run.final))
    entries = {number: (1, at, 0) for number, at in places.items()}
    return ended(out + xref_stream(free + 4, entries, header), len(out))


@attack(GROUP, sight)
def no_previous_at_all(run: Run) -> bytes:
    """A whole new document behind the permit, which does not build on it."""
    given = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
        4: as_stream(RED),
    }
    out, places = objects_at(run.final, given)
    first = b"xref\n0 1\n0000000000 65535 f \n" + table(places).removeprefix(b"xref\n")
    return ended(out + first + b"trailer\n<< /Size 5 /Root 1 0 R >>\n", len(out))


@attack(GROUP, sight)
def startxref_of_an_older_revision(run: Run) -> bytes:
    """The end leads back to the first revision: no signature, or not the last."""
    first = int(re.findall(rb"startxref\s+(\d+)", run.final)[0])
    return run.final + b"startxref\n%d\n%%%%EOF\n" % first


@attack(GROUP, sight)
def trailer_with_two_roots(run: Run) -> bytes:
    """/Root is written twice; the second one is the forger's."""
    free, root, tree, page = _another_document(run)
    given = {free: root, free + 1: tree, free + 2: page, free + 3: as_stream(RED)}
    return by_hand(run.final, given, extra=b"/Root %d 0 R " % free)


@attack(GROUP)
def encrypted_from_here(run: Run) -> bytes:
    """The update's trailer says that the document is encrypted."""
    _, content = numbers(run.final)
    extra = b"/Encrypt << /Filter /Standard /V 1 /R 2 /O (x) /U (x) /P -4 >> "
    return by_hand(run.final, {content: overpainted(run.final)}, extra=extra)
