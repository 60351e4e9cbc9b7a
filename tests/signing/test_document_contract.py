"""What every back-end for whole documents promises, run against BSrE's client and one that lives in memory only."""

from __future__ import annotations

import hashlib

import pytest

from signing import (
    Capabilities,
    DocumentBackend,
    KeyUnusable,
    Passphrase,
    Result,
    Returned,
    SigningError,
    Trust,
    accept_returned,
    lacks,
)
from signing.backends.picture import picture
from signing.outside import OutsideSpec, Picture, sign_outside
from tests.signing.simulated import SECRET, order, playing, without_field

WRONG = Passphrase("bukan-itu")


class MemoryService:
    """Signs in this process, in a field of its own; the same passphrase as the simulator's first signer."""

    capabilities = Capabilities(
        prepared_field=False, certify=False, vector_appearance=False, seal_last=False, batch=True, look_up=False
    )

    def __init__(self, key):
        self._key = key

    def sign_document(self, one, secret):
        if secret != SECRET:
            raise KeyUnusable("passphrase_wrong")
        shown = Picture(picture(one.look), one.look.page, one.look.box) if one.look else None
        return Returned(sign_outside(one.pdf, self._key, OutsideSpec("sig_memory", shown)))

    def sign_documents(self, orders, secret):
        if secret != SECRET:
            rest = [Result(error=SigningError("not_dispatched"))] * (len(orders) - 1)
            return (Result(error=KeyUnusable("passphrase_wrong")), *rest)
        return tuple(Result(self.sign_document(one, secret)) for one in orders)


@pytest.fixture(scope="module", params=["bsre", "memory"])
def service(request, pki, tmp_path_factory):
    """The back-end, its signer's certificate and the trust that goes with it."""
    if request.param == "memory":
        yield MemoryService(pki.key("kepala")), pki.key("kepala").certificate_der, pki.trust
        return
    with playing(tmp_path_factory.mktemp("bsre")) as play:
        yield play.client(), play.certificate(), play.trust


def accepted(service, sent, returned):
    _, certificate, trust = service
    sha = hashlib.sha256(certificate).hexdigest()
    given = {"policy": "own_field", "certificate_sha256": sha, "trust": trust, "look": sent.look}
    return accept_returned(sent.pdf, returned, field=sent.field, **given)


def test_it_is_a_document_backend(service):
    assert isinstance(service[0], DocumentBackend)
    assert isinstance(service[0].capabilities, Capabilities)
    assert isinstance(service[2], Trust)


@pytest.mark.parametrize("look", [True, False])
def test_what_it_returns_can_be_accepted(service, look):
    sent = order() if look else order(look=None)
    assert accepted(service, sent, service[0].sign_document(sent, SECRET)).proof_strength == "bytes"


def test_a_batch_gives_each_order_its_result(service):
    orders = [order(without_field(f"Pemegang {number}")) for number in range(4)]
    results = service[0].sign_documents(orders, SECRET)
    assert len(results) == 4
    for sent, result in zip(orders, results, strict=True):
        assert accepted(service, sent, result.returned)
    assert service[0].sign_documents([], SECRET) == ()


def test_a_wrong_secret_is_used_once_and_never_told(service):
    results = service[0].sign_documents([order()] * 3, WRONG)
    assert [result.error.code for result in results] == ["passphrase_wrong", "not_dispatched", "not_dispatched"]
    with pytest.raises(KeyUnusable, match="passphrase_wrong") as caught:
        service[0].sign_document(order(), WRONG)
    assert WRONG.text not in str(caught.value) + repr(results) + repr(service[0])


def test_it_says_what_it_lacks(service):
    capabilities = service[0].capabilities
    assert lacks(capabilities, ["seal_last", "batch", "prepared_field"]) == ("prepared_field", "seal_last")
    assert lacks(capabilities, ["batch"]) == ()
    with pytest.raises(ValueError, match="no such capability"):
        lacks(capabilities, ["sealing"])
