"""The head signs at BSrE, in the real steps: from the tray to the released permit."""

from __future__ import annotations

import hashlib

import pytest

from service.audit import audit
from service.permits import State
from service.store.batch_tables import BatchState
from service.verification import verify_file, verify_file_command
from tests.backends.conftest import HULU, bsre_office


def test_from_the_tray_to_the_released_permit(tmp_path, keys, bsre_keys, database):
    with bsre_office(tmp_path, keys, bsre_keys, database=database) as desk:
        opened, permits = desk.signed(3)
        assert (opened.state, opened.counts) == (BatchState.DONE, {"signed": 3})
        for permit in permits:
            now = desk.row(permit)
            assert (now.state, now.fault) == (State.IN_FORCE, None)
            assert desk.dispatches(permit) == ["returned"]
            assert desk.told(permit)[:4] == ["sign_ordered", "dispatched", "signed", "issued"]
            pdf = desk.teken.archive.get(now.released_sha)
            assert pdf.startswith(desk.teken.archive.get(now.ordered_sha))
            assert hashlib.sha256(pdf).hexdigest() == now.head_sha
            assert str(verify_file(desk.teken, pdf).verdict) == "identical"


OWN = 'backend = "bsre"\nreturned = "own_field"'
ANEW = 'backend = "bsre"\nreturned = "rewritten"'


@pytest.mark.parametrize(
    ("quirks", "signing", "proof", "notes"),
    [
        ((), OWN, "bytes", ["own_field"]),
        (("own_field",), OWN, "bytes", ["own_field"]),
        (("own_field", "pixel_size"), OWN, "bytes", ["own_field"]),
        (("rewritten",), ANEW, "content", ["own_field", "rewritten"]),
        (("own_field", "rewritten"), ANEW, "content", ["own_field", "rewritten"]),
        ((), ANEW, "bytes", ["own_field"]),
    ],
)
def test_a_field_of_the_services_own_and_a_file_written_anew(tmp_path, keys, bsre_keys, quirks, signing, proof, notes):
    """The document is sent without the head's field: the service makes its own at the place that the template gives it."""
    with bsre_office(tmp_path, keys, bsre_keys, *quirks, signing=signing) as desk:
        opened, (permit,) = desk.signed()
        assert opened.counts == {"signed": 1}, opened.items
        assert desk.row(permit).state == State.IN_FORCE
        (signature,) = desk.signatures(permit)
        assert (signature["field"], signature["proof"], signature["notes"]) == ("ttd_kepala", proof, notes)
        assert signature["in_field"].startswith("sig_")
        assert audit(desk.teken).violations == ()


SEALED_HERE = [("", 'backend = "bsre"'), ("own_field", OWN)]


@pytest.mark.parametrize(("quirk", "signing"), SEALED_HERE)
def test_the_head_at_the_service_and_the_seal_here(tmp_path, keys, bsre_keys, quirk, signing):
    with bsre_office(tmp_path, keys, bsre_keys, *filter(None, [quirk]), signing=signing, kind=HULU) as desk:
        opened, (permit,) = desk.signed()
        assert opened.counts == {"signed": 1}, opened.items
        desk.sign()
        desk.work()
        now = desk.row(permit)
        assert (now.state, now.fault) == (State.IN_FORCE, None)
        assert desk.teken.archive.get(now.sealed_sha).startswith(desk.teken.archive.get(now.head_sha))
        assert [one.get("proof") for one in desk.signatures(permit)] == ["bytes", None]
        assert audit(desk.teken).violations == ()


def test_the_head_here_and_the_seal_at_the_service(tmp_path, keys, bsre_keys):
    with bsre_office(tmp_path, keys, bsre_keys, signing='[signing.seal]\nbackend = "bsre"', kind=HULU) as desk:
        opened, (permit,) = desk.signed(passphrase=(keys / "passphrase").read_bytes().strip())
        assert opened.counts == {"signed": 1}, opened.items
        desk.sign()
        desk.work()
        now = desk.row(permit)
        assert (now.state, now.fault) == (State.IN_FORCE, None)
        assert [one.get("proof") for one in desk.signatures(permit)] == [None, "bytes"]
        assert desk.dispatches(permit) == ["returned"]
        assert audit(desk.teken).violations == ()


def test_both_at_the_service(tmp_path, keys, bsre_keys):
    both = 'backend = "bsre"\n[signing.seal]\nbackend = "bsre"'
    with bsre_office(tmp_path, keys, bsre_keys, signing=both, kind=HULU) as desk:
        opened, (permit,) = desk.signed()
        assert opened.counts == {"signed": 1}, opened.items
        desk.sign()
        desk.work()
        assert (desk.row(permit).state, desk.row(permit).fault) == (State.IN_FORCE, None)
        assert [one.get("proof") for one in desk.signatures(permit)] == ["bytes", "bytes"]
        assert audit(desk.teken).violations == ()


def test_the_weaker_proof_is_said_in_plain_words(tmp_path, keys, bsre_keys, capsys):
    """On the public page, in its JSON twin and by `teken verify`; where our bytes came back nothing is said."""
    from service.app import create_app

    for number, (quirks, signing, said) in enumerate((((), OWN, False), (("rewritten",), ANEW, True))):
        with bsre_office(tmp_path / str(number), keys, bsre_keys, *quirks, signing=signing) as desk:
            _, (permit,) = desk.signed()
            now = desk.row(permit)
            web = create_app(desk.teken).test_client()
            page = web.get(f"/v/{now.code}").get_data(as_text=True)
            assert ("menulis ulang berkas ini" in page) is said
            (signature,) = web.get(f"/api/v1/verify/{now.code}").get_json()["permit"]["documents"][0]["signatures"]
            assert signature["proof"] == ("content" if said else "bytes")
            path = tmp_path / "izin.pdf"
            path.write_bytes(desk.teken.archive.get(now.released_sha))
            assert verify_file_command(desk.teken, path, as_json=False) == 0
            assert ("menulis ulang berkas ini" in capsys.readouterr().out) is said
