"""Who signs for an office: the default, what each back-end can do, and the procedures that it may therefore have."""

from __future__ import annotations

import dataclasses

import pytest

from service.settings import PROJECT
from service.sop import OfficeInvalid, bundle_files, load_bundle
from service.sop.backends import ABLE, DOCUMENTS
from service.sop.load import load_offices, read_offices
from signing.backends import bsre, csc, lacks, pkcs11, pkcs12
from tests.sop.contoh import changed, files

OFFICE = "contoh/office.toml"
DECLARED = {"pkcs12": pkcs12, "pkcs11": pkcs11, "bsre": bsre, "csc": csc}


def with_signing(table):
    """The office with this choice; no level that what is written anew can't reach."""
    tree = changed(OFFICE, "[branches]", f"[signing]\n{table}\n\n[branches]")
    tree[OFFICE] = tree[OFFICE].replace(b'target = "B-LT"', b'target = "B-T"')
    return tree


def test_the_table_is_what_signing_declares():
    assert ABLE.keys() == DECLARED.keys()
    for name, module in DECLARED.items():
        declared = dataclasses.asdict(module.CAPABILITIES)
        assert {one for one, able in declared.items() if able} == ABLE[name]
        assert set(lacks(module.CAPABILITIES, declared)) == declared.keys() - ABLE[name]
    assert DOCUMENTS < ABLE.keys()


def test_without_a_table_keys_are_files():
    office, _ = load_bundle(files(), "contoh", "izin-satu")
    assert (office.signing.backend, office.signing.returned) == ("pkcs12", "strict")


@pytest.mark.parametrize("backend", ["pkcs12", "pkcs11", "csc"])
@pytest.mark.parametrize("kind", ["izin-satu", "izin-dua"])
def test_keys_do_every_procedure(backend, kind):
    office, _ = load_bundle(with_signing(f'backend = "{backend}"'), "contoh", kind)
    assert office.signing.backend == backend


@pytest.mark.parametrize("returned", ["strict", "own_field", "rewritten"])
def test_bsre_signs_what_is_numbered_first_and_not_sealed(returned):
    pinned = bundle_files(PROJECT / "templates", "rokan-hilir", "sip-perekam-medis")
    pinned["rokan-hilir/office.toml"] += f'\n[signing]\nbackend = "bsre"\nreturned = "{returned}"\n'.encode()
    office, _ = load_bundle(pinned, "rokan-hilir", "sip-perekam-medis")
    assert (office.signing.backend, office.signing.returned) == ("bsre", returned)


BSRE = 'backend = "bsre"'
CHOICES = [
    ("", ("pkcs12", "strict", "pkcs12", "strict")),
    ('backend = "pkcs11"', ("pkcs11", "strict", "pkcs11", "strict")),
    ('backend = "csc"', ("csc", "strict", "csc", "strict")),
    ('backend = "bsre"', ("bsre", "strict", "pkcs12", "strict")),
    ('backend = "bsre"\nreturned = "own_field"', ("bsre", "own_field", "pkcs12", "strict")),
    ('backend = "bsre"\n[signing.seal]\nbackend = "pkcs11"', ("bsre", "strict", "pkcs11", "strict")),
    (f'{BSRE}\n[signing.seal]\n{BSRE}\nreturned = "own_field"', ("bsre", "strict", "bsre", "own_field")),
]


@pytest.mark.parametrize(("table", "expected"), CHOICES)
def test_the_seal_has_its_own_back_end(table, expected):
    """Its key lies where the head's does, unless a service signs for the head: then it is a file of the office's own."""
    chosen = load_bundle(with_signing(table), "contoh", "izin-satu")[0].signing
    assert (chosen.backend, chosen.returned, chosen.seal_backend, chosen.seal_returned) == expected


@pytest.mark.parametrize(
    ("table", "typed"), [("", "passphrase"), (BSRE, "passphrase"), (f'{BSRE}\nauthorise = "totp"', "totp")]
)
def test_what_the_head_types(table, typed):
    assert load_bundle(with_signing(table), "contoh", "izin-satu")[0].signing.authorise == typed


@pytest.mark.parametrize("backend", ["pkcs12", "pkcs11", "csc"])
def test_only_where_codes_are_sent_one_may_be_asked_for(backend):
    message = f'hanya untuk layanan yang mengirim kode sekali pakai; backend "{backend}" tidak mengirimnya'
    tree = with_signing(f'backend = "{backend}"\nauthorise = "totp"')
    assert refused(tree, "izin-satu") == {("signing", "authorise", message)}


def refused(tree, kind):
    with pytest.raises(OfficeInvalid) as caught:
        load_bundle(tree, "contoh", kind)
    assert {fault.file for fault in caught.value.faults} == {OFFICE}
    return {(fault.table, fault.key, fault.message) for fault in caught.value.faults}


HEAD_LACKS = (
    "signing",
    "backend",
    (
        "SOP izin-dua memberi nomor setelah tanda tangan, yang memerlukan prepared_field, certify dari tanda tangan; "
        'backend "bsre" tidak mampu'
    ),
)
SEAL_LACKS = (
    "signing.seal",
    "backend",
    'SOP izin-dua memberi nomor setelah tanda tangan, yang memerlukan seal_last dari segel; backend "bsre" tidak mampu',
)
HEAD_REWRITES = (
    "signing",
    "returned",
    (
        "SOP izin-satu membubuhkan segel setelah tanda tangan, yang memerlukan berkas kita tetap utuh; "
        'backend "bsre" dengan returned = "rewritten" menulis ulang berkas'
    ),
)
SEAL_REWRITES = (
    "signing.seal",
    "returned",
    (
        "SOP izin-satu membubuhkan segel setelah tanda tangan, yang harus tetap utuh; "
        'backend segel "bsre" dengan returned = "rewritten" menulis ulang berkas'
    ),
)
BSRE_SEAL = '[signing.seal]\nbackend = "bsre"'


@pytest.mark.parametrize(
    ("table", "kind", "faults"),
    [
        ('backend = "bsre"', "izin-dua", {HEAD_LACKS}),
        (BSRE_SEAL, "izin-dua", {SEAL_LACKS}),
        (f'backend = "bsre"\n{BSRE_SEAL}', "izin-dua", {HEAD_LACKS, SEAL_LACKS}),
        ('backend = "bsre"\nreturned = "rewritten"', "izin-satu", {HEAD_REWRITES}),
        (f'{BSRE_SEAL}\nreturned = "rewritten"', "izin-satu", {SEAL_REWRITES}),
    ],
)
def test_what_a_back_end_cannot_do_is_refused_and_both_are_named(table, kind, faults):
    assert refused(with_signing(table), kind) == faults


@pytest.mark.parametrize("head", ["pkcs12", "pkcs11", "csc"])
def test_behind_a_head_who_certifies_no_service_makes_a_field_of_its_own(head):
    said = (
        f'SOP izin-satu membubuhkan segel setelah tanda tangan yang mengunci berkas (backend "{head}"), yang melarang kolom baru; '
        'backend segel "bsre" perlu returned = "strict"'
    )
    tree = with_signing(f'backend = "{head}"\n{BSRE_SEAL}\nreturned = "own_field"')
    assert refused(tree, "izin-satu") == {("signing.seal", "returned", said)}


@pytest.mark.parametrize("target", ["B-LT", "B-LTA"])
def test_nothing_is_added_behind_a_file_written_anew(target):
    tree = with_signing(f'{BSRE}\nreturned = "rewritten"')
    tree[OFFICE] = tree[OFFICE].replace(b'target = "B-T"', f'target = "{target}"'.encode())
    said = f'paling tinggi B-T: dengan returned = "rewritten" layanan menulis ulang berkas, dan {target} tidak dapat dibuktikan'
    assert refused(tree, "izin-satu") == {("levels", "target", said)}


@pytest.mark.parametrize("returned", ["strict", "own_field"])
def test_bytes_that_come_back_whole_may_be_sealed_and_a_service_may_seal_them(returned):
    for table in (
        f'backend = "bsre"\nreturned = "{returned}"',
        f'{BSRE_SEAL}\nreturned = "strict"',
        f'backend = "bsre"\n{BSRE_SEAL}\nreturned = "{returned}"',
    ):
        assert load_bundle(with_signing(table), "contoh", "izin-satu")[1].procedure.sealed


@pytest.mark.parametrize("table", ['backend = "bsre"', BSRE_SEAL, f'backend = "bsre"\n{BSRE_SEAL}'])
def test_numbered_with_the_order_neither_side_needs_a_key_of_ours(table):
    chosen, kind = load_bundle(with_signing(f"number_at_sign = true\n{table}"), "contoh", "izin-dua")
    assert chosen.signing.number_at_sign
    assert (kind.procedure.number_first, kind.procedure.number_at_sign, kind.procedure.number_after) == (
        False,
        True,
        False,
    )


def test_a_service_that_rewrites_is_refused_there_too():
    tree = with_signing('number_at_sign = true\nbackend = "bsre"\nreturned = "rewritten"')
    assert refused(tree, "izin-dua") == {
        (table, key, words.replace("izin-satu", "izin-dua")) for table, key, words in [HEAD_REWRITES]
    }


def test_with_the_order_the_number_needs_no_seal():
    """Every branch is compiled with the office's choice, and the record comes before the issue."""
    tree = with_signing("number_at_sign = true")
    sop = "contoh/izin-dua/sop.toml"
    tree[sop] = tree[sop].replace(b'acts = ["number", "seal"]', b'acts = ["number"]')
    procedure = load_bundle(tree, "contoh", "izin-dua")[1].procedure
    assert not procedure.sealed
    verbs = [str(act.verb) for act in procedure.plan]
    assert verbs == ["assemble", "paraf", "sign", "print", "number", "issue", "notify", "archive", "handover"]
    with pytest.raises(OfficeInvalid, match="harus langsung diikuti seal"):
        load_bundle(files() | {sop: tree[sop]}, "contoh", "izin-dua")


def test_a_choice_that_changes_nothing_is_refused():
    tree = with_signing("number_at_sign = true")
    alone = {path: data for path, data in tree.items() if "izin-dua" not in path}
    alone[OFFICE] = alone[OFFICE].replace(b'izin-dua = "cepat"', b"")
    faults = read_offices(alone)[1]
    assert [(fault.file, fault.table, fault.key, fault.message) for fault in faults] == [
        (OFFICE, "signing", "number_at_sign", "tidak ada SOP kantor ini yang memberi nomor setelah tanda tangan")
    ]
    assert read_offices(tree)[1] == []
    assert load_bundle(tree, "contoh", "izin-satu")[1].procedure.number_at_sign is False  # a pinned type stands alone


@pytest.mark.parametrize(
    ("table", "place", "message"),
    [
        ("sign_window = 0", ("signing", "sign_window"), "harus lebih dari 0.0"),
        ("sign_window = 61", ("signing", "sign_window"), "paling banyak 60.0"),
        ('sign_window = "30"', ("signing", "sign_window"), "harus bilangan"),
        ("number_at_sign = 1", ("signing", "number_at_sign"), "harus true atau false"),
        ('[signing.seal]\nreturned = "strict"', ("signing.seal", "returned"), None),
        ('[signing.seal]\nbackend = "kertas"', ("signing.seal", "backend"), None),
    ],
)
def test_faults_of_the_table_are_told_with_their_key(table, place, message):
    ((where, key, words),) = refused(with_signing(table), "izin-satu")
    assert (where, key) == place
    assert message is None or words == message


@pytest.mark.parametrize(("written", "window"), [("sign_window = 45", 45), ("sign_window = 7.5", 7.5), ("", None)])
def test_the_office_may_set_how_long_a_passphrase_lives(written, window):
    assert load_bundle(with_signing(written), "contoh", "izin-satu")[0].signing.sign_window == window


def test_a_seal_without_a_name_has_no_back_end():
    pinned = bundle_files(PROJECT / "templates", "rokan-hilir", "sip-perekam-medis")
    pinned["rokan-hilir/office.toml"] += b'\n[signing.seal]\nbackend = "pkcs11"\n'
    with pytest.raises(OfficeInvalid, match="hanya untuk kantor yang punya segel"):
        load_bundle(pinned, "rokan-hilir", "sip-perekam-medis")


def test_what_the_offices_procedures_do():
    kinds = {(one.office, one.code): one.procedure for one in load_offices(PROJECT / "templates")}
    after = {key for key, one in kinds.items() if one.number_after}
    assert after == {("malang", "sik-perekam-medis"), ("kudus", "sip-perekam-medis")}
    assert not any(one.number_at_sign for one in kinds.values())
