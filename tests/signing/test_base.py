"""What the proof reads of a prepared document from its bytes is what a PDF library reads; whatever differs is not called the same."""

from __future__ import annotations

import contextlib
import io
import zlib
from itertools import pairwise

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import proof, prove
from signing.base import read_base
from signing.changes import is_plainly_changed, open_revision, prove_changes
from signing.revisions import read_update
from tests.signing.world import FLOWS, HEAD, issue, prepared

MAY_CHANGE = {"/AP", "/V"}


def assert_same(pdf: bytes):
    read = read_base(pdf)
    assert read is not None
    with pikepdf.open(io.BytesIO(pdf), attempt_recovery=False) as document:
        assert (read.root, read.size) == (document.Root.objgen[0], int(document.trailer.Size))
        for number in range(read.size + 3):
            one, text = document.get_object(number, 0), read.text_of(number)
            if text is None:
                assert one is None or isinstance(one, pikepdf.Stream), number
            else:
                assert text == (one.unparse(resolved=True) if isinstance(one, pikepdf.Object) else str(one).encode())


@pytest.mark.parametrize("name", list(FLOWS))
def test_every_object(name):
    assert_same(prepared(FLOWS[name].fields))


@given(holder=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ()\\\\.,'éß", min_size=1, max_size=60))
@settings(max_examples=20, deadline=None)
def test_whoever_holds_the_permit(holder):
    assert_same(prepared(FLOWS["number_after"].fields, holder=holder))


@pytest.mark.parametrize("name", list(FLOWS))
def test_our_own_updates_need_no_second_look(pki, name, monkeypatch):
    """Otherwise nothing is wrong but the speed."""
    run, opened = issue(name, pki), []
    monkeypatch.setattr(proof, "open_revision", lambda pdf: opened.append(len(pdf)) or open_revision(pdf))
    prove(run.final, run.expected)
    assert len(run.preview) not in opened


@pytest.mark.parametrize("name", list(FLOWS))
def test_both_ways_say_the_same_of_the_heads_update(pki, name):
    run = issue(name, pki)
    head = run.head if FLOWS[name].sealed else run.final
    below, above = open_revision(run.preview), open_revision(head)
    update = read_update(head, len(run.preview), len(head), int(below.document.trailer.Size))
    prove_changes(below, above, update, HEAD, (), certify=True)
    read = read_base(run.preview)
    assert is_plainly_changed(read, above, update, HEAD, (), certify=True)
    assert not is_plainly_changed(read, above, update, HEAD, (), certify=False)


def _changed(entry):
    return entry + 1 if isinstance(entry, int) else pikepdf.String("lain")


@pytest.mark.parametrize("where", ["widget", "catalog"])
def test_no_entry_changes_comes_or_goes_unseen(pki, where):
    run = issue("number_after", pki)
    read = read_base(run.preview)

    def opened():
        revision = open_revision(run.head)
        if where == "widget":
            return revision, revision.fields[HEAD], MAY_CHANGE
        return revision, revision.document.Root, {"/Perms", "/Extensions"}

    revision, one, may = opened()
    assert read.is_unchanged(one, may)
    for key in sorted(one.keys()):
        revision, one, _ = opened()
        one[key] = _changed(one[key])
        assert read.is_unchanged(one, may) == (key in may), key
        revision, one, _ = opened()
        del one[key]
        assert read.is_unchanged(one, may) == (key in may), key
    revision, one, _ = opened()
    one["/Lain"] = pikepdf.Name("/Baru")
    assert not read.is_unchanged(one, may)
    assert revision.fields


def test_entries_that_are_folded_into_one_name_are_not_overlooked(pki):
    """`/Lang#20(id)#20/MarkInfo` is one name, and reads like two entries once its escapes are gone."""
    run = issue("number_after", pki)
    read, may = read_base(run.preview), {"/Perms", "/Extensions"}
    above = open_revision(run.head)
    for first, second in pairwise(sorted(set(above.document.Root.keys()) - may)):
        revision = open_revision(run.head)
        one = revision.document.Root
        written, kept = one[first].unparse().decode("latin-1"), one[second]
        del one[first], one[second]
        one[f"{first} {written} {second}"] = kept
        assert not read.is_unchanged(one, may), (first, second)


def test_an_entry_that_was_there_before_is_not_overlooked(pki):
    """A preview whose catalogue has permissions, or whose field has a value: the library must read it."""
    run = issue("head_only", pki)
    above = open_revision(run.final)
    plain, spoilt = (read_base(_saved(run.preview, spoil)) for spoil in (lambda _: None, _with_permissions_and_value))
    for one, may in ((above.document.Root, {"/Perms", "/Extensions"}), (above.fields[HEAD], MAY_CHANGE)):
        assert plain.is_unchanged(one, may)
        assert not spoilt.is_unchanged(one, may)


def _with_permissions_and_value(document):
    document.Root.Perms = pikepdf.Dictionary(DocMDP=document.Root.AcroForm)
    document.Root.AcroForm.Fields[0].V = document.Root.AcroForm


def _saved(pdf: bytes, spoil) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        spoil(document)
        out = io.BytesIO()
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, fix_metadata_version=False)
        return out.getvalue()


def test_what_is_odd_is_left_to_the_library(pki):
    run = issue("head_seal", pki)
    assert read_base(run.head) is None, "the last section is an update's"
    assert read_base(b"") is None
    assert read_base(run.preview + b"\n") is None
    with pikepdf.open(io.BytesIO(run.preview)) as document:
        out = io.BytesIO()
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert read_base(out.getvalue()) is None, "a classic table"


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_a_broken_preview_raises_nothing_else(place, bit):
    """`prove` says unreadable then; what is read wrongly is not the text of a later version, unless that is wrong too."""
    pdf = bytearray(prepared(FLOWS["head_only"].fields))
    at = len(pdf) - 1 - place % 4000
    pdf[at] ^= 1 << bit
    with contextlib.suppress(zlib.error, ValueError):
        read = read_base(bytes(pdf))
        for number in range(read.size) if read else ():
            read.text_of(number)
