"""Hostile files end in a child process: whatever happens there, the answer is a fact or `undetermined`."""

from __future__ import annotations

import json
import resource
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signing import Inspection, inspect, inspect_isolated, isolation
from signing.facts import from_json, to_json
from signing.isolation import _answer


def test_the_child_finds_what_the_inspector_finds(number_after, pki):
    assert inspect_isolated(number_after.final, pki.trust) == inspect(number_after.final, pki.trust)


def test_facts_survive_json(number_after, pki):
    found = inspect(number_after.final, pki.trust)
    assert from_json(json.loads(json.dumps(to_json(found)))) == found


def page_tree(depth: int) -> bytes:
    """A page tree that bites its own tail, deep arrays, and a form that is its own kid."""
    body = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [3 0 R] >> >>\nendobj\n"
    body += b"2 0 obj\n<< /Type /Pages /Kids [2 0 R] /Count 1 /X " + b"[" * depth + b"]" * depth + b" >>\nendobj\n"
    body += b"3 0 obj\n<< /T (a) /FT /Sig /Kids [3 0 R] >>\nendobj\n"
    offsets = [body.index(b"%d 0 obj" % number) for number in (1, 2, 3)]
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    tail = b"xref\n0 4\n0000000000 65535 f \n" + table + b"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return body + tail % len(body)


def xref_bomb() -> bytes:
    """A cross-reference stream that unpacks to half a gigabyte."""
    packed = zlib.compress(b"\0" * (512 << 20), 9)
    body = b"%PDF-1.7\n1 0 obj\n<< /Type /XRef /W [1 8 2] /Size 50000000 /Root 2 0 R /Filter /FlateDecode /Length "
    return body + b"%d >>\nstream\n" % len(packed) + packed + b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n"


@pytest.mark.parametrize("depth", [None, 1, 10, 100_000])
def test_hostile_files(depth, pki):
    pdf = page_tree(depth) if depth else b"%PDF-1.7\nstartxref\n0\n%%EOF"
    found = inspect_isolated(pdf, pki.trust, seconds=5)
    assert found.outcome == "undetermined"
    assert found.cause


def _childrens_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_bomb_does_not_take_the_machine_along(pki):
    isolation.let_go()  # a child of one's own: its time can be read
    bomb = xref_bomb()
    began = _childrens_seconds()
    found = inspect_isolated(bomb, pki.trust, seconds=5, memory=512 << 20)
    assert found.outcome == "undetermined"
    assert _childrens_seconds() - began < 7


def test_too_little_memory_is_undetermined(number_after, pki):
    assert inspect_isolated(number_after.final, pki.trust, memory=60 << 20).outcome == "undetermined"


def test_a_child_that_hangs_is_ended(number_after, pki, monkeypatch):
    isolation.let_go()  # which another test has left in this process: it could be quick enough
    monkeypatch.setattr(isolation, "_STARTING", 0.0)
    found = inspect_isolated(number_after.final, pki.trust, seconds=0.05)
    assert (found.outcome, found.cause) == ("undetermined", "timeout")


@pytest.mark.parametrize("answer", [b"", b"null", b"[]", b"{}", b'{"signatures": 3}', b"[" * 100_000, b"x" * (5 << 20)])
def test_a_child_that_lies_is_not_believed(answer):
    assert _answer(answer, "00") == Inspection("00", "undetermined", "nonsense")


def test_a_child_that_answers_for_another_file(number_after, pki):
    answer = json.dumps(to_json(inspect(number_after.final, pki.trust))).encode()
    assert _answer(answer, "00").cause == "nonsense"


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_inspector_never_raises(data, number_after, pki):
    """Cut, flipped, repeated: an inspection always comes back, and never calls a changed file sound and whole."""
    pdf = bytearray(number_after.final)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(pdf) - 1))
        piece = data.draw(st.sampled_from(["flip", "cut", "repeat", "junk"]))
        end = min(len(pdf), start + data.draw(st.integers(1, 64)))
        if piece == "flip":
            pdf[start] ^= 0xFF
        elif piece == "cut":
            del pdf[start:end]
        elif piece == "repeat":
            pdf[start:start] = pdf[start:end]
        else:
            pdf[start:start] = data.draw(st.binary(max_size=16))
    found = inspect(bytes(pdf), pki.trust)
    if bytes(pdf) != number_after.final and found.outcome == "inspected" and len(found.signatures) == 2:
        padding_only = all(one.sound for one in found.signatures) and found.covers_whole_file
        assert not padding_only or _same_covered(bytes(pdf), number_after.final)


def _same_covered(one: bytes, other: bytes) -> bool:
    """Only digits inside the last hole differ: unsigned by nature (a certificate that nobody needs, or padding)."""
    hole = other.rindex(b"/Contents <"), other.index(b">", other.rindex(b"/Contents <"))
    return len(one) == len(other) and one[: hole[0]] == other[: hole[0]] and one[hole[1] :] == other[hole[1] :]
