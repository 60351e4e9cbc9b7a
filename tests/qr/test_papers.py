"""The offline QR on real papers, in each order of number, signature and seal; and whoever can write to the database."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select, update

from service import pipeline, qr, qr_lists
from service.audit import audit
from service.permits import State
from service.qr_keys import file
from service.steps.proving import prove_stored
from service.steps.qr import QrDiffers
from service.store.qr_tables import qr_burned, qr_keys
from service.store.tables import documents, officials, permits
from signing import ProofFailed, SigningFailed
from tests.procedures.stories import seen_by_poppler, seen_codes
from tests.support.office import play, row, take_turn, work


def public_key(house):
    with house.teken.db.read() as connection:
        known = connection.execute(select(qr_keys)).one()
    return qr.public_key(known.x, known.y)


def change(house, permit, **values):
    with house.teken.db.write() as connection:
        connection.execute(update(permits).where(permits.c.id == permit).values(**values))


@pytest.mark.parametrize("variant", ["number-first", "number-after", "head-last"])
def test_the_paper_proves_its_own_data(make, tmp_path, variant):
    house = make(variant)
    permit = house.post()
    play(house.teken, permit)
    issued = row(house.teken, permit)
    assert (issued.state, issued.fault) == ("in_force", None)
    address, _, fragment = issued.qr.partition("#")
    assert address == issued.verify_url
    said = qr.checked(issued.code, fragment, public_key(house))
    dates = said.valid_from.isoformat(), said.valid_to.isoformat()
    assert (said.office, said.number, *dates) == (house.office, issued.number, issued.set_on, issued.valid_to)
    pdf = house.teken.archive.get(issued.released_sha)
    assert seen_codes(pdf, 200) == seen_by_poppler(pdf, tmp_path, 200) == [issued.qr]
    assert audit(house.teken).violations == ()


def test_an_office_without_it_draws_what_it_drew(tmp_path, keys):
    from tests.support.office import client_of, open_office, payload, post

    teken = open_office(tmp_path, keys)
    permit = post(teken, client_of(teken, "rokan-hilir"), payload("rokan-hilir", "sip-perekam-medis")).body["id"]
    work(teken)
    with teken.db.write() as connection:  # a text that somebody wrote on its row counts for nothing
        connection.execute(update(permits).values(qr="HTTPS://EVIL.EXAMPLE/V/0000000000000000#AAAA"))
    play(teken, permit)
    issued = row(teken, permit)
    assert seen_codes(teken.archive.get(issued.released_sha)) == [issued.verify_url]
    teken.close()


@pytest.mark.parametrize("variant", ["number-first", "number-after", "head-last"])
def test_step_seven_refuses_another_text_on_the_row(make, variant):
    house = make(variant)
    permit = house.post()
    play(house.teken, permit)
    issued, bundle = row(house.teken, permit), house.teken.pins.open(row(house.teken, permit).pin)
    with house.teken.db.read() as connection:
        signatures = json.loads(connection.execute(select(documents.c.signatures)).scalar_one())
    pdf = house.teken.archive.get(issued.released_sha)
    prove_stored(house.teken, issued, bundle, signatures, pdf)
    key = house.teken.keys.qr(house.office)
    said = qr.checked(issued.code, issued.qr.partition("#")[2], key.public_key())
    forgeries = {
        "other holder": f"{issued.verify_url}#{qr.signed(issued.code, replace(said, holder='Budi'), key)}",
        "no fragment": issued.verify_url,
        "other host": issued.qr.replace("HTTPS://", "HTTPS://EVIL."),
        "other code": f"{issued.verify_url}#{qr.signed('0' * 16, said, key)}",
        "no text": None,
    }
    for text in forgeries.values():
        change(house, permit, qr=text)
        with pytest.raises((QrDiffers, ProofFailed)):
            prove_stored(house.teken, row(house.teken, permit), bundle, signatures, pdf)
        assert {one.invariant for one in audit(house.teken).violations} == {"I4"}


def test_who_writes_a_text_before_the_signature_gets_nothing_signed(make):
    """Signed with the office's own key for another case: the ordered bytes say otherwise."""
    house = make("head-last")
    permit = house.post()
    _until_ordered(house, permit)
    ordered, key = row(house.teken, permit), house.teken.keys.qr(house.office)
    said = qr.Payload(house.office, qr.kid_of(key.public_key()), "SIP-PM", ordered.number, "Budi", *_days(ordered))
    change(house, permit, qr=f"{ordered.verify_url}#{qr.signed(ordered.code, said, key)}")
    work(house.teken)
    refused = row(house.teken, permit)
    assert (refused.head_sha, refused.fault) == (None, "qr_differs")


def test_a_name_changed_in_the_database_never_gets_into_the_qr(make):
    """What the QR says of the holder is what the ordered bytes say, whatever the case's row says by then."""
    house = make("number-first")
    permit = house.post()
    _until_ordered(house, permit)
    before = row(house.teken, permit)
    change(house, permit, number="999/PALSU")
    work(house.teken)
    after = row(house.teken, permit)
    assert (after.sealed_sha, after.qr, after.fault) == (None, None, "qr_differs")
    change(house, permit, number=before.number)


def test_a_retry_draws_the_same_text_though_the_key_was_rotated(make, monkeypatch):
    house = make("number-first")
    permit = house.post()
    _until_ordered(house, permit)
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("service.steps.seal"), "fill_and_seal", _fails)
        pipeline.advance(house.teken, "sign")
        pipeline.advance(house.teken, "sign")
    kept = row(house.teken, permit)
    assert (kept.sealed_sha, kept.fault, kept.qr is None) == (None, "backend_failed", False)
    qr_lists.rotate(house.teken, house.office)
    play(house.teken, permit)
    issued = row(house.teken, permit)
    assert (issued.state, issued.qr) == ("in_force", kept.qr)


def test_a_paper_that_is_made_again_gets_another_code_and_the_old_one_is_burned(make, monkeypatch):
    """The order lapses after its QR was signed: the paper is made anew, and what may lie about is on the list."""
    house = make("head-last")
    permit = house.post()
    _until_ordered(house, permit)
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("service.steps.sign"), "apply_signature", _fails)
        pipeline.advance(house.teken, "sign")
    first = row(house.teken, permit)
    assert (first.head_sha, first.qr is None) == (None, False)
    with house.teken.db.write() as connection:  # another rank is another signatory
        connection.execute(update(officials).values(rank="Pembina Utama"))
    play(house.teken, permit)
    again = row(house.teken, permit)
    assert again.state == "in_force"
    assert again.code != first.code
    assert qr.checked(again.code, again.qr.partition("#")[2], public_key(house)).number == again.number
    assert seen_codes(house.teken.archive.get(again.released_sha), 200) == [again.qr]
    with house.teken.db.read() as connection:
        assert connection.execute(select(qr_burned.c.id)).scalars().all() == [qr.list_id(first.code).hex()]
    assert audit(house.teken).violations == ()


def test_without_a_key_the_paper_waits_and_nothing_is_sealed(make):
    house = make("number-first", max_attempts=1)
    file(house.keys, house.office).unlink()
    permit = house.post()
    play(house.teken, permit)
    waits = row(house.teken, permit)
    assert (waits.state, waits.fault, waits.sealed_sha) == ("parked", "qr_key_missing", None)


def test_a_host_notes_its_key_once(make):
    house = make("number-first")
    with house.teken.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(qr_keys)).scalar_one() == 1


def _fails(*_given, **_named):
    raise SigningFailed("backend_failed")


def _days(ordered):
    return date.fromisoformat(ordered.set_on), date.fromisoformat(ordered.valid_to)


def _until_ordered(house, permit):
    """Everybody acts until the head has ordered; nothing is signed yet."""
    while row(house.teken, permit).state != State.SIGNING:
        pipeline.drain(house.teken, "work")
        if row(house.teken, permit).state != State.SIGNING:
            take_turn(house.teken, permit)
