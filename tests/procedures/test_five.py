"""The five procedures, played to the end: every row by the person whom the SOP names, in its order, and what the world was told."""

from itertools import pairwise

import pytest

from service.permits import State, may_become
from service.queries import steps
from tests.procedures.stories import (
    SYSTEM,
    archived_papers,
    done,
    issued,
    mandated,
    printed,
    seen_by_poppler,
    seen_codes,
    text,
    told,
)
from tests.support.office import OFFICES, TYPES, client_of, open_office, payload, qr_text, row

# SOP row, verb, role, who; "-" is Teken itself on behalf of the row's actor, a row of None is Teken's own step
ROKAN_HILIR = [
    (None, "assemble", None, SYSTEM),
    (7, "number", "back_office", SYSTEM),
    (8, "sign", "kepala_dinas", "kadis"),
    (None, "issue", None, SYSTEM),
    (None, "notify", None, SYSTEM),
    (None, "archive", None, SYSTEM),
    (9, "print", "back_office", "back_office_1"),
    (10, "survey", "back_office", "back_office_1"),
    (10, "handover", "back_office", "back_office_1"),
]
ACTS = {
    "000": ROKAN_HILIR,
    "004": ROKAN_HILIR,
    "001": [
        (None, "assemble", None, SYSTEM),
        (5, "verify", "kepala_seksi", "kasi"),
        (6, "verify", "kepala_bidang", "kabid"),
        (7, "verify", "sekretaris", "sekretaris"),
        (8, "approve", "kepala_dinas", "kadis"),
        (9, "number", "back_office", SYSTEM),
        (9, "print", "back_office", "back_office_1"),
        (10, "sign", "kepala_dinas", "kadis"),
        (10, "seal", "kepala_dinas", SYSTEM),
        (None, "issue", None, SYSTEM),
        (None, "notify", None, SYSTEM),
        (None, "archive", None, SYSTEM),
        (11, "handover", "loket_informasi", "loket_1"),
    ],
    "002": [
        (4, "verify", "petugas_perekonomian", "perekonomian_1"),
        (4, "assemble", "petugas_perekonomian", SYSTEM),
        (5, "paraf", "ahli_muda", "ahli_muda"),
        (6, "paraf", "ahli_madya", "ahli_madya"),
        (7, "paraf", "sekretaris", "sekretaris"),
        (8, "print", "petugas_perekonomian", "perekonomian_1"),
        (9, "sign", "kepala_dinas", "kadis"),
        (10, "number", "petugas_perekonomian", SYSTEM),
        (10, "seal", "petugas_perekonomian", SYSTEM),
        (None, "issue", None, SYSTEM),
        (11, "notify", "petugas_perekonomian", SYSTEM),
        (11, "archive", "petugas_perekonomian", SYSTEM),
        (12, "deliver", "petugas_sekretariat", "sekretariat_1"),
        (13, "handover", "petugas_sekretariat", "sekretariat_1"),
    ],
    "003": [
        (5, "assemble", "pemroses", SYSTEM),
        (6, "verify", "sub_koordinator", "sub_koordinator"),
        (7, "verify", "koordinator", "koordinator"),
        (8, "sign", "kepala_dinas", "plt_kadis"),  # the head retired in August; a Plt. acts on the day of this story
        (9, "number", "pemroses", SYSTEM),
        (9, "seal", "pemroses", SYSTEM),
        (None, "issue", None, SYSTEM),
        (None, "notify", None, SYSTEM),
        (None, "archive", None, SYSTEM),
        (10, "deliver", "pemroses", "pemroses_1"),
        (11, "handover", "petugas_gerai", "gerai_1"),
        (12, "receive", "petugas_gerai", "gerai_1"),
    ],
}

# event and the state that it tells
ISSUE = [("permit.issued", "in_force"), ("permit.ready", "in_force"), ("permit.archived", "in_force")]
STORY_OF_ROKAN_HILIR = [
    ("case.accepted", "received"),
    ("permit.drafted", "drafted"),
    ("permit.numbered", "numbered"),
    ("permit.rendered", "numbered"),
    ("permit.sign_ordered", "signing"),
    ("permit.signed", "signed"),
    *ISSUE,
    ("permit.printed", "in_force"),
    ("permit.surveyed", "in_force"),
    ("permit.handed_over", "in_force"),
]
STORIES = {
    "000": STORY_OF_ROKAN_HILIR,
    "004": STORY_OF_ROKAN_HILIR,
    "001": [
        ("case.accepted", "received"),
        ("permit.drafted", "drafted"),
        ("permit.verified", "in_paraf"),
        ("permit.verified", "in_paraf"),
        ("permit.verified", "in_paraf"),
        ("permit.approved", "in_paraf"),
        ("permit.numbered", "numbered"),
        ("permit.rendered", "numbered"),
        ("permit.printed", "numbered"),
        ("permit.sign_ordered", "signing"),
        ("permit.signed", "signed"),
        ("permit.sealed", "sealed"),
        *ISSUE,
        ("permit.handed_over", "in_force"),
    ],
    "002": [
        ("case.accepted", "received"),
        ("permit.verified", "received"),
        ("permit.drafted", "drafted"),
        ("permit.parafed", "in_paraf"),
        ("permit.parafed", "in_paraf"),
        ("permit.parafed", "in_paraf"),
        ("permit.printed", "in_paraf"),
        ("permit.sign_ordered", "signing"),
        ("permit.signed", "signed"),
        ("permit.numbered", "signed"),
        ("permit.sealed", "sealed"),
        *ISSUE,
        ("permit.delivered", "in_force"),
        ("permit.handed_over", "in_force"),
    ],
    "003": [
        ("case.accepted", "received"),
        ("permit.drafted", "drafted"),
        ("permit.verified", "in_paraf"),
        ("permit.verified", "in_paraf"),
        ("permit.sign_ordered", "signing"),
        ("permit.signed", "signed"),
        ("permit.numbered", "signed"),
        ("permit.sealed", "sealed"),
        *ISSUE,
        ("permit.delivered", "in_force"),
        ("permit.handed_over", "in_force"),
        ("permit.received_by_holder", "in_force"),
    ],
}
# the first number of each register on 20 November 2026, and the last valid day: five years later, or the end of the STR
NUMBERS = {
    "000": ("503.440/001/SIP-PM/DPMPTSP/2026", "20 November 2031"),
    "001": ("503.445/DPMPTSP-SIPM/XI/2026/001", "20 November 2031"),
    "002": ("500.16.7.2/0001/SIK-PM/I/DPMPTSP/2026", "20 November 2031"),
    "003": ("446/001.XI.26/SIP-PM/DPMPTSP", "14 April 2029"),
    "004": ("503.440/001/SIP-PA/DPMPTSP/2026", "15 Mei 2028"),
}
PRINTED_BEFORE_SIGNATURE = ("001", "002")
PRINTED_AFTER_ISSUE = ("000", "004")


@pytest.fixture(scope="module")
def house(tmp_path_factory, keys):
    """One office after another plays its procedure in one database; nothing is changed afterwards."""
    teken = open_office(tmp_path_factory.mktemp("lima"), keys)
    permits = {
        OFFICES.permit_type(office, kind).procedure.sop: issued(teken, client_of(teken, office), payload(office, kind))
        for office, kind in TYPES
    }
    yield teken, permits
    teken.close()


sops = pytest.mark.parametrize("sop", sorted(ACTS))


@sops
def test_every_row_is_done_in_the_order_of_the_sop_by_the_person_whom_it_names(house, sop):
    teken, permits = house
    assert done(teken, permits[sop]) == ACTS[sop]
    rows = [number for number, *_ in ACTS[sop] if number is not None]
    assert rows == sorted(rows)


@sops
def test_each_person_acted_under_a_mandate_for_the_rows_own_role(house, sop):
    teken, permits = house
    people = [role for _, _, role, who in ACTS[sop] if who != SYSTEM]
    assert mandated(teken, permits[sop]) == [(role, role) for role in people]


@sops
def test_the_world_is_told_each_step_and_state_once(house, sop):
    teken, permits = house
    assert told(teken, permits[sop]) == STORIES[sop]


@sops
def test_the_list_of_rows_has_a_time_for_each_and_says_what_was_replaced(house, sop):
    teken, permits = house
    listed = steps(teken, permits[sop])
    assert [one["no"] for one in listed] == list(range(1, len(listed) + 1))
    assert [one["no"] for one in listed if one["done_at"] is None] == []
    times = [one["done_at"] for one in listed if one["how"] == "attested"]
    assert times == sorted(times)
    assert all(one["replaced"] for one in listed if one["how"] == "replaced")


@sops
def test_its_number_follows_the_offices_pattern_and_stands_on_the_paper(house, sop):
    teken, permits = house
    permit, (number, last_day) = row(teken, permits[sop]), NUMBERS[sop]
    assert permit.number == number
    assert (permit.set_on, permit.valid_from) == ("2026-11-20", "2026-11-20")
    paper = text(teken.archive.get(permit.released_sha))
    assert [words for words in (number, "20 November 2026", last_day) if words not in paper] == []


@sops
def test_the_qr_of_the_released_document_opens_its_verification_page(house, sop, tmp_path):
    teken, permits = house
    permit = row(teken, permits[sop])
    paper = teken.archive.get(permit.released_sha)
    assert seen_codes(paper) == [qr_text(permit)]
    assert seen_by_poppler(paper, tmp_path) == [qr_text(permit)]
    assert permit.verify_url.endswith(f"/V/{permit.code}")


def test_no_other_paper_in_the_archive_bears_a_qr_or_the_codes_address(house):
    teken, permits = house
    released = {row(teken, permit).released_sha for permit in permits.values()}
    papers = archived_papers(teken)
    assert released < set(papers)
    assert {sha for sha, pdf in papers.items() if seen_codes(pdf)} == released


@pytest.mark.parametrize("sop", PRINTED_BEFORE_SIGNATURE)
def test_a_print_before_the_signature_is_a_draft_without_qr_and_without_code(house, sop):
    teken, permits = house
    permit = row(teken, permits[sop])
    [(number, kind, sha)] = printed(teken, permit.id)
    assert (number, kind) == (1, "draf")
    copy = teken.archive.get(sha)
    words = text(copy)
    assert "DRAF" in words
    assert seen_codes(copy, dpi=300) == []
    spaced = " ".join(permit.code[at : at + 4] for at in range(0, 16, 4))
    assert not [form for form in (permit.code, spaced, spaced.replace(" ", "-")) if form in words]
    assert "/V/" not in words.upper().replace(" ", "")
    assert (NUMBERS[sop][0] in words) == (sop == "001")  # Malang numbers after the signature: its draft can have none


@pytest.mark.parametrize("sop", PRINTED_AFTER_ISSUE)
def test_a_print_after_issue_is_the_released_document_itself(house, sop):
    teken, permits = house
    assert printed(teken, permits[sop]) == [(1, "asli", row(teken, permits[sop]).released_sha)]


@sops
def test_what_the_head_signed_begins_with_what_he_read(house, sop):
    teken, permits = house
    permit = row(teken, permits[sop])
    read, signed = teken.archive.get(permit.ordered_sha), teken.archive.get(permit.released_sha)
    assert signed.startswith(read)
    assert len(signed) > len(read)
    assert permit.ordered_sha == permit.final_sha


def test_every_state_was_passed_only_as_the_table_allows(house):
    teken, permits = house
    for permit in permits.values():
        states = [State(state) for _, state in told(teken, permit)]
        assert [(now, then) for now, then in pairwise(states) if now != then and not may_become(now, then)] == []
