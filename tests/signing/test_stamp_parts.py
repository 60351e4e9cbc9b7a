"""A token that is like one that was proven is read quickly; what it says is what the full reader says, and no mutant passes."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import random
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import algos, cms, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import HttpTimestamper, TimestampFailed, chains, cmsproof, timestamp, tokenproof
from signing.chains import chain_to_anchor, der_of
from signing.cmsproof import read_cms
from signing.der import Element, Odd, element, elements, tlv
from signing.errors import EvidenceFailed
from signing.stampparts import read_stamp
from signing.tokenproof import prove_token
from tests.signing.authorities import BEGIN, YEAR, Authorities, Holder, Stamper

DIGEST = hashlib.sha256(b"signature").digest()


@functools.cache
def world() -> Authorities:
    return Authorities()


@functools.cache
def holder(name: str, years: float = 10):
    return world().tsa(name, years, kind="rsa2048")


def token(name: str = "TSA", digest: bytes = DIGEST, at: datetime = BEGIN) -> bytes:
    return Stamper(holder(name), lambda: at).token(digest, "sha256")


@pytest.fixture(autouse=True)
def _nothing_known():
    tokenproof._PROVEN.clear()
    read_stamp.cache_clear()
    chains._undated.cache_clear()


@pytest.fixture
def no_full_reader(monkeypatch):
    """From here on whatever needs the full reader fails."""

    def forget():
        monkeypatch.setattr(tokenproof, "_prove_in_full", None)

    return forget


@given(
    digest=st.binary(min_size=32, max_size=32),
    at=st.datetimes(datetime(2026, 11, 21), datetime(2029, 1, 1), timezones=st.just(UTC)),
)
@settings(max_examples=25, deadline=None)
def test_the_next_token_says_what_the_full_reader_says(digest, at):
    prove_token(token())
    der = token(digest=digest, at=at)
    quick = tokenproof._proven_before(der)
    full = tokenproof._prove_in_full(der)
    assert quick is not None
    assert quick == full
    assert (quick.at, quick.imprint) == (at, digest)
    assert read_stamp(der).nonce == 1


def test_the_second_token_needs_no_full_reader(no_full_reader):
    first, second = token(), token(digest=bytes(32))
    prove_token(first)
    no_full_reader()
    assert prove_token(second).imprint == bytes(32)


def test_another_authority_is_proven_in_full(no_full_reader):
    first, other = token(), token("Lain")
    prove_token(first)
    assert prove_token(other).certificate == holder("Lain").certificate
    no_full_reader()
    with pytest.raises(TypeError):
        prove_token(token("Ketiga"))


def test_every_flipped_bit_is_refused_or_changes_nothing_that_is_proven():
    """The quick way believes nothing that the full reader refuses."""
    dice, der = random.Random(11), token()
    prove_token(der)
    for place in dice.sample(range(len(der)), 500):
        forged = bytearray(der)
        forged[place] ^= 1 << dice.randrange(8)
        quick = tokenproof._proven_before(bytes(forged))
        assert quick is None, f"byte {place}"


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_pieces_of_two_tokens_make_no_third(data):
    one, other = token(), token(digest=bytes(32), at=BEGIN + timedelta(seconds=7))
    prove_token(one)
    start = data.draw(st.integers(0, min(len(one), len(other)) - 1))
    stop = data.draw(st.integers(start, len(one)))
    mixed = one[:start] + other[start:stop] + one[stop:]
    found = tokenproof._proven_before(mixed)
    assert found is None or mixed in {one, other}


def test_a_token_after_its_certificates_end_is_refused_the_quick_way_too():
    brief = Stamper(holder("Singkat", 1), lambda: BEGIN)
    late = Stamper(holder("Singkat", 1), lambda: BEGIN + 2 * YEAR)
    prove_token(brief.token(DIGEST, "sha256"))
    with pytest.raises(TimestampFailed):
        prove_token(late.token(DIGEST, "sha256"))


def test_a_chain_is_remembered_but_not_beyond_its_end():
    young = Authorities(ca_years=1)
    leaf = young.tsa("TSA", 10, kind="rsa2048")
    asked = leaf.der, (young.issuing.der,), (young.root.der,)
    assert len(chain_to_anchor(*asked, BEGIN)) == 3
    assert len(chain_to_anchor(*asked)) == 3
    with pytest.raises(EvidenceFailed):
        chain_to_anchor(*asked, BEGIN + 2 * YEAR)
    assert len(chain_to_anchor(*asked, BEGIN)) == 3


def test_of_two_chains_the_one_in_force_is_found():
    """The first that is found has ended; it must not hide the other."""
    young = Authorities(ca_years=1)
    leaf = young.tsa("TSA", 10, kind="rsa2048")
    root, issuing = (certified_for_longer(one, young.root) for one in (young.root, young.issuing))
    given = leaf.der, (young.issuing.der, der_of(issuing)), (young.root.der, der_of(root))
    assert chain_to_anchor(*given, BEGIN)[-1] == young.root.certificate
    assert chain_to_anchor(*given, BEGIN + 2 * YEAR) == (leaf.certificate, issuing, root)


def certified_for_longer(holder: Holder, issuer: Holder) -> x509.Certificate:
    """The same name and key."""
    certificate = holder.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.issuer)
        .public_key(certificate.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc + 20 * YEAR)
    )
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder.sign(issuer.key, hashes.SHA256())


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_request_is_the_one_that_asn1crypto_writes(algorithm):
    digest, nonce = hashlib.new(algorithm, b"x").digest(), 1 << 62 | 5
    request = tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": {
                "hash_algorithm": algos.DigestAlgorithm({"algorithm": algorithm}),
                "hashed_message": digest,
            },
            "nonce": nonce,
            "cert_req": True,
        }
    )
    assert timestamp._request(digest, algorithm, nonce) == request.dump()


class Answering(HttpTimestamper):
    """A client whose authority says what the test wants."""

    __slots__ = ("change",)

    def _post(self, body: bytes) -> bytes:
        asked = tsp.TimeStampReq.load(body)
        self.change(asked)
        return asyncio.run(Stamper(holder("TSA")).authority().async_request_tsa_response(asked)).dump()


def another_nonce(request):
    request["nonce"] = 7


def another_imprint(request):
    request["message_imprint"]["hashed_message"] = bytes(32)


@pytest.mark.parametrize("change", [another_nonce, another_imprint])
def test_an_answer_to_another_request_is_refused_also_from_an_authority_that_is_known(change):
    client = Answering("http://localhost/", anchors_der=(world().root.der,), others_der=(world().issuing.der,))
    object.__setattr__(client, "change", lambda _: None)
    client.token(DIGEST, "sha256")
    object.__setattr__(client, "change", change)
    with pytest.raises(TimestampFailed) as refused:
        client.token(DIGEST, "sha256")
    assert refused.value.code == "tsa_token_wrong"


def test_a_signature_is_read_as_the_full_reader_does():
    from tests.signing.test_longterm import BOTH, long

    for kind, name in BOTH:
        pdf = long(kind, name).signed
        for hole in [at for at in range(len(pdf)) if pdf.startswith(b"/Contents <", at)]:
            padded = bytes.fromhex(pdf[hole + 11 : pdf.index(b">", hole)].decode())
            quick = cmsproof._read_parts(padded)
            assert quick is not None
            assert quick == cmsproof._read_in_full(padded) == read_cms(padded)


@given(st.binary(max_size=200))
def test_der_is_read_strictly(content):
    for tag in (0x04, 0x30):
        whole = tlv(tag, content)
        assert element(whole, 0, len(whole)) == (tag, 0, len(whole) - len(content), len(whole))
        if content:
            with pytest.raises(Odd):
                element(whole[:-1], 0, len(whole) - 1)


@pytest.mark.parametrize("odd", ["30", "3080", "308101aa", "30820001aa", "308401020304", "1f0100", "3003020100ff"])
def test_odd_encodings_are_refused(odd):
    data = bytes.fromhex(odd)
    with pytest.raises(Odd):
        elements(data, Element(0x30, 0, 0, len(data)))


def test_what_is_no_token_is_left_to_the_full_reader():
    assert read_stamp(b"") is None
    assert read_stamp(cms.ContentInfo({"content_type": "data", "content": b"x"}).dump()) is None
    assert read_stamp(token() + b"\0") is None
