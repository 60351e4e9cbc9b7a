"""PKCS#11 on a real SoftHSM2 token. Whatever logs in wrongly, forks or pulls the token out runs in a child process."""

from __future__ import annotations

import pytest

OPEN = "key = open_pkcs11(M, L, 'p256-kepala', PIN, certificate_der=(H / 'p256-kepala.der').read_bytes())\n"


def test_two_keys_share_one_login(softhsm):
    out = softhsm.child(
        OPEN
        + """
other = open_pkcs11(M, L, 'rsa2048-segel', PIN, certificate_der=(H / 'rsa2048-segel.der').read_bytes())
print(len(key.sign_attributes(b'1')) > 60, len(other.sign_attributes(b'1')), len(sessions._OPEN), key)
"""
    )
    assert out.startswith("True 256 1 Pkcs11Backend(digest='sha256', key_label='p256-kepala', certificate_sha256=")


COUNTED = """
import pkcs11
calls = []
class Counted:
    def __init__(self, token): self.token = token
    def __getattr__(self, name): return getattr(self.token, name)
    def open(self, **given):
        calls.append(given)
        return self.token.open(**given)
plain = sessions._tokens
sessions._tokens = lambda module: (Counted(token) for token in plain(module))
"""


def test_a_wrong_pin_reaches_the_token_once(softhsm):
    out = softhsm.child(
        COUNTED
        + """
certificate = (H / 'p256-kepala.der').read_bytes()
def attempt(pin): return told(lambda: open_pkcs11(M, L, 'p256-kepala', pin, certificate_der=certificate))
print(attempt(b'000000'), len(calls))
print(attempt(b'000000'), len(calls))
print(attempt(PIN), len(calls))
print(attempt(b'111111'), len(calls))
"""
    )
    assert out.splitlines() == [
        "KeyUnusable pin_wrong 1",
        "KeyUnusable pin_wrong 1",  # the same one again: not even asked
        "no error 2",
        "KeyUnusable pin_wrong 2",  # the token is open: another PIN can't be right
    ]


def test_a_wrong_pin_is_not_told(softhsm):
    out = softhsm.child("print(told(lambda: open_pkcs11(M, L, 'p256-kepala', b'31415926')))")
    assert out == "KeyUnusable pin_wrong\n"


TAKEN_OUT = """
import pkcs11
def take_out():
    (H / 'tokens').rename(H / 'drawer')
    (H / 'tokens').mkdir()
    pkcs11.lib(str(M)).reinitialize()
def put_back():
    (H / 'tokens').rmdir()
    (H / 'drawer').rename(H / 'tokens')
    pkcs11.lib(str(M)).reinitialize()
"""


def test_a_token_that_is_taken_out_and_put_back(softhsm):
    out = softhsm.child(
        OPEN
        + TAKEN_OUT
        + """
key.sign_attributes(b'1')
take_out()
print(told(lambda: key.sign_attributes(b'2')))
put_back()
print(told(lambda: key.sign_attributes(b'3')))
print(told(lambda: key.sign_attributes(b'4')))
"""
    )
    assert out.splitlines() == ["KeyUnusable token_missing", "no error", "no error"]


def test_without_its_pin_it_stays_closed(softhsm):
    out = softhsm.child(
        OPEN
        + TAKEN_OUT
        + """
key.forget()
print(told(lambda: key.sign_attributes(b'1')))
take_out()
put_back()
print(told(lambda: key.sign_attributes(b'2')))
again = open_pkcs11(M, L, 'p256-kepala', PIN, certificate_der=key.certificate_der)
print(told(lambda: again.sign_attributes(b'3')), told(lambda: key.sign_attributes(b'3')))
key.close()
print(told(lambda: key.sign_attributes(b'4')))
"""
    )
    assert out.splitlines() == ["no error", "KeyUnusable pin_needed", "no error no error", "KeyUnusable pin_needed"]


def test_a_session_does_not_cross_a_fork(softhsm):
    out = softhsm.child(
        OPEN
        + """
import traceback
reading, writing = os.pipe()
if not os.fork():
    os.write(writing, told(lambda: key.sign_attributes(b'1')).encode())
    os._exit(0)
os.wait()
print(os.read(reading, 99).decode(), '/', told(lambda: key.sign_attributes(b'1')))
"""
    )
    assert out == "SigningFailed backend_failed / no error\n"


def test_four_threads_and_one_token(softhsm):
    out = softhsm.child(
        OPEN
        + """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    print(len(list(pool.map(lambda n: key.sign_attributes(b'%d' % n), range(200)))))
"""
    )
    assert out == "200\n"


def test_the_certificate_may_lie_on_the_token(softhsm):
    out = softhsm.child(
        """
import pkcs11
from pkcs11 import Attribute as A
der = (H / 'rsa2048-kepala.der').read_bytes()
print(told(lambda: open_pkcs11(M, L, 'rsa2048-kepala', PIN)))
with pkcs11.lib(str(M)).get_token(token_label=L).open(rw=True) as session:
    session.create_object({A.CLASS: pkcs11.ObjectClass.CERTIFICATE, A.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
        A.TOKEN: True, A.LABEL: 'named otherwise', A.ID: b'\\x01', A.SUBJECT: b'0\\0', A.VALUE: der})
key = open_pkcs11(M, L, 'rsa2048-kepala', PIN)
print(key.certificate_der == der, len(key.sign_attributes(b'1')))
"""
    )
    assert out.splitlines() == ["KeyUnusable token_key_missing", "True 256"]


def test_a_key_that_wants_the_pin_for_every_signature(softhsm):
    out = softhsm.child(
        """
import datetime, pkcs11
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pkcs11 import Attribute as A
with pkcs11.lib(str(M)).get_token(token_label=L).open(rw=True, user_pin=PIN.decode()) as session:
    curve = {A.EC_PARAMS: pkcs11.util.ec.encode_named_curve_parameters('secp256r1')}
    curve = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
    public, _ = curve.generate_keypair(store=True, label='card', id=b'\\x77', private_template={A.ALWAYS_AUTHENTICATE: True})
    public = serialization.load_der_public_key(pkcs11.util.ec.encode_ec_public_key(public))
name, now = x509.Name([]), datetime.datetime.now()
draft = x509.CertificateBuilder(name, name, public, 1, now, now + datetime.timedelta(1))
der = draft.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(serialization.Encoding.DER)
key = open_pkcs11(M, L, 'card', PIN, certificate_der=der)
print(told(lambda: key.sign_attributes(b'1')), told(lambda: key.sign_attributes(b'2')))
key.forget()
print(told(lambda: key.sign_attributes(b'3')))
"""
    )
    assert out.splitlines() == ["no error no error", "KeyUnusable pin_needed"]


@pytest.mark.parametrize(
    ("opening", "said"),
    [
        ("open_pkcs11(Path('/nowhere.so'), L, 'p256-kepala', PIN)", "KeyUnusable module_missing"),
        ("open_pkcs11(M, 'another', 'p256-kepala', PIN)", "KeyUnusable token_missing"),
        ("open_pkcs11(M, L, 'nobody', PIN, certificate_der=(H / 'p256-kepala.der').read_bytes())", "KeyUnusable token_key_missing"),
        ("open_pkcs11(M, L, 'rsa2048-kepala', PIN, certificate_der=(H / 'p256-kepala.der').read_bytes())", "KeyUnusable token_key_missing"),
        ("open_pkcs11(M, L, 'rsa2048-kepala', PIN, certificate_der=(H / 'rsa2048-segel.der').read_bytes())", "KeyUnusable certificate_unfit"),
        (
            "open_pkcs11(M, L, 'p256-kepala', PIN, certificate_der=(H / 'p256-segel.der').read_bytes()).sign_attributes(b'1')",
            "SigningFailed signature_wrong",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(softhsm, opening, said):
    assert softhsm.child(f"print(told(lambda: {opening}))") == said + "\n"
