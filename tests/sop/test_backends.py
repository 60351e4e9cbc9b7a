"""Who signs for an office: the default, what each back-end can do, and the procedures that it may therefore have."""

from __future__ import annotations

import dataclasses

import pytest

from service.settings import PROJECT
from service.sop import OfficeInvalid, bundle_files, load_bundle
from service.sop.backends import ABLE, DOCUMENTS, demands
from service.sop.load import load_offices
from signing.backends import bsre, csc, lacks, pkcs11, pkcs12
from tests.sop.contoh import changed, files

OFFICE = "contoh/office.toml"
DECLARED = {"pkcs12": pkcs12, "pkcs11": pkcs11, "bsre": bsre, "csc": csc}


def with_signing(table):
    return changed(OFFICE, "[branches]", f"[signing]\n{table}\n\n[branches]")


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


@pytest.mark.parametrize(
    ("kind", "what", "lacking"),
    [
        ("izin-dua", "memberi nomor setelah tanda tangan", "prepared_field, certify, seal_last"),
        ("izin-satu", "membubuhkan segel setelah tanda tangan", "seal_last"),
    ],
)
def test_bsre_is_refused_for_what_it_cannot_do_and_both_are_named(kind, what, lacking):
    with pytest.raises(OfficeInvalid) as caught:
        load_bundle(with_signing('backend = "bsre"'), "contoh", kind)
    (fault,) = caught.value.faults
    assert (fault.file, fault.table, fault.key) == (OFFICE, "signing", "backend")
    assert fault.message == f'SOP {kind} {what}, yang memerlukan {lacking}; backend "bsre" tidak mampu'


def test_what_the_offices_procedures_demand():
    asked = {
        (one.office, one.code): [what for what, _ in demands(one.procedure)]
        for one in load_offices(PROJECT / "templates")
    }
    assert (
        asked["malang", "sik-perekam-medis"]
        == asked["kudus", "sip-perekam-medis"]
        == ["memberi nomor setelah tanda tangan"]
    )
    assert asked["rokan-hilir", "sip-perekam-medis"] == []
