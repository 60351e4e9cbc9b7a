"""The five procedures against tables written by hand from the SOP texts: every row, its verb, how, actor and time."""

import re
from datetime import date
from pathlib import Path

import pytest

from service.sop import check, load_bundle, load_offices
from service.sop.load import tree
from service.sop.model import By, Verb

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
HARI = 480

ROKAN_HILIR = [
    (1, "apply", "attested", "pemohon", 30),
    (2, "check", "attested", "back_office", 15),
    (3, "forward", "attested", "back_office", 4 * HARI),
    (4, "recommend", "attested", "tim_teknis", 10),
    (5, "verify", "attested", "ahli_muda", 10),
    (6, "approve", "attested", "ahli_madya", 10),
    (7, "number", "done", "back_office", 10),
    (8, "sign", "done", "kepala_dinas", 15),
    (9, "print", "done", "back_office", 15),
    (10, "handover", "done", "pemohon", 5),
]
ROKAN_HULU = [
    (1, "apply", "attested", "pemohon", None),
    (2, "check", "attested", "front_office", None),
    (3, "recommend", "attested", "tim_teknis", None),
    (4, "enter", "attested", "back_office", None),
    (5, "verify", "done", "kepala_seksi", None),
    (6, "verify", "done", "kepala_bidang", None),
    (7, "verify", "done", "sekretaris", None),
    (8, "approve", "done", "kepala_dinas", None),
    (9, "number", "done", "back_office", None),
    (10, "sign", "replaced", "kepala_dinas", None),
    (11, "handover", "done", "pemohon", None),
]
MALANG = [
    (1, "apply", "attested", "pemohon", 0),
    (2, "check", "attested", "petugas_perekonomian", 1 * HARI),
    (3, "recommend", "attested", "tim_teknis", 2 * HARI),
    (4, "verify", "done", "petugas_perekonomian", 1 * HARI),
    (5, "paraf", "done", "ahli_muda", 2 * 60),
    (6, "paraf", "done", "ahli_madya", 4 * 60),
    (7, "paraf", "done", "sekretaris", 2 * 60),
    (8, "print", "done", "petugas_perekonomian", 4 * 60),
    (9, "sign", "replaced", "kepala_dinas", 4 * 60),
    (10, "number", "replaced", "petugas_perekonomian", 2 * 60),
    (11, "notify", "replaced", "petugas_perekonomian", 2 * 60),
    (12, "deliver", "done", "petugas_sekretariat", 2 * 60),
    (13, "handover", "done", "pemohon", 2 * 60),
]
KUDUS = [
    (1, "apply", "attested", "pemohon", 3),
    (2, "enter", "attested", "petugas_gerai", 5),
    (3, "check", "attested", "petugas_gerai", 1 * HARI),
    (4, "recommend", "attested", "opd_teknis", None),
    (5, "assemble", "done", "pemroses", None),
    (6, "verify", "done", "sub_koordinator", 1 * HARI),
    (7, "verify", "done", "koordinator", 1 * HARI),
    (8, "sign", "replaced", "kepala_dinas", 3 * HARI),
    (9, "number", "done", "pemroses", None),
    (10, "deliver", "done", "pemroses", None),
    (11, "handover", "done", "petugas_gerai", None),
    (12, "receive", "done", "pemohon", None),
]
# office, type, SOP, rows, stated total in minutes, standard times' sum in minutes
PROCEDURES = [
    ("rokan-hilir", "sip-perekam-medis", "000", ROKAN_HILIR, None, 4 * HARI + 120),
    ("rokan-hilir", "sip-penata-anestesi", "004", ROKAN_HILIR, None, 4 * HARI + 120),
    ("rokan-hulu", "surat-izin-perekam-medik", "001", ROKAN_HULU, 5 * HARI, 0),
    ("malang", "sik-perekam-medis", "002", MALANG, 7 * HARI, 7 * HARI),
    ("kudus", "sip-perekam-medis", "003", KUDUS, None, 6 * HARI + 8),
]
# office -> the acts, "verb row", with "-" for Teken's own
PLANS = {
    "rokan-hilir": "assemble - | number 7 | sign 8 | issue - | notify - | archive - | print 9 | survey 10 | handover 10",
    "rokan-hulu": "assemble - | verify 5 | verify 6 | verify 7 | approve 8 | number 9 | print 9 | sign 10 | seal 10"
    " | issue - | notify - | archive - | handover 11",
    "malang": "verify 4 | assemble 4 | paraf 5 | paraf 6 | paraf 7 | print 8 | sign 9 | number 10 | seal 10 | issue -"
    " | notify 11 | archive 11 | deliver 12 | handover 13",
    "kudus": "assemble 5 | verify 6 | verify 7 | sign 8 | number 9 | seal 9 | issue - | notify - | archive -"
    " | deliver 10 | handover 11 | receive 12",
}
TTE_DAHULU = (
    "assemble - | verify 5 | verify 6 | verify 7 | approve 8 | number 9 | sign 10 | seal 10 | issue - | notify -"
    " | archive - | print 9 | handover 11"
)


@pytest.fixture(scope="module")
def catalogue():
    return load_offices(TEMPLATES)


def plan_text(procedure):
    return " | ".join(f"{act.verb} {act.row or '-'}" for act in procedure.plan)


@pytest.mark.parametrize("case", PROCEDURES, ids=lambda case: case[2])
def test_every_row_is_as_in_the_sop(catalogue, case):
    office, code, sop, rows, total, total_of_rows = case
    procedure = catalogue.permit_type(office, code).procedure
    assert procedure.sop == sop
    assert [(r.no, r.verb, r.how, r.actor, r.standard_minutes) for r in procedure.rows] == rows
    assert procedure.total_minutes == total
    assert sum(row.standard_minutes or 0 for row in procedure.rows) == total_of_rows


@pytest.mark.parametrize(("office", "code"), [(case[0], case[1]) for case in PROCEDURES])
def test_the_plan(catalogue, office, code):
    assert plan_text(catalogue.permit_type(office, code).procedure) == PLANS[office]


def test_number_and_seal(catalogue):
    found = {one.office: (one.procedure.number_first, one.procedure.sealed) for one in catalogue}
    assert found == {
        "rokan-hilir": (True, False),
        "rokan-hulu": (True, True),
        "malang": (False, True),
        "kudus": (False, True),
    }


def test_the_other_branch_of_row_nine_prints_the_signed_permit():
    files = tree(TEMPLATES)
    path = "rokan-hulu/office.toml"
    files[path] = files[path].replace(b'= "cetak_dahulu"', b'= "tte_dahulu"')
    _, permit_type = load_bundle(files, "rokan-hulu", "surat-izin-perekam-medik")
    assert permit_type.procedure.branch == "tte_dahulu"
    assert plan_text(permit_type.procedure) == TTE_DAHULU
    assert [row.no for row in permit_type.procedure.rows] == list(range(1, 12))


def test_the_sops_own_branch_holds_where_the_office_chooses_none():
    files = tree(TEMPLATES)
    path = "rokan-hulu/office.toml"
    text = files[path].decode()
    files[path] = re.sub(r'\[branches\].*?"cetak_dahulu"\n', "", text, flags=re.S).encode()
    _, permit_type = load_bundle(files, "rokan-hulu", "surat-izin-perekam-medik")
    assert permit_type.procedure.branch == "cetak_dahulu"


def test_who_moves_each_act(catalogue):
    acts = [act for one in catalogue for act in one.procedure.plan]
    worker = {Verb.ASSEMBLE, Verb.NUMBER, Verb.ISSUE, Verb.NOTIFY, Verb.ARCHIVE}
    for act in acts:
        assert (act.by is By.WORKER) == (act.verb in worker)
        assert (act.by is By.SIGNER) == (act.verb is Verb.SEAL)
        assert (act.row is None) == (act.role is None)


def test_a_pemohon_never_presses_here(catalogue):
    for one in catalogue:
        office = catalogue.office(one.office)
        for act in one.procedure.plan:
            assert act.role is None or office.roles[act.role].internal


def test_the_outputs_that_the_sops_state(catalogue):
    outputs = {one.procedure.sop: [row.output is not None for row in one.procedure.rows] for one in catalogue}
    assert outputs["000"] == [True] * 3 + [False] * 7
    assert outputs["004"] == [True] * 10
    assert outputs["002"] == [True] * 13
    assert outputs["003"] == [True, False] + [True] * 10


def test_every_replaced_row_names_decisions_that_exist(catalogue):
    written = {path.name[:4] for path in (ROOT / "docs" / "adr").glob("*.md")}
    replaced = [row for one in catalogue for row in one.procedure.rows if row.replaced]
    assert {row.no for row in replaced if row.how == "done"} == {8, 9}
    assert len(replaced) == 8
    for row in replaced:
        assert set(row.replaced.adr.split(", ")) <= written


def test_requirements_where_the_sop_lists_them(catalogue):
    assert len(catalogue.permit_type("rokan-hulu", "surat-izin-perekam-medik").requirements) == 11
    assert len(catalogue.permit_type("kudus", "sip-perekam-medis").requirements) == 7


def test_a_photo_only_where_the_sop_lists_one(catalogue):
    photos = {one.procedure.sop: one.photo and one.photo.ratio for one in catalogue}
    assert photos == {"000": None, "001": "3x4", "002": None, "003": "4x6", "004": None}


REPEALED = ("Nomor 36 Tahun 2009", "Nomor 36 Tahun 2014", "Nomor 269/", "Nomor 2052/", "Nomor 11 Tahun 2020")


def test_repealed_acts_are_never_printed_on_a_new_permit(catalogue):
    today = date(2026, 11, 23)
    for one in catalogue:
        printed = [b for b in one.legal_basis if (b.since or today) <= today <= (b.until or today)]
        assert printed
        assert "Nomor 17 Tahun 2023" in printed[0].text
        assert not [basis.text for basis in printed if any(act in basis.text for act in REPEALED)]


def test_no_real_person_stands_in_the_data(catalogue):
    """The heads named in SOP 000 and 002, in any file."""
    for path, content in tree(TEMPLATES).items():
        if path.endswith(".toml"):
            text = content.decode().lower()
            assert "sulastri" not in text
            assert "hutagalung" not in text
    for office in catalogue.offices.values():
        assert office.public_url.endswith(".example")


def test_every_nip_is_consistent(catalogue):
    for office in catalogue.offices.values():
        for person in office.people:
            birth = date(int(person.nip[:4]), int(person.nip[4:6]), int(person.nip[6:8]))
            hired = date(int(person.nip[8:12]), int(person.nip[12:14]), 1)
            assert 18 <= hired.year - birth.year <= 35
            assert len(person.nip) == 18


@pytest.mark.parametrize(
    "day", [date(2024, 6, 3), date(2026, 8, 31), date(2026, 9, 1), date(2026, 11, 23), date(2030, 1, 2)]
)
def test_exactly_one_head_on_every_day(catalogue, day):
    for office in catalogue.offices.values():
        heads = [
            (person.code, kind)
            for person in office.people
            for role, kind, since, to, _ in person.roles
            if role == "kepala_dinas" and since <= day <= (to or day)
        ]
        assert len(heads) == 1, (office.code, heads)
    assert any(kind == "plt" for person in catalogue.office("kudus").people for _, kind, *_ in person.roles)


def test_patterns_differ_between_offices(catalogue):
    patterns = [series.pattern for office in catalogue.offices.values() for series in office.series.values()]
    assert len(set(patterns)) == 4
    assert any("{MM_roman}" in pattern for pattern in patterns)
    assert catalogue.office("rokan-hilir").series["nakes"].scope == "type"


def test_the_whole_tree_is_sound():
    assert check(TEMPLATES) == []
