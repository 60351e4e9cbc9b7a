"""Malformed data: every fault is told with its file, its table and its key, and nothing but OfficeInvalid escapes."""

import pytest

from service.sop import OfficeInvalid, bundle_files, check, load_bundle, load_offices
from service.sop.faults import MESSAGES, SopFault
from service.sop.load import read_offices
from tests.sop.contoh import changed, files

OFFICE = "contoh/office.toml"
SOP = "contoh/izin-satu/sop.toml"
SOP2 = "contoh/izin-dua/sop.toml"
FIELDS = "contoh/izin-satu/fields.toml"

NOTICES = '[notices]\nchannels = ["email", "sms"]\nkinds = ["ready"]\n'

# file, old text, new text, table and key of the one fault, a part of its message
CASES = [
    # office.toml: shape
    (OFFICE, 'code = "contoh"', 'code = "contoh"\nwarna = "biru"', "", "warna", "tidak dikenal"),
    (OFFICE, 'city = "Kota Contoh"\n', "", "", "city", "wajib"),
    (OFFICE, 'city = "Kota Contoh"', "city = 7", "", "city", "teks"),
    (OFFICE, 'city = "Kota Contoh"', 'city = " "', "", "city", "kosong"),
    (OFFICE, 'city = "Kota Contoh"', 'city = "Kota\\nContoh"', "", "city", "kendali"),
    (OFFICE, 'code = "contoh"', 'code = "lain"', "", "code", "foldernya"),
    (OFFICE, 'code = "contoh"', 'code = "Contoh"', "", "code", "huruf kecil"),
    (OFFICE, "https://izin.contoh.example", "http://izin.contoh.example", "", "public_url", "https://"),
    (OFFICE, "https://izin.contoh.example", "https://izin.contoh.example/v", "", "public_url", "https://"),
    (OFFICE, "Asia/Jakarta", "Asia/Tokyo", "", "timezone", "salah satu"),
    (OFFICE, "#0b4f8a", "biru", "", "brand", "#rrggbb"),
    (OFFICE, '["PEMERINTAH KABUPATEN CONTOH"]', "[]", "letterhead", "lines", "kosong"),
    (
        OFFICE,
        'address = "Jalan Contoh Nomor 1"',
        'address = "Jalan"\nemblem = "../x.svg"',
        "letterhead",
        "emblem",
        "folder",
    ),
    (OFFICE, 'font = "TeX Gyre Bonum"', 'font = "X"\nsize = "A3"', "paper", "size", "salah satu"),
    (OFFICE, '"07:30"', '"7.30"', "calendar", "opens", "07:30"),
    (OFFICE, '"16:00"', '"14:00"', "calendar", "closes", "hours_per_day"),
    (OFFICE, "[1, 2, 3, 4, 5]", "[1, 2, 8]", "calendar", "workdays[3]", "paling banyak 7"),
    (OFFICE, "[1, 2, 3, 4, 5]", "[1, 2, 2]", "calendar", "workdays[3]", "sudah dipakai"),
    (OFFICE, "[2026-12-25]", '[2026-12-25, "2026-12-26"]', "calendar", "holidays[2]", "tanggal"),
    (OFFICE, "[2026-12-25]", "[2026-12-25T00:00:00]", "calendar", "holidays[1]", "tanggal"),
    (OFFICE, '"B-LT"', '"B-B"', "levels", "target", "B-T"),
    (OFFICE, 'izin-dua = "cepat"', 'izin-dua = "kilat"', "branches", "izin-dua", "kilat"),
    (OFFICE, 'izin-dua = "cepat"', 'izin-tiga = "cepat"', "branches", "izin-tiga", "tidak ada"),
    (OFFICE, 'izin-dua = "cepat"', 'izin-satu = "cepat"', "branches", "izin-satu", "cepat"),
    # office.toml: who signs
    (OFFICE, "[branches]", '[signing]\nbackend = "kertas"\n\n[branches]', "signing", "backend", "salah satu"),
    (OFFICE, "[branches]", '[signing]\nreturned = "lain"\n\n[branches]', "signing", "returned", "salah satu"),
    (OFFICE, "[branches]", '[signing]\nurl = "https://x"\n\n[branches]', "signing", "url", "tidak dikenal"),
    (OFFICE, "[branches]", '[signing]\nreturned = "strict"\n\n[branches]', "signing", "returned", "pkcs12"),
    # office.toml: what applicants are told
    (OFFICE, "[branches]", '[notices]\nkinds = ["ready"]\n\n[branches]', "notices", "channels", "wajib"),
    (
        OFFICE,
        "[branches]",
        f'{NOTICES}quiet = {{ from = "8", to = "07:00" }}\n[branches]',
        "notices.quiet",
        "from",
        "07:30",
    ),
    (OFFICE, "[branches]", f'{NOTICES}link = "https://x"\n[branches]', "notices", "link", "salah satu"),
    (OFFICE, "[branches]", NOTICES.replace("sms", "email") + "[branches]", "notices", "channels[2]", "sudah dipakai"),
    (OFFICE, "[branches]", f"{NOTICES}texts.ready = 'NIK $nik'\n[branches]", "notices.texts", "ready", "$number"),
    (OFFICE, "[branches]", f"{NOTICES}texts.ready = 'Rp$ 1'\n[branches]", "notices.texts", "ready", "$$"),
    (
        OFFICE,
        "[branches]",
        f"{NOTICES}texts.returned = '$number'\n[branches]",
        "notices.texts",
        "returned",
        "$application",
    ),
    # office.toml: roles, people, series
    (OFFICE, 'title = "Pemohon"', 'title = ""', "roles.pemohon", "title", "kosong"),
    (OFFICE, "signs = true", 'signs = "ya"', "roles.kepala", "signs", "true"),
    (OFFICE, "[roles.kosong]", "[roles.Kosong]", "roles", "Kosong", "huruf kecil"),
    (OFFICE, 'role = "kepala"', 'role = "raja"', "people[1].roles[1]", "role", "raja"),
    (OFFICE, 'role = "petugas"', 'role = "pemohon"', "people[2].roles[1]", "role", "internal"),
    (OFFICE, "to = 2026-08-31", "to = 2023-08-31", "people[1].roles[1]", "to", "berakhir"),
    (
        OFFICE,
        'kind = "definitif", from = 2024-01-02, to',
        'kind = "pjs", from = 2024-01-02, to',
        "people[1].roles[1]",
        "kind",
        "plt",
    ),
    (OFFICE, "from = 2024-01-02, ", "", "people[1].roles[1]", "from", "wajib"),
    (OFFICE, "197405121999032004", "197413121999032004", "people[1]", "nip", "NIP"),
    (OFFICE, "197405121999032004", "19740512 199903 2 004", "people[1]", "nip", "NIP"),
    (OFFICE, "199108172015031003", "197405121999032004", "people[2]", "nip", "sudah dipakai"),
    (OFFICE, 'code = "dua"', 'code = "satu"', "people[2]", "code", "sudah dipakai"),
    (OFFICE, "{klas}/{seq:03}/{type}/DPMPTSP/{yyyy}", "{klas}/{type}/{yyyy}", "series.umum", "pattern", "{seq}"),
    (OFFICE, "{klas}/{seq:03}/{type}/DPMPTSP/{yyyy}", "{klas}/{seq}/{unit}/{yyyy}", "series.umum", "pattern", "{unit}"),
    (OFFICE, "{klas}/{seq:03}/{type}/DPMPTSP/{yyyy}", "{klas}/{seq}/{yyyy", "series.umum", "pattern", "kurung"),
    (OFFICE, "{klas}/{seq:03}/{type}/DPMPTSP/{yyyy}", "{klas:03}/{seq}/{yyyy}", "series.umum", "pattern", "lebar"),
    (OFFICE, "{klas}/{seq:03}/{type}/DPMPTSP/{yyyy}", "{klas}/{seq}/{type}", "series.umum", "pattern", "tahun"),
    (OFFICE, "{klas}/{seq:03}/{type}/DPMPTSP/{yyyy}", "{seq}/{yyyy}", "series.umum", "pattern", "per jenis izin"),
    (
        OFFICE,
        "{klas}/{seq:03}/{type}/DPMPTSP/{yyyy}",
        "{klas}{seq}/{type}/{yyyy}",
        "series.umum",
        "pattern",
        "dipisahkan",
    ),
    (OFFICE, "{klas}/{seq:03}/{type}/DPMPTSP/{yyyy}", "{klas}/{seq}A/{yyyy}", "series.umum", "pattern", "menempel"),
    (
        OFFICE,
        "{klas}/{seq:03}/{type}/DPMPTSP/{yyyy}",
        "{klas}.{seq}/{type}/{yyyy}",
        "series.umum",
        "pattern",
        "garis miring",
    ),
    (OFFICE, 'reset = "yearly"', 'reset = "monthly"', "series.umum", "pattern", "bulan"),
    (OFFICE, 'reset = "yearly"', 'reset = "yearly"\nstart = 0', "series.umum", "start", "paling sedikit 1"),
    # sop.toml: shape and rows
    (SOP, 'title = "Izin Satu"', 'title = "Izin Satu"\nurut = 1', "sop", "urut", "tidak dikenal"),
    (SOP, '"2 hari kerja"', '"dua hari"', "sop", "total", "hari kerja"),
    (SOP, '"10 menit"', '"10 Menit"', "row[3]", "standard", "N menit"),
    (SOP, 'verb = "apply"', 'verb = "beg"', "row[1]", "verb", "salah satu"),
    (SOP, "no = 3", "no = 4", "row[3]", "no", "baris 3"),
    (SOP, 'text = "Memeriksa."', 'text = "Memeriksa."\nwaktu = 3', "row[2]", "waktu", "tidak dikenal"),
    (SOP, 'text = "Memeriksa."', 'text = "Memeriksa."\nbranch = "x"', "row[2]", "branch", "branches"),
    (SOP, 'actor = "kepala"', 'actor = "raja"', "row[4]", "actor", "raja"),
    (SOP, 'by = "petugas"\n', "", "row[5]", "actor", "internal"),
    (SOP, 'by = "petugas"', 'by = "kosong"', "row[5]", "by", "pemegang"),
    (SOP, 'actor = "kepala"', 'actor = "petugas"', "row[4]", "actor", "signs"),
    (SOP, 'text = "Mengajukan."', 'text = "Mengajukan."\nby = "petugas"', "row[1]", "by", "attested"),
    (SOP, 'verb = "verify"', 'verb = "enter"', "row[2]", "verb", "hulu"),
    (SOP, 'verb = "apply"', 'verb = "issue"', "row[1]", "verb", "di sini"),
    (SOP, 'verb = "verify"\nhow = "done"', 'verb = "verify"\nhow = "replaced"', "row[2]", "replaced", "wajib"),
    (SOP, 'acts = ["sign", "seal"]', 'acts = ["seal"]', "row[4]", "acts", "sign"),
    (SOP, 'acts = ["sign", "seal"]', 'acts = ["sign", "sign"]', "row[4]", "acts[2]", "sudah dipakai"),
    (SOP, 'acts = ["sign", "seal"]', 'acts = ["sign", "enter"]', "row[4]", "acts[2]", "hulu"),
    (SOP, 'adr = "0002, 0003"', 'adr = "2"', "row[4].replaced", "adr", "ADR"),
    (
        SOP,
        'verb = "number"',
        'verb = "number"\nlater = [{ verb = "print", after = 3 }]',
        "row[3].later[1]",
        "after",
        "baris",
    ),
    (
        SOP,
        'verb = "number"',
        'verb = "number"\nlater = [{ verb = "print", after = 6 }]',
        "row[3].later[1]",
        "after",
        "terakhir 5",
    ),
    (
        SOP,
        'verb = "number"',
        'verb = "number"\nlater = [{ verb = "number", after = 4 }]',
        "row[3].later[1]",
        "verb",
        "sudah ada",
    ),
    (SOP2, "after = 3", "after = 7", "row[3].later[1]", "after", "terakhir 5"),
    (SOP2, 'branch = "biasa"\nbranches', "branches", "sop", "branch", "wajib"),
    (SOP2, 'branch = "biasa"\nbranches', 'branch = "x"\nbranches', "sop", "branch", "x"),
    (SOP2, 'branch = "cepat"', 'branch = "y"', "row[3]", "branch", "y"),
    # sop.toml: the plan
    (SOP, 'verb = "number"', 'verb = "print"', "row", "verb", "number"),
    (SOP, 'verb = "verify"', 'verb = "number"', "row[3]", "verb", "baris 2"),
    (SOP, '"verify"', '"sign"\nby = "kepala"', "row[4]", "verb", "baris 2"),
    (SOP, 'verb = "verify"', 'verb = "seal"', "row[4]", "acts", "baris 2"),
    (SOP, 'acts = ["sign", "seal"]', 'acts = ["seal", "sign"]', "row[4]", "acts", "sebelum sign"),
    (SOP, 'acts = ["survey", "handover"]', 'acts = ["handover", "survey"]', "row[5]", "acts", "setelah handover"),
    (
        SOP,
        'acts = ["survey", "handover"]',
        'acts = ["receive", "survey", "handover"]',
        "row[5]",
        "acts",
        "sebelum handover",
    ),
    (SOP, 'acts = ["sign", "seal"]', 'acts = ["sign", "approve", "seal"]', "row[4]", "acts", "setelah number"),
    (SOP, 'acts = ["sign", "seal"]', 'acts = ["sign", "issue", "seal"]', "row[4]", "acts", "sebelum sign dan seal"),
    (SOP, 'verb = "verify"', 'verb = "notify"', "row[2]", "verb", "terbit"),
    (SOP2, 'acts = ["number", "seal"]', 'acts = ["seal", "number"]', "row[5]", "verb", "seal"),
    (SOP2, 'acts = ["number", "seal"]', 'acts = ["number", "print", "seal"]', "row[5]", "verb", "seal"),
    # fields.toml
    (FIELDS, 'code = "izin-satu"', 'code = "izin-lain"', "type", "code", "foldernya"),
    (FIELDS, '"SIP-A"', '"SIP/A"', "type", "document_code", "tanda hubung"),
    (FIELDS, 'series = "umum"', 'series = "lain"', "type", "series", "lain"),
    (FIELDS, '["BARU", "PERPANJANGAN"]', '["BARU", "BARU"]', "type", "request_kinds[2]", "sudah dipakai"),
    (FIELDS, '["BARU", "PERPANJANGAN"]', '["LAMA"]', "type", "request_kinds[1]", "salah satu"),
    (FIELDS, "years = 5", 'years = "5"', "validity", "years", "bilangan bulat"),
    (FIELDS, "years = 5", "years = 5.0", "validity", "years", "bilangan bulat"),
    (FIELDS, "cap_at_str = true", "cap_at_str = 1", "validity", "cap_at_str", "true"),
    (FIELDS, '"3x4"', '"2x3"', "photo", "ratio", "salah satu"),
    (FIELDS, 'path = "applicant.tempat_lahir"', 'path = "applicant.kota"', "field", "path", "tempat_lahir"),
    (FIELDS, 'path = "applicant.nama"', 'path = "Applicant.nama"', "field[1]", "path", "jalur"),
    (FIELDS, 'kind = "nik"', 'kind = "text"', "field[2]", "kind", "nik"),
    (FIELDS, 'kind = "nik"\nprinted = false', 'kind = "nik"', "field[2]", "printed", "tampil"),
    (FIELDS, 'kind = "nik"', 'kind = "nik"\npublic = true', "field[2]", "public", "tampil"),
    (FIELDS, 'kind = "date"', 'kind = "date"\npublic = true', "field[4]", "public", "tampil"),
    (FIELDS, 'kind = "date"', 'kind = "date"\nmax_length = 3', "field[4]", "max_length", "jenis date"),
    (FIELDS, 'kind = "name"', 'kind = "name"\nminimum = 3', "field[1]", "minimum", "jenis name"),
    (FIELDS, '["L", "P"]', '["L", "P", "X"]', "field[5]", "choices", "L dan P"),
    (FIELDS, 'sample = "P"', 'sample = "W"', "field[5]", "sample", "choice"),
    (FIELDS, '"1407004709960001"', '"14070047"', "field[2]", "sample", "nik"),
    (FIELDS, "sample = 1996-09-07", 'sample = "07-09-1996"', "field[4]", "sample", "date"),
    (FIELDS, '"SEUMUR_HIDUP"', '"selamanya"', "field[8]", "sample", "str_validity"),
    (FIELDS, "maximum = 2", "maximum = 3", "field[11]", "maximum", "places"),
    (FIELDS, "minimum = 1", "minimum = 0", "field[11]", "minimum", "harus 1"),
    (FIELDS, 'code = "str"', 'code = "ktp"', "requirement[2]", "code", "sudah dipakai"),
    (FIELDS, "until = 2030-01-01", "until = 2020-01-01", "legal_basis[1]", "until", "berakhir"),
    (FIELDS, 'clauses = ["Satu."]', "clauses = [1]", "paper", "clauses[1]", "teks"),
]


def faults_of(tree):
    _, faults = read_offices(tree)
    return faults


def test_the_small_tree_is_sound():
    assert faults_of(files()) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}:{case[3]}:{case[4]}")
def test_one_fault_is_told_in_its_place(case):
    path, old, new, table, key, words = case
    faults = faults_of(changed(path, old, new))
    assert [(fault.file, fault.table, fault.key) for fault in faults] == [(path, table, key)], faults
    assert words in faults[0].message


def test_all_faults_of_all_files_are_told_at_once():
    tree = files()
    tree[OFFICE] = tree[OFFICE].replace(b"Asia/Jakarta", b"Mars").replace(b"#0b4f8a", b"red")
    tree[SOP] = tree[SOP].replace(b'verb = "sign"', b'verb = "sing"')
    tree[FIELDS] = tree[FIELDS].replace(b'code = "str"', b'code = "ktp"')
    assert [(fault.file, fault.key) for fault in faults_of(tree)] == [
        (FIELDS, "code"),
        (SOP, "verb"),
        (OFFICE, "brand"),
        (OFFICE, "timezone"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff", "UTF-8"),
        (b"code = ", "TOML"),
        (b"a = 1\na = 2", "TOML"),
        (b"a = " + b"[" * 5000, "TOML"),
        (b"a = " + b"9" * 5000, "TOML"),
    ],
)
def test_what_is_not_toml(content, words):
    faults = faults_of(files() | {OFFICE: content})
    assert [(fault.file, fault.table, fault.key) for fault in faults] == [(OFFICE, "", "")]
    assert words in faults[0].message


@pytest.mark.parametrize("gone", [OFFICE, SOP, FIELDS])
def test_a_missing_file_is_told(gone):
    tree = files()
    del tree[gone]
    assert faults_of(tree) == [SopFault(gone, "", "", MESSAGES["file_missing"])]
    with pytest.raises(OfficeInvalid) as raised:
        load_bundle(tree, "contoh", "izin-satu")
    assert raised.value.faults == (SopFault(gone, "", "", MESSAGES["file_missing"]),)


def test_two_types_that_could_print_the_same_number_are_refused():
    path = "contoh/izin-dua/fields.toml"
    faults = faults_of(changed(path, '"SIK-B"', '"SIP-A"'))
    assert [(fault.file, fault.table, fault.key) for fault in faults] == [
        ("contoh/izin-satu/fields.toml", "type", "document_code")
    ]


def test_two_types_of_one_counter_may_share_their_codes():
    path = "contoh/izin-dua/fields.toml"
    tree = changed(path, '"SIK-B"', '"SIP-A"')
    tree[OFFICE] = tree[OFFICE].replace(b'scope = "type"', b'scope = "office"')
    assert faults_of(tree) == []


def test_a_fault_in_the_unused_branch_is_told_too():
    faults = faults_of(
        changed(
            SOP2,
            'text = "Memaraf."\nactor = "petugas"\nverb = "paraf"',
            'text = "x"\nactor = "petugas"\nverb = "handover"',
        )
    )
    assert {(fault.table, fault.key) for fault in faults} == {("row[6]", "verb")}


def test_an_attested_row_after_ours_is_refused():
    tree = changed(SOP, 'verb = "number"\nhow = "done"', 'verb = "forward"\nhow = "attested"')
    assert ("row[3]", "how") in {(fault.table, fault.key) for fault in faults_of(tree)}


def test_a_paraf_before_the_draft_is_refused():
    tree = changed(SOP2, 'verb = "assemble"', 'verb = "verify"')
    tree[SOP2] = tree[SOP2].replace(
        b'branch = "biasa"\ntext = "Memaraf."\nactor = "petugas"\nverb = "paraf"',
        b'branch = "biasa"\ntext = "x"\nactor = "petugas"\nverb = "paraf"\nacts = ["paraf", "assemble"]',
    )
    faults = faults_of(tree)
    assert [(fault.table, fault.key) for fault in faults] == [("row[2]", "verb")]
    assert "assemble" in faults[0].message


def test_a_sealing_procedure_needs_an_office_with_a_seal():
    faults = faults_of(changed(OFFICE, 'seal = "Segel Contoh"\n', ""))
    assert {(fault.file, fault.table, fault.key) for fault in faults} == {(OFFICE, "certificate", "seal")}
    assert [fault.message.split()[1] for fault in faults] == ["izin-dua", "izin-satu"]


def test_a_gate_needs_a_survey():
    path = "contoh/izin-dua/fields.toml"
    faults = faults_of(changed(path, "survey_gate = false", "survey_gate = true"))
    assert [(fault.file, fault.table, fault.key) for fault in faults] == [(path, "type", "survey_gate")]


def test_a_fault_reads_as_one_line():
    fault = faults_of(changed(SOP, '"10 menit"', '"10"'))[0]
    assert str(fault).startswith("contoh/izin-satu/sop.toml: [row[3]] standard: ")


def test_folder_names_and_empty_offices():
    tree = {path.replace("izin-dua", "Izin Dua"): content for path, content in files().items()}
    assert "contoh/Izin Dua" in {fault.file for fault in faults_of(tree)}
    alone = {path: content for path, content in files().items() if path == OFFICE}
    assert "jenis izin" in faults_of(alone)[0].message


@pytest.fixture
def root(tmp_path):
    for path, content in files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


def test_load_offices_raises_with_every_fault(root):
    assert len(tuple(load_offices(root))) == 2
    (root / SOP).write_text("x")
    (root / FIELDS).write_text("x")
    with pytest.raises(OfficeInvalid) as raised:
        load_offices(root)
    assert [fault.file for fault in raised.value.faults] == [FIELDS, SOP]
    assert str(raised.value).count("\n") == 1


def test_unknown_codes_are_key_errors(root):
    catalogue = load_offices(root)
    assert catalogue.office("contoh").code == "contoh"
    assert [one.code for one in catalogue.types("contoh")] == ["izin-dua", "izin-satu"]
    with pytest.raises(KeyError):
        catalogue.office("lain")
    with pytest.raises(KeyError):
        catalogue.permit_type("contoh", "lain")


def test_a_bundle_is_exactly_what_pins_a_case(root):
    (root / "contoh/izin-satu/.DS_Store").write_bytes(b"x")
    (root / "contoh/notes.txt").write_bytes(b"x")
    bundle = bundle_files(root, "contoh", "izin-satu")
    assert sorted(bundle) == [
        "_shared/emblem.svg",
        "_shared/fonts/contoh.otf",
        "_shared/permit.typ",
        "contoh/izin-satu/fields.toml",
        "contoh/izin-satu/permit.typ",
        "contoh/izin-satu/sop.toml",
        "contoh/office.toml",
    ]
    catalogue = load_offices(root)
    assert load_bundle(bundle, "contoh", "izin-satu") == (
        catalogue.office("contoh"),
        catalogue.permit_type("contoh", "izin-satu"),
    )


def test_an_office_brings_its_own_emblem(root):
    (root / "contoh/emblem.svg").write_bytes(b"<svg/>")
    assert "contoh/emblem.svg" in bundle_files(root, "contoh", "izin-satu")


@pytest.mark.parametrize("gone", ["contoh/izin-satu/permit.typ", "_shared/emblem.svg", "_shared/fonts/contoh.otf"])
def test_parts_that_only_the_page_needs(root, gone):
    (root / gone).unlink()
    told = gone.removesuffix("/contoh.otf")
    assert {fault.file for fault in check(root)} == {told}
    with pytest.raises(OfficeInvalid, match=told):
        load_offices(root)
    with pytest.raises(OfficeInvalid) as raised:
        bundle_files(root, "contoh", "izin-satu")
    assert [fault.file for fault in raised.value.faults] == [told]


def test_the_template_check_is_called_with_the_bundle(root):
    def page(bundle, office, permit_type):
        assert f"{office.code}/{permit_type.code}/permit.typ" in bundle
        return ["tanpa segel"] if permit_type.procedure.sealed and permit_type.procedure.number_first else []

    assert check(root, template_check=page) == [SopFault("contoh/izin-satu/permit.typ", "", "", "tanpa segel")]


def test_a_page_is_not_tried_where_the_data_is_broken(root):
    (root / SOP).write_text("x")
    tried = []
    faults = check(root, template_check=lambda _bundle, _office, one: tried.append(one.code) or [])
    assert tried == ["izin-dua"]
    assert [fault.file for fault in faults] == [SOP]


def test_a_type_that_lacks_a_file_breaks_no_other():
    tree = files()
    del tree[SOP2]
    assert load_bundle(tree, "contoh", "izin-satu")[1].code == "izin-satu"
