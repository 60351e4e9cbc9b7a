"""Validation data behind what a service signed: the catalogue gains one declaration, in one form, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pikepdf
import pytest
from asn1crypto import crl as asn1_crl
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.validation.dss import DocumentSecurityStore

from signing import Evidence, ExpectedExtension, ProofFailed, extend_lt, extend_lta, inspect, outside, prove_extension
from signing.filling import PlainUpdate
from signing.outside import OutsideSpec, sign_outside
from tests.signing.authorities import BEGIN, Authorities, Stamper
from tests.signing.simulated import with_field, without_field
from tests.signing.world import HEAD

LATER = BEGIN + timedelta(minutes=1)
CASES = [(with_field, HEAD), (without_field, "sig_1")]


class World:
    def __init__(self) -> None:
        self.ca = Authorities()
        self.head = self.ca.signer("Kepala Contoh")
        self.stamper = Stamper(self.ca.tsa("TSA"), lambda: BEGIN)
        self.evidence = Evidence(crls_der=self.ca.crls(LATER))

    def signed(self, base: Callable[[], bytes], field: str, *, stamped: bool = True) -> bytes:
        spec = OutsideSpec(field, at=BEGIN, timestamper=self.stamper if stamped else None)
        return sign_outside(base(), self.head.backend, spec)

    def meant(self, stamps: tuple[str, ...], level) -> ExpectedExtension:
        return ExpectedExtension(
            stamps, level, self.evidence, self.ca.trust.anchors_der, self.ca.trust.intermediates_der
        )


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.mark.parametrize(("base", "field"), CASES)
def test_both_levels_are_proven(world, base, field):
    signed = world.signed(base, field)
    lower = extend_lt(signed, world.evidence)
    assert prove_extension(lower.pdf, signed, world.meant((), "B-LT")).level == "B-LT"
    higher = extend_lta(lower.pdf, world.stamper, Evidence())
    assert prove_extension(higher.pdf, signed, world.meant(("arsip_1",), "B-LTA")).level == "B-LTA"
    found = inspect(higher.pdf, world.ca.trust)
    assert [(one.field, one.sound) for one in found.signatures] == [(field, True), ("arsip_1", True)]
    with pikepdf.open(io.BytesIO(higher.pdf)) as document:
        assert sorted(document.Root.Extensions.keys()) == ["/ESIC", "/ISO_"]


@pytest.mark.parametrize(("base", "field"), CASES)
def test_a_service_that_writes_tables_changes_nothing(world, base, field, monkeypatch):
    class Tables(IncrementalPdfFileWriter):
        def __init__(self, *given, **named) -> None:
            super().__init__(*given, **named)
            self.stream_xrefs = False

    monkeypatch.setattr(outside, "IncrementalPdfFileWriter", Tables)
    signed = world.signed(base, field, stamped=False)
    assert b"\ntrailer\n" in signed
    higher = extend_lta(signed, world.stamper, world.evidence)
    assert prove_extension(higher.pdf, signed, world.meant(("arsip_1",), "B-LTA")).level == "B-LTA"


def with_store_of_the_service(world: World, signed: bytes) -> bytes:
    """A service that adds validation data itself, with its own index of it (/VRI)."""
    writer, out = IncrementalPdfFileWriter(io.BytesIO(signed)), io.BytesIO()
    contents = writer.prev.embedded_signatures[0].pkcs7_content
    crls = [asn1_crl.CertificateList.load(der) for der in world.ca.crls(BEGIN)]
    DocumentSecurityStore.supply_dss_in_writer(writer, sig_contents=contents, crls=crls)
    writer.write(out)
    return out.getvalue()


def test_a_store_that_the_service_made_grows(world):
    signed = with_store_of_the_service(world, world.signed(with_field, HEAD))
    longer = extend_lta(signed, world.stamper, world.evidence)
    assert prove_extension(longer.pdf, signed, world.meant(("arsip_1",), "B-LTA")).level == "B-LTA"
    with pikepdf.open(io.BytesIO(longer.pdf)) as document:
        assert "/VRI" in document.Root.DSS


# what is refused


def forged(world: World, signed: bytes, change: Callable[[PlainUpdate], None]) -> bytes:
    """The validation data, composed as ours is, with one thing more."""
    writer, out = PlainUpdate(io.BytesIO(signed)), io.BytesIO()
    change(writer)
    crls = [asn1_crl.CertificateList.load(der) for der in world.evidence.crls_der]
    DocumentSecurityStore.supply_dss_in_writer(writer, sig_contents=None, crls=crls)
    writer.write(out)
    return out.getvalue()


def declared(level: int = 1, kind: str = "/DeveloperExtensions", **more: str) -> generic.DictionaryObject:
    entries = {pdf_name("/Type"): pdf_name(kind), pdf_name("/BaseVersion"): pdf_name("/1.7")}
    entries[pdf_name("/ExtensionLevel")] = generic.NumberObject(level)
    return generic.DictionaryObject(
        entries | {pdf_name("/" + key): generic.pdf_string(said) for key, said in more.items()}
    )


def put(writer: PlainUpdate, **extensions: generic.PdfObject) -> None:
    for name, value in extensions.items():
        writer.root["/Extensions"][pdf_name("/" + name)] = value
    writer.update_root()


def elsewhere(writer: PlainUpdate) -> None:
    put(writer, ESIC=declared())
    writer.root["/Extensions"] = writer.add_object(writer.root["/Extensions"])


def at_another_place(writer: PlainUpdate) -> None:
    put(writer, ESIC=writer.add_object(declared()))


def without_the_standard(writer: PlainUpdate) -> None:
    put(writer, ESIC=declared())
    del writer.root["/Extensions"]["/ISO_"]


FORGERIES: dict[str, Callable[[PlainUpdate], None]] = {
    "another level": lambda writer: put(writer, ESIC=declared(5)),
    "more in it": lambda writer: put(writer, ESIC=declared(URL="https://penipu.example")),
    "another kind": lambda writer: put(writer, ESIC=declared(kind="/Other")),
    "a list": lambda writer: put(writer, ESIC=generic.ArrayObject([declared()])),
    "another declaration": lambda writer: put(writer, ESIC=declared(), ADBE=declared()),
    "in an object of its own": at_another_place,
    "all in an object of its own": elsewhere,
    "one taken away": without_the_standard,
    "none, and another": lambda writer: put(writer, XXXX=declared()),
}


@pytest.mark.parametrize("name", [None, *FORGERIES])
def test_a_declaration_has_one_form(world, name):
    signed = world.signed(with_field, HEAD)
    if name is None:  # the forge itself composes what is proven
        made = forged(world, signed, lambda writer: put(writer, ESIC=declared()))
        assert prove_extension(made, signed, world.meant((), "B-LT")).level == "B-LT"
        return
    with pytest.raises(ProofFailed) as caught:
        prove_extension(forged(world, signed, FORGERIES[name]), signed, world.meant((), "B-LT"))
    assert caught.value.code == "proof_objects"


def test_a_declaration_alone_is_no_extension(world):
    """Behind our own signature it is there already, and nobody may write it again."""
    signed = world.signed(with_field, HEAD)
    writer, out = PlainUpdate(io.BytesIO(signed)), io.BytesIO()
    put(writer, ESIC=declared())
    writer.write(out)
    with pytest.raises(ProofFailed) as caught:
        prove_extension(out.getvalue(), signed, world.meant((), "B-T"))
    assert caught.value.code == "proof_objects"


def test_the_services_own_index_stays_as_it_is(world):
    signed = with_store_of_the_service(world, world.signed(with_field, HEAD))

    def index_gone(writer: PlainUpdate) -> None:
        put(writer, ESIC=declared())
        store = writer.root["/DSS"]
        store["/VRI"] = generic.DictionaryObject()
        writer.mark_update(writer.root.raw_get("/DSS"))

    writer, out = PlainUpdate(io.BytesIO(signed)), io.BytesIO()
    index_gone(writer)
    writer.write(out)
    with pytest.raises(ProofFailed) as caught:
        prove_extension(out.getvalue(), signed, world.meant((), "B-LT"))
    assert caught.value.code == "proof_dss"
