"""Object streams: objects that no byte scan finds, that extend each other, or that exist twice."""

from __future__ import annotations

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
    object_stream,
    objects_at,
    root_and_size,
    xref_stream,
)
from tests.verification.attacks.xrefs import page_with

GROUP = "object streams"


def _ended(run: Run, out: bytes, entries: dict[int, tuple[int, int, int]], number: int) -> bytes:
    root, free = root_and_size(run.final)
    header = b"/Size %d /Root %d 0 R /Prev %d" % (free + 20, root, last_section(run.final))
    return ended(out + xref_stream(number, entries, header), len(out))


def _laid(run: Run, made: bytes, **more: bytes) -> tuple[bytes, dict[int, int], int, int]:
    """The content (free), the object stream (free+1) and others in a row behind the permit."""
    page, _ = numbers(run.final)
    _, free = root_and_size(run.final)
    given = {free: as_stream(RED), free + 1: made}
    given |= {free + 2 + at: text for at, text in enumerate(more.values())}
    out, places = objects_at(run.final, given)
    return out, places, page, free


@attack(GROUP, sight)
def page_in_an_object_stream(run: Run) -> bytes:
    """The page is written anew inside an object stream."""
    page, _ = numbers(run.final)
    _, free = root_and_size(run.final)
    out, places, page, free = _laid(run, object_stream({page: page_with(run, free)}))
    entries = {number: (1, at, 0) for number, at in places.items()} | {page: (2, free + 1, 0)}
    return _ended(run, out, entries, free + 9)


@attack(GROUP, sight)
def extended_object_stream(run: Run) -> bytes:
    """The object stream /Extends another, which holds the same page differently."""
    page, _ = numbers(run.final)
    _, free = root_and_size(run.final)
    made = object_stream({page: page_with(run, free)}, b"/Extends %d 0 R" % (free + 2))
    out, places, page, free = _laid(run, made, base=object_stream({page: b"<< /Type /Page >>"}))
    entries = {number: (1, at, 0) for number, at in places.items()} | {page: (2, free + 1, 0)}
    return _ended(run, out, entries, free + 9)


@attack(GROUP)
def extends_itself(run: Run) -> bytes:
    """The object stream /Extends itself."""
    page, _ = numbers(run.final)
    _, free = root_and_size(run.final)
    made = object_stream({page: page_with(run, free)}, b"/Extends %d 0 R" % (free + 1))
    out, places, page, free = _laid(run, made)
    entries = {number: (1, at, 0) for number, at in places.items()} | {page: (2, free + 1, 0)}
    return _ended(run, out, entries, free + 9)


@attack(GROUP, sight)
def same_object_twice_in_a_stream(run: Run) -> bytes:
    """The page is there twice in one object stream; number and index disagree on which one counts."""
    page, _ = numbers(run.final)
    _, free = root_and_size(run.final)
    first, second = b"<< /Type /Page /Parent 1 0 R >>", page_with(run, free)
    head = b"%d 0 %d %d " % (page, page, len(first) + 1)
    made = as_stream(head + first + b" " + second, b"/Type /ObjStm /N 2 /First %d" % len(head))
    out, places, page, free = _laid(run, made)
    entries = {number: (1, at, 0) for number, at in places.items()} | {page: (2, free + 1, 1)}
    return _ended(run, out, entries, free + 9)


@attack(GROUP)
def index_of_another_object(run: Run) -> bytes:
    """The entry's index leads to an object of another number."""
    page, _ = numbers(run.final)
    _, free = root_and_size(run.final)
    made = object_stream({free + 7: b"<< /X 1 >>", page: page_with(run, free)})
    out, places, page, free = _laid(run, made)
    entries = {number: (1, at, 0) for number, at in places.items()} | {page: (2, free + 1, 0)}
    return _ended(run, out, entries, free + 9)


@attack(GROUP)
def more_objects_than_there_are(run: Run) -> bytes:
    """/N says a thousand, /First lies in the middle of the numbers."""
    page, _ = numbers(run.final)
    _, free = root_and_size(run.final)
    made = object_stream({page: page_with(run, free)}).replace(b"/N 1 /First", b"/N 1000 /First")
    out, places, page, free = _laid(run, made)
    entries = {number: (1, at, 0) for number, at in places.items()} | {page: (2, free + 1, 0)}
    return _ended(run, out, entries, free + 9)


@attack(GROUP)
def stream_within_a_stream(run: Run) -> bytes:
    """The object stream itself is said to lie in another one."""
    page, _ = numbers(run.final)
    _, free = root_and_size(run.final)
    out, places, page, free = _laid(run, object_stream({page: page_with(run, free)}))
    entries = {free: (1, places[free], 0), free + 1: (2, free + 1, 0), page: (2, free + 1, 0)}
    return _ended(run, out, entries, free + 9)


@attack(GROUP)
def object_stream_that_nobody_names(run: Run) -> bytes:
    """The page lies in an object stream of the update, which no section names: for readers that rebuild."""
    page, _ = numbers(run.final)
    _, free = root_and_size(run.final)
    out, places, page, free = _laid(run, object_stream({page: page_with(run, free)}))
    return _ended(run, out, {number: (1, at, 0) for number, at in places.items()}, free + 9)


@attack(GROUP, sight)
def length_that_hides_an_end(run: Run) -> bytes:
    """The content's /Length ends before a second drawing: readers that look for `endstream` draw it too."""
    _, content = numbers(run.final)
    short = b"<< /Length 3 >>\nstream\nq Q\n" + RED + b"\nendstream"
    return by_hand(run.final, {content: short})
