"""Bytes behind the last signature: one reader takes them for an update, another looks past them."""

from __future__ import annotations

from tests.verification.attacks.effects import sight
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import attack
from tests.verification.attacks.tools import by_hand, last_section, numbers, objects_at, overpainted, table, trailer

GROUP = "bytes behind the end"


def _changed(run: Run) -> bytes:
    _, content = numbers(run.final)
    return by_hand(run.final, {content: overpainted(run.final)})


@attack(GROUP, sight)
def update_without_eof(run: Run) -> bytes:
    """An update that ends behind `startxref N`, without `%%EOF`."""
    return _changed(run).removesuffix(b"%%EOF\n")


@attack(GROUP, sight)
def update_with_half_an_eof(run: Run) -> bytes:
    """An update whose last line is `%%EO`."""
    return _changed(run).removesuffix(b"F\n")


@attack(GROUP, sight)
def update_with_two_eofs(run: Run) -> bytes:
    """An update that ends twice."""
    return _changed(run) + b"%%EOF\n"


@attack(GROUP)
def update_followed_by_old_end(run: Run) -> bytes:
    """Behind the update comes a comment with the old `startxref`, for whoever reads only so far back."""
    return _changed(run) + b"%% startxref %d\n" % last_section(run.final) + b"\n" * 900


@attack(GROUP)
def update_without_startxref(run: Run) -> bytes:
    """An update with objects, table and trailer, that no `startxref` leads to."""
    _, content = numbers(run.final)
    out, places = objects_at(run.final, {content: overpainted(run.final)})
    return out + table(places) + trailer(run.final) + b"%%EOF\n"


@attack(GROUP)
def update_with_the_old_startxref(run: Run) -> bytes:
    """An update whose `startxref` leads to the section before it: strict readers never see it, scanning ones do."""
    _, content = numbers(run.final)
    out, places = objects_at(run.final, {content: overpainted(run.final)})
    return out + table(places) + trailer(run.final) + b"startxref\n%d\n%%%%EOF\n" % last_section(run.final)


@attack(GROUP)
def object_only(run: Run) -> bytes:
    """The content's number once more, without any section: taken by readers that rebuild the table."""
    _, content = numbers(run.final)
    return objects_at(run.final, {content: overpainted(run.final)})[0]


@attack(GROUP, sight)
def broken_startxref_and_an_object(run: Run) -> bytes:
    """The same, and a `startxref` into nowhere, which makes readers rebuild."""
    _, content = numbers(run.final)
    return objects_at(run.final, {content: overpainted(run.final)})[0] + b"startxref\n99999999\n%%EOF\n"


@attack(GROUP)
def one_line_break(run: Run) -> bytes:
    """Nothing but a line break: harmless, and not what was released."""
    return run.final + b"\n"


@attack(GROUP)
def zeros(run: Run) -> bytes:
    """A thousand zero bytes."""
    return run.final + bytes(1000)


@attack(GROUP)
def comment_that_looks_like_an_update(run: Run) -> bytes:
    """A section inside a comment."""
    return run.final + b"%" + table({1: 9}).replace(b"\n", b" ") + b"\n%%EOF\n"


@attack(GROUP)
def another_permit_behind(run: Run) -> bytes:
    """A whole other permit, genuine, behind this one."""
    return run.final + run.other


@attack(GROUP)
def this_permit_twice(run: Run) -> bytes:
    """The same file twice."""
    return run.final + run.final


@attack(GROUP)
def behind_the_archive_stamp(run: Run) -> bytes:
    """A line of text behind a trusted time-stamp."""
    return run.archived + b"% selesai\n"


@attack(GROUP)
def last_byte_missing(run: Run) -> bytes:
    """The last line break is gone."""
    return run.final[:-1]
