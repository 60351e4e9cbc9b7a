"""Signature wrapping: the signed bytes are all there, but not where a reader looks; and what an unsigned hole can hold."""

from __future__ import annotations

import re

from tests.verification.attacks.effects import sight
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import attack
from tests.verification.attacks.tools import (
    CONTENTS,
    RANGE,
    cms_of,
    last_range,
    last_section,
    numbers,
    objects_at,
    overpainted,
    table,
    trailer,
)

GROUP = "signature wrapping"


def _range(*given: int) -> bytes:
    return b"/ByteRange [%s]" % b" ".join(b"%d" % one for one in given)


@attack(GROUP, sight)
def moved_tail_shows_another_page(run: Run) -> bytes:
    """The signed tail moves to the end; at its old place lie another page content and the section that it leads to."""
    base = run.final
    match, gap, resume, rest = last_range(base)
    section, (_, content) = last_section(base), numbers(base)
    front = base[resume:section]
    laid, places = objects_at(b"\0" * (section + 4000), {content: overpainted(base)})
    forged_table = table(places) + trailer(base)
    body = forged_table.ljust(4000, b" ") + laid[section + 4000 :]
    moved = resume + len(front) + len(body)
    front = front.replace(match[0], _range(0, gap, moved, rest).ljust(len(match[0])), 1)
    return base[:resume] + front + body + base[resume:]


@attack(GROUP)
def second_range_in_the_hole(run: Run) -> bytes:
    """A shorter hole leaves room for a second /ByteRange before the signed one: readers disagree which one counts."""
    return _in_the_hole(run, _range(0, 10, 20, 30))


@attack(GROUP)
def name_in_the_hole(run: Run) -> bytes:
    """Room that no signature covers holds the signer's /Name, which viewers show."""
    return _in_the_hole(run, b"/Name (Bupati)")


@attack(GROUP)
def second_contents_in_the_hole(run: Run) -> bytes:
    """A second /Contents, empty, behind the true one."""
    return _in_the_hole(run, b"/Contents <00>")


@attack(GROUP)
def object_in_the_hole(run: Run) -> bytes:
    """A whole object in the hole, for readers that rebuild the table by scanning."""
    _, content = numbers(run.final)
    room = b"/X 1 >>\nendobj\n%d 0 obj\n<< /Length 9 >>\nstream\n1 0 0 rg \nendstream\nendobj\n9999 0 obj\n<<" % content
    return _in_the_hole(run, room)


@attack(GROUP)
def comment_in_the_hole(run: Run) -> bytes:
    """White space and a comment in the hole."""
    return _in_the_hole(run, b"% tanpa batas\n")


@attack(GROUP)
def odd_digits_in_the_hole(run: Run) -> bytes:
    """The padding is written as spaces between digits."""
    match = list(CONTENTS.finditer(run.final))[-1]
    digits = match[0][11:-1]
    spaced = digits[:-100] + b"0 " * 50
    return run.final[: match.start() + 11] + spaced + run.final[match.end() - 1 :]


def _in_the_hole(run: Run, extra: bytes) -> bytes:
    """The CMS keeps its own length; what is left of the hole holds something else."""
    match = list(CONTENTS.finditer(run.final))[-1]
    padded = cms_of(run.final)
    length = 4 + int.from_bytes(padded[2:4])
    hole = b"/Contents <" + padded[:length].hex().encode() + b"> " + extra
    return run.final[: match.start()] + hole.ljust(len(match[0])) + run.final[match.end() :]


@attack(GROUP)
def range_in_six_numbers(run: Run) -> bytes:
    """Three parts instead of two: a second hole in the middle."""
    match, gap, resume, rest = last_range(run.final)
    return run.final.replace(match[0], _range(0, gap, resume, 40, resume + 60, rest - 60).ljust(len(match[0])))


@attack(GROUP)
def range_that_starts_late(run: Run) -> bytes:
    """The first part does not begin with the file."""
    match, gap, resume, rest = last_range(run.final)
    return run.final.replace(match[0], _range(9, gap - 9, resume, rest).ljust(len(match[0])))


@attack(GROUP)
def range_backwards(run: Run) -> bytes:
    """The parts in the wrong order."""
    match, gap, resume, rest = last_range(run.final)
    return run.final.replace(match[0], _range(resume, rest, 0, gap).ljust(len(match[0])))


@attack(GROUP)
def range_as_reals(run: Run) -> bytes:
    """The numbers are written as reals."""
    match, *_ = last_range(run.final)
    return run.final.replace(match[0], re.sub(rb"(\d+)\]", rb"\1.]", match[0])[: len(match[0])].ljust(len(match[0])))


@attack(GROUP)
def range_beyond_the_end(run: Run) -> bytes:
    """The second part is longer than the file."""
    match, gap, resume, _ = last_range(run.final)
    return run.final.replace(match[0], _range(0, gap, resume, 99999999).ljust(len(match[0])))


@attack(GROUP)
def range_of_the_earlier_signature(run: Run) -> bytes:
    """The last signature's range is the first one's, or its own without the last line."""
    match, gap, resume, rest = last_range(run.final)
    first = RANGE.search(run.final)
    text = first[0].strip() if run.sealed and first else _range(0, gap, resume, rest - 7)
    return run.final[: match.start()] + text.ljust(len(match[0])) + run.final[match.end() :]
