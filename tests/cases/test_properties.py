from __future__ import annotations

import copy
import json
import unicodedata

import jsonschema_rs
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.cases import Accepted, CaseInvalid, parse_case, restore, schema
from service.cases.hygiene import Unclean, clean
from tests.cases.sample import NOW, TODAY, TYPE, payload, photo, put

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=())),
    st.sampled_from(["SEUMUR_HIDUP", "1997-01-01", "1407014101970001", "2026-11-19T01:00:00Z", "BARU", "", "a" * 300]),
)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
SCHEMA = schema(TYPE)
VALID = jsonschema_rs.validator_for(SCHEMA)


def pointers(value, prefix=""):
    yield prefix
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield from pointers(inner, f"{prefix}/{key}")


PLACES = [p for p in pointers(payload(photo=photo(), replaces="x")) if p] + ["/extra", "/applicant/x", "/attested/0/x"]


@st.composite
def damaged(draw):
    """A good case with up to three members replaced by anything, or renamed kinds of request."""
    body = copy.deepcopy(payload(photo=photo()) if draw(st.booleans()) else payload())
    for place in draw(st.lists(st.sampled_from(PLACES), max_size=3)):
        try:
            put(body, place, draw(JSON))
        except (TypeError, AttributeError, IndexError, ValueError):
            assume(False)
    return body


def outcome(body):
    try:
        return parse_case(body, TYPE, today=TODAY, now=NOW)
    except CaseInvalid:
        return None


@given(JSON)
def test_arbitrary_json_is_accepted_or_refused_never_anything_else(body):
    assert outcome(body) is None


@given(damaged())
@settings(max_examples=200, deadline=None)
def test_damaged_cases_are_accepted_or_refused_never_anything_else(body):
    result = outcome(body)
    if isinstance(result, Accepted):
        assert restore(result.case.canonical(), TYPE) == result.case
        assert outcome(body).case.content_sha == result.case.content_sha


def is_text(value):
    """Lone surrogates cannot be handed to the validator; the JSON reader refuses them before."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


@given(damaged())
@settings(max_examples=200, deadline=None)
def test_what_the_schema_refuses_is_refused(body):
    assume(is_text(body))
    if not VALID.is_valid(body):
        assert outcome(body) is None, (list(VALID.iter_errors(body)), body)


def test_the_schema_is_a_schema_and_takes_good_cases():
    jsonschema_rs.meta.validate(SCHEMA)
    for body in (payload(), payload(photo=photo()), payload(request_kind="PERUBAHAN", replaces="503/1/2024")):
        VALID.validate(body)


@given(st.randoms(use_true_random=False), st.sampled_from(["NFC", "NFD"]))
def test_canonical_form_does_not_depend_on_order_or_unicode_form(random, form):
    body = payload()
    put(body, "/applicant/nama", "Zoë Nguyễn Å")
    shuffled = json.loads(unicodedata.normalize(form, json.dumps(mixed(body, random), ensure_ascii=False)))
    assert outcome(shuffled).case.canonical() == outcome(body).case.canonical()


def mixed(value, random):
    if isinstance(value, list):
        return [mixed(inner, random) for inner in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    random.shuffle(keys)
    return {key: mixed(value[key], random) for key in keys}


@given(st.text(st.characters(exclude_categories=())), st.booleans())
def test_clean_is_stable_and_never_grows_lines(text, lines):
    try:
        kept = clean(text, lines=lines)
    except Unclean:
        return
    assert clean(kept) == kept
    assert unicodedata.is_normalized("NFC", kept)
    assert kept == kept.strip()
    assert kept.isprintable()
