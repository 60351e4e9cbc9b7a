"""A rehearsal finds every reason at once; the final is prepared for exactly the procedure's signatures."""

from __future__ import annotations

import io

import pikepdf
import pytest

from service.document import RehearsalFailed
from service.document.fields import field_specs, final
from service.document.markers import markers
from service.document.rehearse import rehearse
from signing import ARCHIVE_FIELDS as ARCHIVE
from tests.document.offices import AT, KINDS, page, photo


def codes(error) -> set[tuple[str, str]]:
    return {(fault.code, fault.pointer) for fault in error.value.faults}


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_case_is_rehearsed_with_the_longest_number(kind, typesetters):
    permit = KINDS[kind][1]
    trial = rehearse(typesetters(kind), permit, page(kind, number=None), photo=photo(kind), timestamp=AT)
    assert trial.pages == 1


def test_every_reason_is_told(typesetters):
    bad = page("kudus", {"applicant.nama": "Ali \u0639", "practice.nama": "x" * 60}, clauses=("Panjang. " * 300,) * 3)
    with pytest.raises(RehearsalFailed) as caught:
        rehearse(typesetters("kudus"), KINDS["kudus"][1], bad, photo=None, timestamp=AT)
    assert {
        ("missing_glyph", "/applicant/nama"),
        ("long_word", "/practice/nama"),
        ("photo_missing", "/photo"),
    } <= codes(caught)
    assert {"does_not_fit", "typesetting_failed"} & {code for code, _ in codes(caught)}


def test_wrong_markers_are_told(typesetters):
    with pytest.raises(RehearsalFailed) as caught:
        rehearse(typesetters("malang"), KINDS["rohil-pm"][1], page("malang"), photo=None, timestamp=AT)
    assert codes(caught) == {("markers_differ", "")}


@pytest.mark.parametrize(
    ("kind", "locks"),
    [
        ("rohil-pm", {}),
        ("rohul", {"ttd_kepala": ("exclude", ("segel", *ARCHIVE), 2), "segel": ("exclude", ARCHIVE, 1)}),
        (
            "malang",
            {
                "ttd_kepala": (
                    "exclude",
                    ("nomor_register", "tanggal_terbit", "berlaku_sampai", "segel", *ARCHIVE),
                    2,
                ),
                "segel": ("exclude", ARCHIVE, 1),
            },
        ),
    ],
)
def test_each_signature_freezes_what_the_order_allows(kind, locks):
    specs = field_specs(KINDS[kind][1].procedure, page(kind))
    found = {s.name: (s.lock.action, s.lock.fields, s.lock.permission) for s in specs if s.lock}
    assert found == locks
    assert all(spec.label for spec in specs)


@pytest.mark.parametrize("kind", KINDS)
def test_the_final_has_fields_and_no_markers(kind, typesetters):
    permit = KINDS[kind][1]
    made = [final(typesetters(kind), permit.procedure, page(kind), photo=photo(kind), timestamp=AT) for _ in range(2)]
    assert made[0].pdf == made[1].pdf
    assert markers(made[0].pdf) == ()
    with pikepdf.open(io.BytesIO(made[0].pdf)) as document:
        names = {str(one.T) for one in document.Root.AcroForm.Fields}
    assert names == {spec.name for spec in field_specs(permit.procedure, page(kind))}
