"""What can be wrong in an office's files, in the operator's language, each told with file, table and key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

# The one place of the loader's words: operators read them, so they are Indonesian.
MESSAGES: Final = {
    # the file as such
    "file_missing": "berkas tidak ada",
    "not_utf8": "berkas bukan teks UTF-8",
    "not_toml": "bukan TOML yang sah: {why}",
    "folder_name": "nama folder hanya boleh huruf kecil, angka, dan tanda hubung",
    "no_types": "kantor ini belum punya folder jenis izin",
    # shape: the codes of pydantic, then our own
    "missing": "wajib diisi",
    "extra_forbidden": "kunci tidak dikenal",
    "string_type": "harus teks dalam tanda kutip",
    "string_too_short": "tidak boleh kosong",
    "string_too_long": "terlalu panjang, paling banyak {max_length} karakter",
    "int_type": "harus bilangan bulat",
    "bool_type": "harus true atau false",
    "date_type": "harus tanggal tanpa tanda kutip, misalnya 2026-12-25",
    "list_type": "harus daftar [...]",
    "dict_type": "harus tabel",
    "model_type": "harus tabel",
    "too_short": "tidak boleh kosong",
    "too_long": "terlalu banyak isi, paling banyak {max_length}",
    "float_type": "harus bilangan",
    "greater_than": "harus lebih dari {gt}",
    "literal_error": "harus salah satu dari {expected}",
    "greater_than_equal": "paling sedikit {ge}",
    "less_than_equal": "paling banyak {le}",
    "text_unclean": "tidak boleh kosong, diawali atau diakhiri spasi, atau memuat karakter kendali",
    "code_shape": "hanya boleh huruf kecil, angka, dan {joiner}, diawali huruf",
    "mark_shape": "hanya boleh huruf, angka, titik, dan tanda hubung",
    "url_shape": "harus https://nama-host tanpa jalur, misalnya https://izin.contoh.example",
    "colour_shape": "harus warna #rrggbb",
    "time_shape": "harus jam, misalnya 07:30",
    "file_name": "harus nama berkas saja, tanpa folder",
    "nip_shape": "harus NIP 18 angka dengan tanggal lahir yang sah",
    "path_shape": "harus jalur bertitik huruf kecil, misalnya applicant.nama",
    "standard_shape": 'harus "N menit", "N jam", "N hari", atau "N hari kerja"',
    "adr_shape": 'harus nomor ADR empat angka, misalnya "0002" atau "0002, 0003"',
    "value": "nilai tidak sah",
    # office.toml
    "code_folder": 'harus sama dengan nama foldernya, "{folder}"',
    "twice": '"{value}" sudah dipakai sebelumnya',
    "hours": "jam buka sampai jam tutup kurang dari hours_per_day jam",
    "levels": "tidak boleh lebih rendah dari issue_at_least, {least}",
    "period": "berakhir sebelum dimulai",
    "role_unknown": 'jabatan "{role}" tidak ada di [roles] office.toml',
    "role_external": 'jabatan "{role}" bukan jabatan kantor ini (internal = false)',
    "branch_type": 'jenis izin "{type}" tidak ada di kantor ini',
    "seal_missing": "SOP {type} membubuhkan segel elektronik, tetapi kantor tidak punya segel",
    "returned_needless": 'hanya untuk layanan yang menandatangani dokumen utuh; backend "{backend}" tidak mengembalikan dokumen',
    "levels_rewritten": 'paling tinggi B-T: dengan returned = "rewritten" layanan menulis ulang berkas, '
    "dan {target} tidak dapat dibuktikan",
    "authorise_needless": 'hanya untuk layanan yang mengirim kode sekali pakai; backend "{backend}" tidak mengirimnya',
    "backend_lacks": 'SOP {type} {what}, yang memerlukan {lacks} dari {whose}; backend "{backend}" tidak mampu',
    "seal_behind_rewritten": "SOP {type} membubuhkan segel setelah tanda tangan, yang memerlukan berkas kita tetap utuh; "
    'backend "{backend}" dengan returned = "rewritten" menulis ulang berkas',
    "seal_rewrites": "SOP {type} membubuhkan segel setelah tanda tangan, yang harus tetap utuh; "
    'backend segel "{backend}" dengan returned = "rewritten" menulis ulang berkas',
    "seal_forbidden": 'SOP {type} membubuhkan segel setelah tanda tangan yang mengunci berkas (backend "{head}"), '
    'yang melarang kolom baru; backend segel "{backend}" perlu returned = "strict"',
    "notice_name": "nama dengan tanda $ yang boleh di sini hanya {names}; tanda $ sendiri ditulis $$",
    "seal_needless": "hanya untuk kantor yang punya segel ([certificate] seal)",
    "qr_picture": 'SOP {type} menggambar kode QR dengan backend "{backend}", yang hanya menerima gambar kasar: '
    "kode QR luring tidak akan terbaca",
    "qr_long": "kode kantor, document_code, dan nomor {type} bersama-sama lebih dari {limit} huruf: "
    "tidak muat di kode QR luring",
    "number_at_sign_needless": "tidak ada SOP kantor ini yang memberi nomor setelah tanda tangan",
    # number patterns
    "pattern_brace": "kurung kurawal tidak berpasangan",
    "pattern_token": "token {{{token}}} tidak dikenal; yang ada: {known}",
    "pattern_pad": "hanya {{seq}} yang boleh diberi lebar, {{seq:01}} sampai {{seq:012}}",
    "pattern_seq": "harus memuat {{seq}} tepat satu kali",
    "pattern_touch": "{{{left}}} dan {{{right}}} harus dipisahkan tanda baca, agar nomor tidak bermakna ganda",
    "pattern_bound": "{{{token}}} tidak boleh menempel pada huruf atau angka, agar nomor tidak bermakna ganda",
    "pattern_segment": "di antara dua garis miring hanya boleh satu dari {{klas}} dan {{type}}, tanpa {{seq}}",
    "pattern_year": "seri per {reset} harus memuat {{yyyy}} atau {{yy}}, kalau tidak dua tahun bernomor sama",
    "pattern_month": "seri bulanan harus memuat {{mm}} atau {{MM_roman}}, kalau tidak dua bulan bernomor sama",
    "pattern_type": "seri per jenis izin harus memuat {{type}} atau {{klas}}, kalau tidak dua jenis bernomor sama",
    "pattern_same": "nomornya bisa sama dengan nomor {other}; bedakan pola, document_code, atau classification",
    # sop.toml
    "row_order": "harus baris {expected}; baris SOP dinomori urut dari 1, satu kali untuk tiap cabang",
    "branch_unknown": 'cabang "{branch}" tidak ada di branches',
    "branch_needless": "hanya untuk SOP yang punya branches",
    "branch_missing": "wajib diisi karena SOP punya branches",
    "verb_attested": "{verb} hanya ada di hulu: baris ini harus attested",
    "verb_here": "{verb} harus dilakukan di sini, tidak boleh attested",
    "attested_key": "tidak berlaku untuk baris attested",
    "attested_late": "baris attested tidak boleh setelah baris yang dilakukan di sini",
    "acts_verb": "acts harus memuat verb, {verb}",
    "later_row": "harus nomor baris setelah baris {row}, sampai baris terakhir {last}",
    "later_verb": "{verb} sudah ada di acts baris ini",
    "replaced_missing": 'wajib diisi untuk how = "replaced"',
    "no_holder": 'jabatan "{role}" bekerja di sini, tetapi tidak ada pemegangnya di [[people]] office.toml',
    "not_signer": 'jabatan "{role}" menandatangani, tetapi tidak punya signs = true di office.toml',
    # the plan
    "act_missing": "tidak ada baris yang melakukan {verb}",
    "act_twice": "{verb} sudah dilakukan baris {row}",
    "early_assemble": "{verb} tidak mungkin sebelum assemble (baris {row})",
    "early_seal": "seal tidak mungkin sebelum sign",
    "number_unsealed": "nomor setelah tanda tangan harus langsung diikuti seal, yang melindungi nomor itu",
    "late_check": "{verb} tidak mungkin setelah {first} (baris {row})",
    "early_issue": "issue tidak mungkin sebelum sign dan seal selesai",
    "early_act": "{verb} tidak mungkin sebelum izin terbit",
    "late_survey": "survey tidak mungkin setelah handover",
    "early_receive": "receive tidak mungkin sebelum handover",
    # fields.toml
    "series_unknown": 'seri "{series}" tidak ada di [series] office.toml',
    "path_missing": "kolom wajib {path} ({kind}) tidak ada",
    "path_inside": "{path} sudah menjadi kolom sendiri",
    "field_kind": "{path} harus berjenis {kind}",
    "field_private": "{path} tidak boleh tampil: harus false",
    "field_key": "tidak berlaku untuk jenis {kind}",
    "choices_missing": "wajib diisi untuk jenis choice",
    "choices_sex": "harus L dan P",
    "range": "maximum lebih kecil dari minimum",
    "first_place": "harus 1",
    "places": "harus sama dengan places, {places}",
    "sample": "contoh tidak sah untuk jenis {kind}",
    "survey_gate": "survey_gate memerlukan baris survey di sop.toml",
    # the page and its parts
    "file_unused": "berkas kosong",
    "template": "{why}",
}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class SopFault:
    """One thing wrong: `row[3]` is the third `[[row]]` (people count from one); table "" is the top of the file."""

    file: str
    table: str
    key: str
    message: str

    def __str__(self) -> str:
        table = f" [{self.table}]" if self.table else ""
        key = f" {self.key}" if self.key else ""
        return f"{self.file}:{table}{key}: {self.message}"


class OfficeInvalid(Exception):
    """The office's files cannot be used; `faults` names everything that was found, sorted."""

    def __init__(self, faults: Sequence[SopFault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(slots=True)
class Faults:
    """Collects the faults of one file, so that an operator sees all of them at once."""

    file: str
    found: list[SopFault] = field(default_factory=list)

    def add(self, table: str, key: str, code: str, **params: object) -> None:
        self.found.append(SopFault(self.file, table, key, MESSAGES[code].format(**params)))

    def add_shape(self, error: ErrorDetails) -> None:
        """One error of pydantic, with our place and our words."""
        table, key = place(error["loc"])
        params = dict(error.get("ctx", {}))
        params["expected"] = str(params.get("expected", "")).replace(" or ", " atau ")
        template = MESSAGES.get(error["type"], MESSAGES["value"])
        self.found.append(SopFault(self.file, table, key, template.format(**params)))


def place(loc: tuple[int | str, ...]) -> tuple[str, str]:
    """`("row", 2, "standard")` becomes `("row[3]", "standard")`; an item of a list is its key with an index."""
    parts: list[str] = []
    for step in loc:
        if isinstance(step, int):
            parts[-1] += f"[{step + 1}]"
        elif step != "[key]":
            parts.append(_printable(step))
    return ".".join(parts[:-1]), parts[-1] if parts else ""


def _printable(key: str) -> str:
    return key if re.fullmatch(r"[\w-]+", key) else repr(key)
