"""A small sound tree of one invented office: `izin-satu` numbers first, `izin-dua` after the signature, in two branches."""

OFFICE = """\
code = "contoh"
name = "Dinas Contoh"
short_name = "Dinas Contoh"
government = "Pemerintah Kabupaten Contoh"
city = "Kota Contoh"
public_url = "https://izin.contoh.example"
timezone = "Asia/Jakarta"
brand = "#0b4f8a"

[letterhead]
lines = ["PEMERINTAH KABUPATEN CONTOH"]
address = "Jalan Contoh Nomor 1"

[paper]
font = "TeX Gyre Bonum"

[calendar]
opens = "07:30"
closes = "16:00"
workdays = [1, 2, 3, 4, 5]
holidays = [2026-12-25]

[levels]
issue_at_least = "B-T"
target = "B-LT"

[certificate]
label = "Contoh"
seal = "Segel Contoh"

[branches]
izin-dua = "cepat"

[roles.pemohon]
title = "Pemohon"
internal = false

[roles.petugas]
title = "Petugas"

[roles.kosong]
title = "Tanpa Pemegang"

[roles.kepala]
title = "Kepala Dinas"
signs = true

[[people]]
code = "satu"
name = "Nama Contoh Satu"
nip = "197405121999032004"
roles = [{ role = "kepala", kind = "definitif", from = 2024-01-02, to = 2026-08-31 }]

[[people]]
code = "dua"
name = "Nama Contoh Dua"
nip = "199108172015031003"
roles = [{ role = "petugas", kind = "definitif", from = 2024-01-02 }]

[series.umum]
title = "Buku Register"
pattern = "{klas}/{seq:03}/{type}/DPMPTSP/{yyyy}"
scope = "type"
reset = "yearly"
"""

NUMBER_FIRST = """\
[sop]
code = "100"
number = "1/CONTOH"
title = "Izin Satu"
total = "2 hari kerja"

[[row]]
no = 1
text = "Mengajukan."
actor = "pemohon"
verb = "apply"
how = "attested"
standard = "1 jam"

[[row]]
no = 2
text = "Memeriksa."
actor = "petugas"
verb = "verify"
how = "done"

[[row]]
no = 3
text = "Menomori."
actor = "petugas"
verb = "number"
how = "done"
standard = "10 menit"

[[row]]
no = 4
text = "Menandatangani."
actor = "kepala"
verb = "sign"
acts = ["sign", "seal"]
how = "replaced"
replaced = { sentence = "Diganti TTE.", adr = "0002, 0003" }

[[row]]
no = 5
text = "Menyerahkan."
actor = "pemohon"
by = "petugas"
verb = "handover"
acts = ["survey", "handover"]
how = "done"
"""

NUMBER_AFTER = """\
[sop]
code = "200"
number = "2/CONTOH"
title = "Izin Dua"
clock = "apply"
branch = "biasa"
branches = ["biasa", "cepat"]

[[row]]
no = 1
text = "Membuat draf."
actor = "petugas"
verb = "assemble"
how = "done"

[[row]]
no = 2
branch = "biasa"
text = "Memaraf."
actor = "petugas"
verb = "paraf"
how = "done"

[[row]]
no = 2
branch = "cepat"
text = "Memaraf, mencetak kemudian."
actor = "petugas"
verb = "paraf"
later = [{ verb = "print", after = 3 }]
how = "done"

[[row]]
no = 3
text = "Menandatangani."
actor = "kepala"
verb = "sign"
how = "done"

[[row]]
no = 4
text = "Menomori dan menyegel."
actor = "petugas"
verb = "number"
acts = ["number", "seal"]
how = "done"

[[row]]
no = 5
text = "Menyerahkan."
actor = "petugas"
verb = "handover"
how = "done"
"""

FIELDS = """\
[type]
code = "{code}"
name = "Izin Contoh"
title = "IZIN CONTOH"
profession = "Perekam Medis"
document_code = "{mark}"
classification = "503.440"
series = "umum"
places = 2
request_kinds = ["BARU", "PERPANJANGAN"]
survey_gate = {gate}

[validity]
years = 5
cap_at_str = true
inclusive_end = false

[photo]
ratio = "3x4"
required = true

[[field]]
path = "applicant.nama"
label = "Nama"
kind = "name"
public = true
sample = "Siti Contoh"

[[field]]
path = "applicant.nik"
label = "NIK"
kind = "nik"
printed = false
sample = "1407004709960001"

[[field]]
path = "applicant.tempat_lahir"
label = "Tempat lahir"
kind = "text"
sample = "Contoh"

[[field]]
path = "applicant.tanggal_lahir"
label = "Tanggal lahir"
kind = "date"
sample = 1996-09-07

[[field]]
path = "applicant.jenis_kelamin"
label = "Jenis kelamin"
kind = "choice"
choices = ["L", "P"]
sample = "P"

[[field]]
path = "applicant.alamat"
label = "Alamat"
kind = "address"
sample = "Jalan Contoh"

[[field]]
path = "str.nomor"
label = "Nomor STR"
kind = "str"
sample = "XA 0000"

[[field]]
path = "str.masa_berlaku"
label = "STR berlaku sampai dengan"
kind = "str_validity"
sample = "SEUMUR_HIDUP"

[[field]]
path = "practice.nama"
label = "Tempat praktik"
kind = "text"
public = true
sample = "RSUD Contoh"

[[field]]
path = "practice.alamat"
label = "Alamat praktik"
kind = "address"
sample = "Jalan Contoh"

[[field]]
path = "practice.ke"
label = "Praktik ke-"
kind = "integer"
minimum = 1
maximum = 2
sample = 1

[[requirement]]
code = "ktp"
text = "KTP"

[[requirement]]
code = "str"
text = "STR"

[[legal_basis]]
text = "Undang-Undang Contoh"
since = 2023-08-08
until = 2030-01-01

[paper]
clauses = ["Satu."]
"""


def files() -> dict[str, bytes]:
    """Fresh every time, so that a test may break it."""
    texts = {
        "contoh/office.toml": OFFICE,
        "contoh/izin-satu/sop.toml": NUMBER_FIRST,
        "contoh/izin-satu/fields.toml": FIELDS.format(code="izin-satu", mark="SIP-A", gate="true"),
        "contoh/izin-satu/permit.typ": "// page",
        "contoh/izin-dua/sop.toml": NUMBER_AFTER,
        "contoh/izin-dua/fields.toml": FIELDS.format(code="izin-dua", mark="SIK-B", gate="false"),
        "contoh/izin-dua/permit.typ": "// page",
        "_shared/emblem.svg": "<svg/>",
        "_shared/permit.typ": "// parts",
        "_shared/fonts/contoh.otf": "font",
    }
    return {path: text.encode() for path, text in texts.items()}


def changed(path, old, new):
    """The tree with one text replaced, which must be there exactly once."""
    tree = files()
    text = tree[path].decode()
    assert text.count(old) == 1, (path, old, text.count(old))
    tree[path] = text.replace(old, new).encode()
    return tree
