"""Ranges and values of signatures (USF, SWA)."""

from __future__ import annotations

import re

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from tests.foreign.attacks.tools import (
    ATTACKS,
    attack,
    last_range,
    signed_anyway,
    update,
)


def _with_range(name, text):
    def make(pdf):
        found = last_range(pdf)
        text_now = text(*map(int, found.groups())) if callable(text) else text
        room = len(found[0]) + len(re.match(rb" *", pdf[found.end() :])[0])
        if len(text_now) > room:
            return None
        return pdf[: found.start()] + text_now.ljust(room) + pdf[found.start() + room :]

    ATTACKS[name] = make


_with_range("range_null", b"/ByteRange null")
_with_range("range_empty", b"/ByteRange []")
_with_range("range_of_nothing", b"/ByteRange [0 0 0 0]")
_with_range("range_negative", b"/ByteRange [0 -1 9 9]")
_with_range("range_missing", b"/XyteRange [0 1 1 1]")
_with_range("range_not_from_start", lambda a, b, c, d: b"/ByteRange [9 %d %d %d]" % (b - 9, c, d))
_with_range("range_wider", lambda a, b, c, d: b"/ByteRange [0 %d %d %d]" % (b, c + 10, d - 10))
_with_range("range_of_six", lambda a, b, c, d: b"/ByteRange [0 %d %d %d 0 0]" % (b, c, d))
_with_range("range_shorter", lambda a, b, c, d: b"/ByteRange [0 %d %d %d]" % (b, c, d - 20))


def _with_value(name, change):
    def make(pdf):
        _, before, resume, _ = map(int, last_range(pdf).groups())
        value = change(pdf[before:resume])
        return pdf[:before] + value.ljust(resume - before) + pdf[resume:]

    ATTACKS[name] = make


_with_value("value_of_zeros", lambda value: b"<" + b"0" * (len(value) - 2) + b">")
_with_value("value_empty", lambda value: b"<>")
_with_value("value_null", lambda value: b"null")
_with_value("value_with_something_behind", lambda value: value[:-9] + b"41414141>")
_with_value("value_shorter", lambda value: value[: len(value) // 4 * 2] + b">")


@attack
def tail_moved(pdf):
    """SWA: the signed tail moves to the end; in its old place stands other content."""
    found = last_range(pdf)
    _, before, resume, rest = map(int, found.groups())
    tail = pdf[resume : resume + rest]
    forged = b"/ByteRange [0 %d %d %d]" % (before, len(pdf), rest)
    room = len(found[0]) + len(re.match(rb" *", pdf[found.end() :])[0])
    if len(forged) > room:
        return None
    head = pdf[: found.start()] + forged.ljust(room) + pdf[found.start() + room : resume]
    return head + tail.replace(b"Setuju", b"Tolak!") + tail


def _signed_fields(writer):
    fields = [one.get_object() for one in writer.root["/AcroForm"]["/Fields"]]
    return [one for one in fields if "/V" in one and "/ByteRange" in one["/V"]]


@update
def signature_written_once_more(writer):
    """The same words in another place: the range leaves no hole in them."""
    fields = _signed_fields(writer)
    for field in fields:
        writer.mark_update(field.raw_get("/V").reference)
    return bool(fields)


@update
def certification_copied(writer):
    """What certifies is named by a copy and not by its number."""
    if "/Perms" not in writer.root or "/DocMDP" not in writer.root["/Perms"]:
        return False
    writer.root["/Perms"][pdf_name("/DocMDP")] = generic.DictionaryObject(writer.root["/Perms"]["/DocMDP"])
    writer.update_container(writer.root["/Perms"])
    return True


@attack
def value_of_another_document(pdf):
    """A good signature over something else, copied into the hole."""
    other = signed_anyway(ATTACKS["content_replaced"](pdf))
    value = other[slice(*map(int, last_range(other).groups()[1:3]))].strip(b"<>").rstrip(b"0")
    _, before, resume, _ = map(int, last_range(pdf).groups())
    room = resume - before - 2
    return pdf[:before] + b"<" + value.ljust(room, b"0")[:room] + b">" + pdf[resume:]
