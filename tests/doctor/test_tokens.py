"""Real tokens (SoftHSM2): a PIN goes there when asked for, once, and not at all when the token says that it could be the last."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from service.settings import PROJECT
from tests.doctor.house import HEAD, SEAL, SECRET, build, write
from tests.signing.softhsm import LABEL, MODULE, PIN, SoftHsm

WRONG = b"135790"
COUNTED = """
import os, sys, pkcs11
from service.cli import main
logins = []
class Behind:
    def __init__(self, real): self.real = real
    def __getattr__(self, name): return getattr(self.real, name)
class Token(Behind):
    def open(self, *words, **given):
        logins.append(given.get("user_pin") is not None)
        return self.real.open(*words, **given)
class Slot(Behind):
    def get_token(self): return Token(self.real.get_token())
class Library(Behind):
    def get_slots(self, *words, **given): return [Slot(one) for one in self.real.get_slots(*words, **given)]
real = pkcs11.lib
pkcs11.lib = lambda module: Library(real(module))
code = main(["doctor", "--json", *sys.argv[1:]])
sys.stderr.write(f"logins {sum(logins)} exit {code}")
"""


@pytest.fixture
def token_house(tmp_path, place):
    """Head and seal sign with keys in one token, whose PIN file is for the seal."""
    house = build(tmp_path, place, now=datetime.now(UTC), backend="pkcs11")
    hsm = SoftHsm(tmp_path / "hsm")
    hsm.tokens.mkdir(parents=True)
    (hsm.folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {hsm.tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    hsm.util("--init-token", "--free", "--label", LABEL, "--pin", PIN.decode(), "--so-pin", "87654321")
    (tmp_path / "pin").mkdir(mode=0o700)
    (tmp_path / "sertifikat").mkdir()
    for number, owner in enumerate((HEAD, SEAL), 1):
        name, pem = owner.replace("/", "."), tmp_path / "kunci.pem"
        path = house.keys / f"{name}.p12"
        key, certificate, chain = pkcs12.load_key_and_certificates(path.read_bytes(), SECRET)
        pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        word = PIN.decode()
        hsm.util("--import", str(pem), "--token", LABEL, "--label", name, "--id", f"{number:02x}", "--pin", word)
        pem.unlink()
        path.unlink()
        together = b"".join(one.public_bytes(Encoding.PEM) for one in (certificate, *chain))
        (tmp_path / "sertifikat" / f"{name}.cert.pem").write_bytes(together)
    write(tmp_path / "pin" / "malang.segel.pin", PIN + b"\n")
    house.set(signing_host=tmp_path / "host.toml")
    house.hsm = hsm
    set_host(house)
    return house


def set_host(house, label: str = LABEL, more: str = "") -> None:
    text = f'[pkcs11]\nmodule = "{MODULE}"\ntoken = "{label}"\ncertificates = "sertifikat"\npins = "pin"\n{more}'
    write(house.settings.signing_host, text.encode())


def doctor(house, *words: str, typed: bytes = b"") -> tuple[list[dict], int]:
    """Run the command; return its findings about tokens, and how often a PIN went to one."""
    given = house.settings.model_dump(exclude_unset=True)
    variables = {f"TEKEN_{name.upper()}": str(value) for name, value in given.items() if value}
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, *words],
        env={**house.hsm.environment, **variables},
        cwd=PROJECT,
        input=typed,
        capture_output=True,
        check=False,
    )
    said = done.stderr.decode().rsplit("logins ", 1)
    assert len(said) == 2, done.stderr.decode()
    for secret in (PIN, WRONG):
        assert secret not in done.stdout + done.stderr
    found = json.loads(done.stdout)
    logins, _, code = said[1].split()
    faulty = {"fault", "unknown"} & {one["state"] for one in found}
    assert code == ("1" if faulty else "0")
    assert [one for one in found if one["state"] == "fault" and one["check"] != "token"] == []
    return [one for one in found if one["check"] == "token"], int(logins)


def codes(found: list[dict]) -> list[tuple[str, str]]:
    return [(one["subject"], one["code"]) for one in found]


FINE, SHARED = (LABEL, "token_fine"), (LABEL, "token_shared")
SEEN = [FINE, SHARED, (HEAD, "token_key_seen"), (SEAL, "token_key_seen")]


def test_unasked_no_pin_goes_to_the_token(token_house):
    found, logins = doctor(token_house)
    assert (codes(found), logins) == (SEEN, 0)


def test_a_seal_that_opens(token_house):
    found, logins = doctor(token_house, "--open-keys")
    assert (codes(found), logins) == ([*SEEN[:3], (SEAL, "key_opens")], 1)


def test_an_officials_pin_is_asked_for_and_tried_once(token_house):
    found, logins = doctor(token_house, "--official", HEAD, "--passphrase-stdin", typed=PIN + b"\n")
    assert (codes(found), logins) == ([*SEEN[:2], (HEAD, "key_opens"), SEEN[3]], 1)


def test_a_wrong_pin_is_tried_exactly_once_and_then_never_again(token_house, tmp_path):
    """The token remembers: the second run reads that and leaves it alone, also with the right PIN at hand."""
    write(tmp_path / "pin" / "malang.segel.pin", WRONG)
    found, logins = doctor(token_house, "--open-keys")
    assert (codes(found), logins) == ([*SEEN[:3], (SEAL, "pin_wrong")], 1)
    write(tmp_path / "pin" / "malang.segel.pin", PIN)
    found, logins = doctor(token_house, "--open-keys")
    assert (codes(found), logins) == ([(LABEL, "pin_low"), SHARED], 0)
    assert found[0]["state"] == "warning"


def test_after_one_refusal_no_other_pin_goes_there(token_house):
    """The head's is wrong, so that the seal's isn't tried either: the token counts both."""
    words = ("--open-keys", "--official", HEAD, "--passphrase-stdin")
    found, logins = doctor(token_house, *words, typed=WRONG + b"\n")
    assert (codes(found), logins) == ([*SEEN[:2], (HEAD, "pin_wrong"), (SEAL, "pin_not_tried")], 1)


@pytest.mark.parametrize(("bit", "code"), [(0x20000, "pin_final"), (0x40000, "pin_locked")])
def test_a_token_that_would_lock_is_left_alone(token_house, bit, code):
    """SoftHSM2 itself never locks; the flag is written where it keeps its own (OSAttributes.h, CKA_OS_TOKENFLAGS)."""
    set_flag(token_house.hsm, bit)
    found, logins = doctor(token_house, "--open-keys")
    assert (codes(found), logins) == ([(LABEL, code), SHARED], 0)
    assert found[0]["state"] == "fault"


def set_flag(hsm: SoftHsm, bit: int) -> None:
    [path] = hsm.tokens.rglob("token.object")
    content = bytearray(path.read_bytes())
    at = content.index((0x8000534B).to_bytes(8, "big")) + 16  # the attribute's name, its kind, its value
    flags = int.from_bytes(content[at : at + 8], "big")
    content[at : at + 8] = (flags | bit).to_bytes(8, "big")
    path.write_bytes(content)


def test_another_token_than_the_one_that_is_plugged_in(token_house):
    set_host(token_house, "token-lain")
    found, logins = doctor(token_house, "--open-keys")
    assert (codes(found), logins) == ([("token-lain", "token_missing"), ("token-lain", "token_shared")], 0)
    assert LABEL in found[0]["message"]


def test_a_module_that_is_no_module(token_house, tmp_path):
    (tmp_path / "modul.so").write_bytes(b"bukan modul")
    text = token_house.settings.signing_host.read_text().replace(str(MODULE), "modul.so")
    write(token_house.settings.signing_host, text.encode())
    assert codes(doctor(token_house)[0]) == [(str(tmp_path / "modul.so"), "module_missing"), SHARED]


def test_a_pin_file_that_is_missing(token_house, tmp_path):
    (tmp_path / "pin" / "malang.segel.pin").unlink()
    assert codes(doctor(token_house)[0]) == [*SEEN[:3], (SEAL, "secret_missing")]


def test_a_key_that_is_not_in_the_token(token_house):
    hsm = token_house.hsm
    hsm.util("--delete-token", "--token", LABEL)
    hsm.util("--init-token", "--free", "--label", LABEL, "--pin", PIN.decode(), "--so-pin", "87654321")
    found, logins = doctor(token_house, "--open-keys")
    assert (codes(found), logins) == ([*SEEN[:3], (SEAL, "token_key_missing")], 1)


def test_a_certificate_that_is_not_the_enrolled_one(token_house, tmp_path):
    other = token_house.certify("kadis").certificate.public_bytes(Encoding.PEM)
    (tmp_path / "sertifikat" / "malang.kadis.cert.pem").write_bytes(other)
    found, _ = doctor(token_house, "--open-keys")
    assert codes(found) == [*SEEN[:2], (HEAD, "key_differs"), (SEAL, "key_opens")]


def test_a_certificate_that_is_missing(token_house, tmp_path):
    (tmp_path / "sertifikat" / "malang.kadis.cert.pem").unlink()
    assert codes(doctor(token_house)[0]) == [*SEEN[:2], (HEAD, "token_certificate_missing"), SEEN[3]]


def test_the_seals_own_token_is_looked_at_too(token_house):
    hsm = token_house.hsm
    hsm.util("--init-token", "--free", "--label", "token-segel", "--pin", PIN.decode(), "--so-pin", "87654321")
    set_host(token_house, more='seal_token = "token-segel"\n')
    found, logins = doctor(token_house, "--open-keys")
    assert codes(found) == [FINE, SEEN[2], ("token-segel", "token_fine"), (SEAL, "token_key_missing")]
    assert logins == 1
