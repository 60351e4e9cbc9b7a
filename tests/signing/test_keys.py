"""PKCS#12 keys: what is accepted, and that nothing secret is ever told. The development PKI keeps what exists."""

from __future__ import annotations

import copy
import pickle
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

from certs.make_dev_pki import main, make_dev_pki
from signing import KeyUnusable, describe_certificate, open_pkcs12, read_pkcs12
from signing.errors import ADVICE, SigningError

SECRET = b"correct horse"


def p12(key, *, certified=None, usage=None, with_certificate=True) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CONTOH")])
    now = datetime.now(UTC)
    public = (certified or key).public_key()
    draft = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(public).serial_number(1)
    draft = draft.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    if usage:
        draft = draft.add_extension(usage, critical=True)
    signer = certified or key
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = draft.sign(signer, algorithm) if with_certificate else None
    return serialize_key_and_certificates(b"k", key, certificate, None, BestAvailableEncryption(SECRET))


def refused(content: bytes, secret: bytes = SECRET) -> str:
    with pytest.raises(KeyUnusable) as caught:
        read_pkcs12(content, secret)
    assert "horse" not in str(caught.value) + repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.advice == ADVICE[caught.value.code]
    return caught.value.code


def test_a_wrong_passphrase_is_told_apart_from_a_damaged_file():
    good = p12(ec.generate_private_key(ec.SECP256R1()))
    assert refused(good, b"wrong horse") == "passphrase_wrong"
    assert refused(good, b"") == "passphrase_wrong"
    assert refused(good[:200]) == "key_unreadable"
    assert refused(b"") == "key_unreadable"


def test_a_missing_file(tmp_path):
    with pytest.raises(KeyUnusable, match="key_unreadable"):
        open_pkcs12(tmp_path / "nobody.p12", SECRET)


@pytest.mark.parametrize(
    "key",
    [
        lambda: rsa.generate_private_key(65537, 1024),
        lambda: ec.generate_private_key(ec.SECP521R1()),
        lambda: ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate,
    ],
)
def test_weak_or_odd_keys_are_refused(key):
    assert refused(p12(key())) == "key_unsupported"


def test_p384_signs_with_sha384():
    assert read_pkcs12(p12(ec.generate_private_key(ec.SECP384R1())), SECRET).digest == "sha384"


def test_a_certificate_that_is_not_the_keys_or_may_not_sign():
    mine, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    for_exchange = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
    with pytest.raises(ValueError):  # cryptography itself refuses to pack a foreign certificate
        p12(mine, certified=other)
    assert refused(p12(mine, usage=for_exchange)) == "certificate_unfit"
    assert refused(p12(mine, with_certificate=False)) == "key_unreadable"


def test_what_a_certificate_says_about_itself(pki):
    facts = describe_certificate(pki.key("kepala").certificate_der)
    assert facts.subject_cn == "Kepala Dinas (CONTOH)"
    assert facts.key == "secp256r1"
    assert facts.sha256 == pki.key("kepala").certificate_sha256
    day = timedelta(days=1)
    assert facts.unfit(facts.not_before + day) == ()
    assert facts.unfit(facts.not_after + day) == ("expired",)
    assert facts.unfit(facts.not_before - day) == ("not_yet_valid",)
    issuing = x509.load_pem_x509_certificate((pki.folder / "issuing.pem").read_bytes()).public_bytes(Encoding.DER)
    assert describe_certificate(issuing).unfit(facts.not_before + day) == ("usage",)
    with pytest.raises(KeyUnusable, match="certificate_unfit"):
        describe_certificate(b"nothing")


def test_a_key_is_never_pickled_copied_or_shown(pki):
    key = pki.key("kepala")
    assert "_key" not in repr(key)
    for escape in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            escape(key)


def test_the_development_pki_is_private_and_stays(tmp_path):
    out = tmp_path / "pki"
    make_dev_pki(out, [("a", "Pejabat A")], key="p256")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    make_dev_pki(out, [("a", "Nama Lain"), ("b", "Pejabat B")], [("s", "Dinas")], key="p256")
    after = {path.name: path.read_bytes() for path in out.iterdir()}
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"b.p12", "b.cert.pem", "s.p12", "s.cert.pem"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_every_development_certificate_says_that_it_is_one(pki):
    for path in pki.folder.glob("*.pem"):
        if not path.name.endswith("key.pem"):
            subject = x509.load_pem_x509_certificate(path.read_bytes()).subject.rfc4514_string()
            assert "CONTOH PENGEMBANGAN" in subject


def test_the_command_makes_a_pki(tmp_path, capsys):
    main(["--out", str(tmp_path / "x"), "--person", "a=A, Sp.A", "--key", "p256"])
    assert "root.pem" in capsys.readouterr().out
    secret = (tmp_path / "x" / "passphrase").read_bytes().strip()
    assert open_pkcs12(tmp_path / "x" / "a.p12", secret).chain_der
    assert secret.decode() not in capsys.readouterr().out


def test_errors_have_a_closed_list_of_codes():
    with pytest.raises(KeyError):
        SigningError("no_such_code")
    again = pickle.loads(pickle.dumps(KeyUnusable("passphrase_wrong", "x")))
    assert (again.code, again.detail, type(again)) == ("passphrase_wrong", "x", KeyUnusable)
