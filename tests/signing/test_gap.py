"""The hole in what a signature covers holds its value, whatever brackets and white space its writer left, and nothing else."""

from __future__ import annotations

import pytest

from signing.gap import covers_all_but_value

VALUE = bytes.fromhex("30ab05")


def covered(hole: bytes, *, before: bytes = b"a", after: bytes = b"z") -> bool:
    pdf = before + hole + after
    return covers_all_but_value(pdf, [0, len(before), len(before) + len(hole), len(after)], VALUE)


@pytest.mark.parametrize("hole", [b"<30ab05>", b"<30AB05>", b" <30 ab\n05> ", b"\r\n<30ab05>"])
def test_the_value_fills_the_hole(hole):
    assert covered(hole)


def test_brackets_may_be_covered():
    assert covered(b"30ab05", before=b"a<", after=b">z")


@pytest.mark.parametrize(
    "hole", [b"30ab05", b"<30ab06>", b"<30ab05>>", b"<<30ab05>", b"<30ab05>(x)", b"<30ab0x>", b"<30ab05", b"<>", b""]
)
def test_anything_else_does_not(hole):
    assert not covered(hole)


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "hole", [b"<30ab05>" + b" " * 2_000_000 + b"x", b" " * 2_000_000 + b"x", b"<" + b"3 " * 1_000_000]
)
def test_a_long_hole_is_read_once(hole):
    """Found by the fuzzer: a pattern that tried every way to part a run of white space took minutes."""
    assert not covered(hole)
