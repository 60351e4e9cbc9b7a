"""The typesetter: equal bytes for equal input, data that stay data, pages that must fit, threads and processes."""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.document import DoesNotFit, Typesetter, TypesettingFailed
from service.document.markers import expected_fields, markers, places
from service.document.typeset import count_pages, lay_out
from tests.document.offices import AT, KINDS, files, page, photo, text

HOSTILE = [
    '#read("/etc/passwd")',
    "$x^2$ and $y$",
    "*bold* _emph_ `raw` = Heading",
    "x-field:evil",
    "https://evil.example/x-field:evil",
    '#link("x-field:evil")[tekan]',
    "\\u{41} \\ #sys.inputs #given @ref <label>",
    "// comment /* comment */",
    "{{nama}} {nama} %s",
    "\"quoted\" and 'single' -- --- ...",
    "O'Brien ~ Müller ﬁ",
]


@pytest.mark.parametrize("kind", KINDS)
def test_equal_input_gives_equal_bytes(kind, typeset, tmp_path):
    first = typeset(kind, page(kind))
    office, permit = KINDS[kind]
    fresh = Typesetter(files(office.code, permit.code), office.code, permit.code, tmp_path)
    again = fresh.typeset(page(kind), photo=photo(kind), timestamp=AT)
    assert hashlib.sha256(first.pdf).digest() == hashlib.sha256(again.pdf).digest()
    assert typeset(kind, page(kind), timestamp=AT + timedelta(seconds=1)).pdf != first.pdf
    (root,) = tmp_path.iterdir()
    left = {str(one.relative_to(root)): one.read_bytes() for one in root.rglob("*") if one.is_file()}
    assert left == fresh.files  # no photo and no page stays behind


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_data_are_printed_and_do_nothing(hostile, typeset):
    everywhere = dict.fromkeys(("applicant.nama", "applicant.alamat", "practice.nama", "str.nomor"), hostile)
    pdf = typeset("rohul", page("rohul", everywhere)).pdf
    assert sorted(markers(pdf)) == sorted(expected_fields(KINDS["rohul"][1].procedure))
    shown = " ".join(text(pdf).split())
    assert shown.count(hostile.replace("ﬁ", "fi")) + shown.count(hostile) >= 4
    assert len(places(pdf, "")) == len(markers(pdf))
    assert "root:" not in shown


@settings(max_examples=25, deadline=None)
@given(
    st.text(
        st.characters(min_codepoint=33, max_codepoint=0x17E, exclude_categories=["C", "Z"]), min_size=1, max_size=30
    )
)
def test_any_text_either_prints_or_is_refused(typesetters, words):
    made = page("malang", {"practice.nama": words})
    try:
        pdf = typesetters("malang").typeset(made, photo=None, timestamp=AT).pdf
    except TypesettingFailed:
        return  # a character that the font lacks
    assert sorted(markers(pdf)) == sorted(expected_fields(KINDS["malang"][1].procedure))
    assert count_pages(pdf) == 1


def test_a_failure_does_not_quote_the_case(typeset):
    with pytest.raises(TypesettingFailed) as caught:
        typeset("malang", page("malang", {"applicant.nama": "Rahasia \U0001f600"}))
    assert "Rahasia" not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.params}"
    assert caught.value.__suppress_context__


def test_too_much_text_does_not_fit(typeset):
    with pytest.raises(DoesNotFit) as caught:
        typeset("malang", page("malang", clauses=("Ketentuan yang panjang sekali. " * 30,) * 6))
    assert caught.value.params == {"pages": "2", "max_pages": "1"}


def test_a_type_may_allow_more_pages_which_are_then_numbered(typeset):
    long = page("malang", clauses=("Ketentuan yang panjang sekali. " * 30,) * 6)
    made = typeset("malang", {**long, "max_pages": 2})
    assert made.pages == 2
    assert "Halaman 1 dari 2" in text(made.pdf)
    assert "Halaman" not in text(typeset("malang", page("malang")).pdf)


def test_density_tightens_only_as_needed(typeset):
    made = [typeset("malang", page("malang", clauses=("Ketentuan contoh. " * 8,) * n)) for n in (3, 9, 12)]
    assert [one.density for one in made] == sorted(one.density for one in made)
    assert made[0].density == 0
    assert made[-1].density > 0


def test_threads_share_a_typesetter(typeset):
    kinds = ["kudus", "rohul"] * 6
    alone = {kind: typeset(kind, page(kind)).pdf for kind in set(kinds)}
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda kind: typeset(kind, page(kind)).pdf, kinds))
    assert together == [alone[kind] for kind in kinds]


def test_a_killed_process_leaves_no_photo_for_long(tmp_path):
    office, permit = KINDS["malang"]
    make = lambda: Typesetter(files(office.code, permit.code), office.code, permit.code, tmp_path)  # noqa: E731
    make()
    root = next(tmp_path.iterdir())
    for name, age in (("photo-old.jpg", 7200), ("photo-new.jpg", 5)):
        (root / name).write_bytes(b"x")
        os.utime(root / name, (time.time() - age,) * 2)
    make()
    assert [one.name for one in root.glob("photo-*")] == ["photo-new.jpg"]


def test_files_are_laid_out_once_and_never_outside(tmp_path):
    good = {"_shared/a.txt": b"a", "x/y/b.txt": b"b"}
    with ThreadPoolExecutor(4) as pool:
        roots = set(pool.map(lambda _: lay_out(good, tmp_path), range(8)))
    assert len(roots) == 1
    assert [one.name for one in tmp_path.iterdir()] == [roots.pop().name]
    with pytest.raises(ValueError, match="outside"):
        lay_out({"../evil": b""}, tmp_path / "other")
