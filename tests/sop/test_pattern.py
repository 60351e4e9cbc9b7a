"""Register numbers: what patterns say, which are refused, and that two entries never print the same number."""

from datetime import date
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.sop.pattern import TOKENS, PatternInvalid, longest, parse, period, refuse_repeats, render, shape

DAY = date(2026, 11, 3)


def number(pattern, seq=7, place=2):
    return render(pattern, seq=seq, klas="503.440", type="SIP-PM", place=place, day=DAY)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        # shapes seen in real registers
        ("{klas}/{seq:03}/429.111/{yyyy}", "503.440/007/429.111/2026"),
        ("{klas}/{seq:03}/{type}/429.112/{MM_roman}/{yyyy}", "503.440/007/SIP-PM/429.112/XI/2026"),
        (
            "{klas} / {seq:04} / {place_roman} / IP.RM / 436.7.2 / {yyyy}",
            "503.440 / 0007 / II / IP.RM / 436.7.2 / 2026",
        ),
        ("{seq} / {place_roman} / {dd} / {mm} / {yyyy}", "7 / II / 03 / 11 / 2026"),
        ("{klas}/{seq:03}.{MM_roman}.{yy}/{type}/DPMPTSP", "503.440/007.XI.26/SIP-PM/DPMPTSP"),
        ("{klas}/{seq}/DPMPTSP/SIP-{yyyy}", "503.440/7/DPMPTSP/SIP-2026"),
        ("{klas}/{seq}/{type}-{place}/DPMPTSP/{yyyy}", "503.440/7/SIP-PM-2/DPMPTSP/2026"),
        ("503/SIA-{seq:03}/DPMPTSP/{yyyy}{mm}", "503/SIA-007/DPMPTSP/202611"),
    ],
)
def test_render(pattern, expected):
    assert number(pattern) == expected


def test_a_register_grows_beyond_its_width():
    assert number("{seq:03}/{yyyy}", seq=12345) == "12345/2026"


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("", "pattern_seq"),
        ("{klas}/{yyyy}", "pattern_seq"),
        ("{seq}/{seq}/{yyyy}", "pattern_seq"),
        ("{seq}/{unit}", "pattern_token"),
        ("{seq}/{}", "pattern_token"),
        ("{seq}/{YYYY}", "pattern_token"),
        ("{seq}/{yyyy", "pattern_brace"),
        ("{seq}/yyyy}", "pattern_brace"),
        ("{{seq}}", "pattern_brace"),
        ("{seq:3}", "pattern_pad"),
        ("{seq:}", "pattern_pad"),
        ("{seq:00}", "pattern_pad"),
        ("{seq:013}", "pattern_pad"),
        ("{yyyy:04}/{seq}", "pattern_pad"),
        ("{klas}{seq}", "pattern_touch"),
        ("{seq}{yyyy}", "pattern_touch"),
        ("{place}{place_roman}/{seq}", "pattern_touch"),
        ("A{seq}", "pattern_bound"),
        ("{seq}0/{yyyy}", "pattern_bound"),
        ("{seq}/I{MM_roman}", "pattern_bound"),
        ("{seq}/{type}X", "pattern_bound"),
        ("{klas}-{seq}/{yyyy}", "pattern_segment"),
        ("{seq}/{klas}.{type}/{yyyy}", "pattern_segment"),
    ],
)
def test_refused(pattern, code):
    with pytest.raises(PatternInvalid) as raised:
        parse(pattern)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("pattern", "reset", "scope", "code"),
    [
        ("{seq}/{MM_roman}", "yearly", "office", "pattern_year"),
        ("{seq}/{MM_roman}", "monthly", "office", "pattern_year"),
        ("{seq}/{yyyy}", "monthly", "office", "pattern_month"),
        ("{seq}/{yyyy}", "yearly", "type", "pattern_type"),
        ("{seq}", "never", "type", "pattern_type"),
    ],
)
def test_a_counter_that_repeats_shows_why_its_numbers_differ(pattern, reset, scope, code):
    with pytest.raises(PatternInvalid) as raised:
        refuse_repeats(pattern, reset=reset, scope=scope)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("pattern", "reset", "scope"),
    [("{seq}", "never", "office"), ("{seq}/{yy}", "yearly", "office"), ("{seq}/{mm}/{yy}/{klas}", "monthly", "type")],
)
def test_allowed_repeats(pattern, reset, scope):
    refuse_repeats(pattern, reset=reset, scope=scope)


def test_periods():
    assert [period(reset, DAY) for reset in ("yearly", "monthly", "never")] == ["2026", "2026-11", ""]


def test_places_and_sequences_start_at_one():
    for wrong in ({"seq": 0}, {"place": 0}, {"place": 13}):
        with pytest.raises(ValueError):
            number("{seq}/{place_roman}", **wrong)


@st.composite
def patterns(draw):
    """Mostly sound: different tokens in any order, most of them between slashes."""
    tokens = draw(st.lists(st.sampled_from([token for token in TOKENS if token != "seq"]), max_size=6, unique=True))
    parts = [f"{{{token}}}" for token in tokens]
    parts.insert(draw(st.integers(0, len(parts))), draw(st.sampled_from(["{seq}", "{seq:02}"])))
    marks = st.sampled_from(["/", "/", "/", "/", " / ", "-", ".", "/0/", "/I-", ".X/", ""])
    text = draw(st.sampled_from(["", "", "503/", "A-", " "]))
    for part in parts:
        text += part + draw(marks)
    return text


PATTERNS = patterns().filter(lambda pattern: is_sound(pattern))
MARKS = st.from_regex(r"[0-9A-Z]{1,3}([.-][0-9A-Z]{1,3}){0,2}", fullmatch=True)
ENTRIES = st.fixed_dictionaries(
    {
        "seq": st.integers(1, 2000),
        "klas": MARKS,
        "type": MARKS,
        "place": st.integers(1, 12),
        "day": st.dates(date(2020, 1, 1), date(2099, 12, 31)),
    }
)


def is_sound(pattern, reset="never"):
    try:
        refuse_repeats(pattern, reset=reset, scope="office")
    except PatternInvalid:
        return False
    return True


FEW_MARKS = ["1", "1.1", "1-11", "I.1", "X-2026", "2026.X"]
FEW_ENTRIES = [
    {"seq": seq, "klas": klas, "type": type_, "place": place, "day": day}
    for seq, klas, type_, place, day in product(
        [1, 2, 11, 111],
        FEW_MARKS,
        FEW_MARKS,
        [1, 2, 11],
        [date(2026, 1, 1), date(2026, 2, 1), date(2020, 1, 26), date(2011, 11, 11)],
    )
]


@given(PATTERNS, st.sampled_from(["yearly", "monthly", "never"]))
def test_two_entries_of_one_counter_never_print_the_same(pattern, reset):
    """Whatever their types and places, chosen here to be confused: equal numbers, same sequence in the same period."""
    reset = reset if is_sound(pattern, reset) else "never"
    printed = {}
    for entry in FEW_ENTRIES:
        meaning = (entry["seq"], period(reset, entry["day"]))
        assert printed.setdefault(render(pattern, **entry), meaning) == meaning


@given(
    st.sampled_from(
        [
            "{klas}/{seq:03}/{type}/DPMPTSP/{yyyy}",
            "{klas}/DPMPTSP-{type}/{MM_roman}/{yyyy}/{seq:03}",
            "{klas}/{seq:04}/{type}/{place_roman}/DPMPTSP/{yyyy}",
            "{klas}/{seq:03}.{MM_roman}.{yy}/{type}/DPMPTSP",
        ]
    ),
    ENTRIES,
    st.integers(1, 2000),
    st.dates(date(2020, 1, 1), date(2099, 12, 31)),
)
def test_distinct_sequence_or_year_gives_distinct_numbers(pattern, entry, seq, day):
    assume((seq, day.year) != (entry["seq"], entry["day"].year))
    assert render(pattern, **entry) != render(pattern, **{**entry, "seq": seq, "day": day})


@given(PATTERNS, ENTRIES)
def test_the_longest_is_never_shorter(pattern, entry):
    widest = longest(pattern, 4, klas=entry["klas"], type=entry["type"], place=entry["place"])
    assert len(render(pattern, **entry)) <= len(widest)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("{seq:03}/{type}/{yyyy}", "A"), ("{seq}/A/{yyyy}", "B"), True),
        (("{seq}/{type}/{yyyy}", "A"), ("{seq}/{type}/{yyyy}", "B"), False),
        (("{seq}/{dd}/{yyyy}", "A"), ("{seq}/{mm}/{yyyy}", "B"), True),
        (("{seq}/{mm}/{yyyy}", "A"), ("{seq}/{MM_roman}/{yyyy}", "A"), False),
    ],
)
def test_shapes_tell_whether_numbers_could_be_equal(one, other, same):
    assert (shape(one[0], klas="1", type=one[1]) == shape(other[0], klas="1", type=other[1])) is same


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(pattern):
    try:
        parse(pattern)
    except PatternInvalid:
        pass
