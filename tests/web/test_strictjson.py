from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadRequest
from service.web.strictjson import loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15) + 1, 10**15 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_plain_json_is_read_as_it_is(value, ascii_):
    assert loads(json.dumps(value, ensure_ascii=ascii_).encode()) == value


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_read_or_refused(raw):
    with suppress(BadRequest):
        json.dumps(loads(raw)).encode()


@pytest.mark.parametrize("levels", [19, 20])
def test_twenty_levels_are_enough(levels):
    assert loads(b"[" * levels + b"]" * levels) is not None
    assert loads(b'{"a":' * levels + b"1" + b"}" * levels)["a"] is not None


@pytest.mark.parametrize("raw", [b"[" * 21 + b"]" * 21, b'[{"a":' * 11 + b"1" + b"}]" * 11, b"[" * 2_000_000])
def test_more_are_not(raw):
    with pytest.raises(BadRequest) as refused:
        loads(raw)
    assert refused.value.code == "json_depth"


def test_numbers_that_every_reader_keeps():
    assert loads(b"[999999999999999, -999999999999999, 1.5, 1e3, -0]") == [10**15 - 1, 1 - 10**15, 1.5, 1000.0, 0]
    for text in (b"1000000000000000", b"-1000000000000000", b"NaN", b"Infinity", b"-Infinity", b"1e400"):
        with pytest.raises(BadRequest) as refused:
            loads(text)
        assert refused.value.code == "json_number"
