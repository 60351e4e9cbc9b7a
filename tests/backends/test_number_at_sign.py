"""A head who signs at BSrE in an office whose SOP numbers after the signature: possible where the number comes with his order (ADR 0032)."""

from __future__ import annotations

import pytest

from service.audit import audit
from service.permits import State
from service.verification.file import trust
from signing import inspect
from tests.backends.conftest import PASSPHRASE, bsre_office
from tests.procedures.stories import filled, told_data

MALANG = ("malang", "sik-perekam-medis")
SEAL_THERE = '[signing.seal]\nbackend = "bsre"'
OWN = 'backend = "bsre"\nreturned = "own_field"'
CASES = {
    "head": ('backend = "bsre"', ["bytes", None]),
    "head in its own field": (OWN, ["bytes", None]),
    "both": (f'backend = "bsre"\nnumber_at_sign = true\n{SEAL_THERE}', ["bytes", "bytes"]),
    "seal": (f"{SEAL_THERE}\n[signing]\nnumber_at_sign = true", [None, "bytes"]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_service_signs_what_the_order_numbered(tmp_path, keys, bsre_keys, case):
    signing, proofs = CASES[case]
    if "number_at_sign" not in signing:
        signing += "\nnumber_at_sign = true"
    passphrase = PASSPHRASE if proofs[0] else (keys / "passphrase").read_bytes().strip()
    quirks = ["own_field"] if "own_field" in signing else []
    with bsre_office(tmp_path, keys, bsre_keys, *quirks, kind=MALANG, signing=signing) as desk:
        opened, permits = desk.signed(2, passphrase=passphrase)
        assert opened.counts == {"signed": 2}, [one.cause for one in opened.items]
        for _ in range(3):
            desk.sign()
            desk.work()
        for permit in permits:
            now = desk.row(permit)
            assert (now.state, now.fault) == (State.IN_FORCE, None)
            archive = desk.teken.archive
            head, pdf = archive.get(now.head_sha), archive.get(now.released_sha)
            assert head.startswith(archive.get(now.ordered_sha))
            assert pdf.startswith(head)
            assert filled(head) == filled(pdf)
            assert filled(pdf)["nomor_register"] == now.number
            assert [one.get("proof") for one in desk.signatures(permit)] == proofs
            facts = inspect(pdf, trust(desk.teken))
            assert all(one.sound and one.trusted for one in facts.signatures), facts.signatures
            assert len(told_data(desk.teken, permit, "permit.recorded")) == 1
        assert {desk.row(permit).number_no for permit in permits} == {1, 2}
        assert audit(desk.teken).violations == ()
