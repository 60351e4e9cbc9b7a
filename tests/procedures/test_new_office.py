"""A new office and a new permit type are data: TOML and one short page. No Python knows them."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from certs.make_dev_pki import make_dev_pki
from service.cli import main
from service.clock import SetClock
from service.demo import case_of
from service.document.check import template_check
from service.sop import check
from service.store.tables import permits
from tests.procedures.stories import (
    SYSTEM,
    archived_papers,
    client_of,
    done,
    edit,
    filled,
    issued,
    mandated,
    open_tree,
    seen_codes,
    text,
    told,
    tree_of,
)
from tests.support.office import payload, play, post, row

OFFICE, TYPE = "pulau-contoh", "sip-bidan"
DATA = Path(__file__).with_name(OFFICE)
LATE = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)  # half past one on the 21st in Jayapura


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    root = tree_of(tmp_path_factory.mktemp("baru"))
    shutil.copytree(DATA, root / OFFICE)
    return root


@pytest.fixture(scope="module")
def own_keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kunci")
    people = [(f"{OFFICE}.kadis", "Yosefina Contoh Wanggai"), (f"{OFFICE}.kabid", "Markus Contoh Rumbiak")]
    seals = [(f"{OFFICE}.segel", "DPMPTSP Kabupaten Pulau Contoh")]
    make_dev_pki(folder, people, seals, key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
    return folder


@pytest.fixture(scope="module")
def story(tmp_path_factory, templates, own_keys):
    teken = open_tree(tmp_path_factory.mktemp("rumah"), templates, own_keys, SetClock(LATE))
    body = case_of(teken.offices.permit_type(OFFICE, TYPE), "BARU-1", LATE)
    permit = row(teken, issued(teken, client_of(teken, OFFICE), body))
    yield teken, permit
    teken.close()


def test_the_office_is_nothing_but_data():
    assert {path.suffix for path in DATA.rglob("*") if path.is_file()} == {".toml", ".typ"}
    assert len((DATA / TYPE / "permit.typ").read_text().splitlines()) < 20


def test_the_office_passes_the_check(templates, capsys):
    assert check(templates, template_check=template_check) == []
    assert main(["office", "check", str(templates)]) == 0
    assert "lengkap dan benar" in capsys.readouterr().out


def test_its_case_is_read_signed_numbered_sealed_issued_and_handed_over(story):
    teken, permit = story
    assert done(teken, permit.id) == [
        (None, "assemble", None, SYSTEM),
        (2, "paraf", "kepala_bidang", "kabid"),
        (3, "sign", "kepala", "kabid"),  # as Plh.
        (4, "number", "loket", SYSTEM),
        (4, "seal", "loket", SYSTEM),
        (None, "issue", None, SYSTEM),
        (None, "notify", None, SYSTEM),
        (None, "archive", None, SYSTEM),
        (5, "survey", "loket", "loket_1"),
        (5, "handover", "loket", "loket_1"),
        (5, "receive", "loket", "loket_1"),
    ]
    assert mandated(teken, permit.id) == [
        (role, role) for role in ("kepala_bidang", "kepala", "loket", "loket", "loket")
    ]
    assert told(teken, permit.id)[-1] == ("permit.received_by_holder", "in_force")


def test_its_number_and_dates_follow_its_own_calendar(story):
    """The office's own pattern, start and time zone; three years to the day before the anniversary."""
    teken, permit = story
    assert permit.number == "07.II/SIPB/21-11/2026"
    assert (permit.set_on, permit.valid_to) == ("2026-11-21", "2029-11-20")
    paper = teken.archive.get(permit.released_sha)
    assert filled(paper) == {
        "nomor_register": "07.II/SIPB/21-11/2026",
        "tanggal_terbit": "21 November 2026",
        "berlaku_sampai": "20 November 2029",
    }
    assert "plh. kepala dinas" in text(paper).lower()
    assert "Markus Contoh Rumbiak, S.T." in text(paper)


def test_its_document_verifies_and_only_that_one_bears_a_qr(story):
    from service.verification import by_code, verify_file

    teken, permit = story
    paper = teken.archive.get(permit.released_sha)
    assert seen_codes(paper) == [permit.verify_url] == [f"HTTPS://IZIN.PULAU.EXAMPLE/V/{permit.code}"]
    assert {sha for sha, pdf in archived_papers(teken).items() if seen_codes(pdf)} == {permit.released_sha}
    file = verify_file(teken, paper)
    assert (str(file.verdict), file.number, file.office) == ("identical", permit.number, OFFICE)
    assert [(one.field, one.valid) for one in file.signatures] == [("ttd_kepala", True), ("segel", True)]
    answer = by_code(teken, permit.code, at=LATE)
    assert str(answer.state) == "in_force"
    assert (answer.permit.number, answer.permit.official_title) == (permit.number, "Plh. Kepala Dinas")
    assert "Suebu" not in answer.permit.holder  # this office masks the holder's name


def test_the_audit_finds_nothing(story):
    from service.audit import audit

    teken, _ = story
    assert audit(teken).violations == ()


def test_a_later_edit_of_the_templates_does_not_touch_an_accepted_case(tmp_path, keys):
    """Page, texts, letterhead and procedure: the case keeps its pinned files; the next case takes the new ones."""
    templates, home = tree_of(tmp_path, "malang"), tmp_path / "home"
    kind = ("malang", "sik-perekam-medis")
    teken = open_tree(home, templates, keys)
    client = client_of(teken, "malang")
    old = post(teken, client, payload(*kind, "UJI-LAMA")).body["id"]
    teken.close()

    edit(templates / "malang/office.toml", "Jalan Contoh Raya Nomor 3", "Jalan Pindahan Nomor 77")
    edit(templates / "malang/office.toml", "{klas}/{seq:04}/{type}", "{klas}/BARU/{seq:04}/{type}")
    edit(templates / "malang/sik-perekam-medis/permit.typ", "memberikan izin kerja", "MENGIZINKAN")
    edit(templates / "malang/sik-perekam-medis/fields.toml", 'label = "Nama tempat kerja"', 'label = "Fasilitas"')
    edit(templates / "_shared/labels.toml", 'number = "', 'number = "No. Register ')
    shutil.rmtree(home / "typeset", ignore_errors=True)

    teken = open_tree(home, templates, keys)
    new = post(teken, client, payload(*kind, "UJI-BARU")).body["id"]
    for permit in (old, new):
        play(teken, permit)
        assert row(teken, permit).state == "in_force"
    papers = {permit: text(teken.archive.get(row(teken, permit).released_sha)) for permit in (old, new)}
    changed = ("Jalan Pindahan Nomor 77", "MENGIZINKAN", "Fasilitas", "No. Register", "/BARU/")
    assert [words for words in changed if words in papers[old]] == []
    assert [words for words in changed if words not in papers[new]] == []
    teken.close()


def test_the_pinned_case_gives_the_very_bytes_that_it_would_have_given(tmp_path, keys):
    """Twice the same case, once with the templates changed after it was accepted: the paper to be signed is the same file."""
    kind, finals = ("malang", "sik-perekam-medis"), []
    for name in ("tetap", "diubah"):
        templates = tree_of(tmp_path / name, "malang")
        teken = open_tree(tmp_path / name / "home", templates, keys)
        permit = post(teken, client_of(teken, "malang"), payload(*kind)).body["id"]
        if name == "diubah":
            teken.close()
            edit(templates / "malang/sik-perekam-medis/permit.typ", "memberikan izin kerja", "MENGIZINKAN")
            shutil.rmtree(tmp_path / name / "home" / "typeset", ignore_errors=True)
            teken = open_tree(tmp_path / name / "home", templates, keys)
        with teken.db.write() as connection:  # two cases differ in code and address alone: make them equal
            same = {"code": "0" * 16, "verify_url": "HTTPS://IZIN.MALANG.EXAMPLE/V/" + "0" * 16}
            connection.execute(update(permits).where(permits.c.id == permit).values(**same))
        play(teken, permit)
        finals.append(teken.archive.get(row(teken, permit).ordered_sha))
        teken.close()
    assert finals[0] == finals[1]
