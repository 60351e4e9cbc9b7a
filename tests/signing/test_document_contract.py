"""What every back-end for whole documents promises, run against BSrE's client and one that lives in memory only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import pytest

from signing import (
    Capabilities,
    DocumentBackend,
    KeyUnusable,
    Passphrase,
    Result,
    Returned,
    Secret,
    SigningError,
    Totp,
    Trust,
    accept_returned,
    lacks,
)
from signing.backends.picture import picture
from signing.outside import OutsideSpec, Picture, sign_outside
from tests.signing.simulated import NIK, SECRET, order, playing, without_field

WRONG = {"passphrase_wrong": Passphrase("bukan-itu"), "totp_wrong": Totp("bukan-itu")}


@dataclass(frozen=True)
class Case:
    """A back-end, its signer's certificate and the trust that goes with it, the right secret, and what a wrong one is called."""

    backend: DocumentBackend
    certificate: bytes
    trust: Trust
    secret: Secret = SECRET
    refusal: str = "passphrase_wrong"


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


@pytest.fixture(scope="module", params=["bsre", "bsre with a code", "memory"])
def service(request, pki, tmp_path_factory):
    if request.param == "memory":
        yield Case(MemoryService(pki.key("kepala")), pki.key("kepala").certificate_der, pki.trust)
        return
    with playing(tmp_path_factory.mktemp("bsre")) as play:
        case = Case(play.client(), play.certificate(), play.trust)
        if "code" in request.param:
            assert play.client().request_totp(4) is None
            sent = Totp(play.app.extensions["play"].codes[NIK])
            case = replace(case, secret=sent, refusal="totp_wrong")
        yield case


def accepted(service, sent, returned):
    sha = hashlib.sha256(service.certificate).hexdigest()
    given = {"policy": "own_field", "certificate_sha256": sha, "trust": service.trust, "look": sent.look}
    return accept_returned(sent.pdf, returned, field=sent.field, **given)


def test_it_is_a_document_backend(service):
    assert isinstance(service.backend, DocumentBackend)
    assert isinstance(service.backend.capabilities, Capabilities)
    assert isinstance(service.trust, Trust)


@pytest.mark.parametrize("look", [True, False])
def test_what_it_returns_can_be_accepted(service, look):
    sent = order() if look else order(look=None)
    assert accepted(service, sent, service.backend.sign_document(sent, service.secret)).proof_strength == "bytes"


def test_a_batch_gives_each_order_its_result(service):
    orders = [order(without_field(f"Pemegang {number}")) for number in range(4)]
    results = service.backend.sign_documents(orders, service.secret)
    assert len(results) == 4
    for sent, result in zip(orders, results, strict=True):
        assert accepted(service, sent, result.returned)
    assert service.backend.sign_documents([], service.secret) == ()


def test_a_wrong_secret_is_used_once_and_never_told(service):
    wrong = WRONG[service.refusal]
    results = service.backend.sign_documents([order()] * 3, wrong)
    assert [result.error.code for result in results] == [service.refusal, "not_dispatched", "not_dispatched"]
    with pytest.raises(KeyUnusable, match=service.refusal) as caught:
        service.backend.sign_document(order(), wrong)
    assert wrong.text not in str(caught.value) + repr(results) + repr(service.backend)


def test_it_says_what_it_lacks(service):
    capabilities = service.backend.capabilities
    assert lacks(capabilities, ["seal_last", "batch", "prepared_field"]) == ("prepared_field", "seal_last")
    assert lacks(capabilities, ["batch"]) == ()
    with pytest.raises(ValueError, match="no such capability"):
        lacks(capabilities, ["sealing"])
