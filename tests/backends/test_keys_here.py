"""Keys that sign here and are no files: a SoftHSM2 token in real signing processes, and a CSC service."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from sqlalchemy import update

from service import batch, pipeline
from service.audit import audit
from service.permits import State
from service.store.batch_tables import BatchState
from service.store.tables import permits
from tests.backends.conftest import HULU, Desk, Home, furnish, head_of
from tests.backends.processes import living, log_of, signing, until
from tests.signing.cscserver import CREDENTIAL, TOKEN, csc_server
from tests.signing.cscserver import PIN as CSC_PIN
from tests.signing.softhsm import LABEL, MODULE, PIN, SoftHsm

SEALS = "segel-uji"
KUDUS = ("kudus", "sip-perekam-medis")  # the number after the signature, and a seal


def token_of(folder: Path, keys: Path, office: str) -> SoftHsm:
    """A token with the head's key and one with the seal's, as an operator would import them."""
    folder.mkdir()
    hsm = SoftHsm(folder)
    hsm.tokens.mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {hsm.tokens}\nobjectstore.backend = file\n")
    secret = (keys / "passphrase").read_bytes().strip()
    for number, (token, owner) in enumerate(((LABEL, head_of((office, ""))), (SEALS, f"{office}/segel")), 1):
        hsm.util("--init-token", "--free", "--label", token, "--pin", PIN.decode(), "--so-pin", "87654321")
        name, pem = owner.replace("/", "."), folder / f"{number}.pem"
        key, *_ = pkcs12.load_key_and_certificates((keys / f"{name}.p12").read_bytes(), secret)
        pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        hsm.util(
            "--import", str(pem), "--token", token, "--label", name, "--id", f"{number:02x}", "--pin", PIN.decode()
        )
        pem.unlink()
    return hsm


def with_token(folder: Path, keys: Path, kind: tuple[str, str]) -> tuple[Home, SoftHsm]:
    home = furnish(folder, keys, "", kind, 'backend = "pkcs11"')
    hsm = token_of(folder / "hsm", keys, kind[0])
    certificates = folder / "certificates"
    certificates.mkdir()
    for owner in (head_of(kind), f"{kind[0]}/segel"):
        name = owner.replace("/", ".")
        chain = (keys / f"{name}.cert.pem").read_text() + (keys / "issuing.pem").read_text()
        (certificates / f"{name}.cert.pem").write_text(chain)
        (folder / "keys" / f"{name}.p12").unlink()
    home.secret(f"pins/{kind[0]}.segel.pin", PIN.decode())
    home.host(
        f'[pkcs11]\nmodule = "{MODULE}"\ntoken = "{LABEL}"\nseal_token = "{SEALS}"\n'
        f'certificates = "certificates"\npins = "pins"\n'
    )
    return home, hsm


def all_signed(desk: Desk, opened: batch.Batch, number: int) -> None:
    until(lambda: batch.status(desk.teken, opened.id).counts.get("signed") == number)


@pytest.mark.parametrize("kind", [HULU, KUDUS], ids=lambda kind: kind[0])
def test_head_and_seal_in_tokens_from_the_tray_to_the_counter(tmp_path, keys, kind):
    home, hsm = with_token(tmp_path, keys, kind)
    with closing(home.start(signing=False)) as teken:
        desk = Desk(teken, kind)
        listed = desk.fill(3)
        with signing(home, SOFTHSM2_CONF=hsm.environment["SOFTHSM2_CONF"]):
            living(teken, 1)
            opened = batch.open_batch(teken, desk.head, listed, bytearray(PIN))
            all_signed(desk, opened, 3)

            def issued() -> bool:
                pipeline.drain(teken, "work")
                return all(desk.row(permit).released_sha for permit, _ in listed)

            until(issued)
            assert desk.to_the_end(listed[0][0]) == State.IN_FORCE
        assert desk.row(listed[0][0]).queue == "none", "handed over: all five acts"
        assert audit(teken).violations == ()
        assert PIN.decode() not in log_of(home)


def test_a_wrong_pin_reaches_the_token_once(tmp_path, keys):
    """SoftHSM counts no attempts: two processes share one prover, and what was refused is not tried again."""
    home, hsm = with_token(tmp_path, keys, HULU)
    with closing(home.start(signing=False)) as teken:
        desk = Desk(teken, HULU)
        listed = desk.fill(2)
        with signing(home, 2, SOFTHSM2_CONF=hsm.environment["SOFTHSM2_CONF"]):
            living(teken, 2)
            opened = batch.open_batch(teken, desk.head, listed, bytearray(b"000000"))
            until(lambda: batch.status(teken, opened.id).state == BatchState.REFUSED)
            now = batch.status(teken, opened.id)
            assert (now.cause, now.counts) == ("pin_wrong", {"waiting": 2})
            batch.resume(teken, desk.head, opened.id, bytearray(PIN))
            all_signed(desk, opened, 2)


TAKEN_OUT = """
import sys
from pathlib import Path
import pkcs11
from service import batch, pipeline
from service.logs import log_to_stderr
from tests.backends.conftest import HULU, Desk, Home
log_to_stderr()
folder, keys, module, pin = sys.argv[1:]
tokens, drawer = Path(folder) / "hsm/tokens", Path(folder) / "drawer"
def again():
    pkcs11.lib(module).reinitialize()  # SoftHSM looks at its folder only then
desk = Desk(Home(Path(folder), Path(keys), "", HULU).start(max_attempts=3), HULU)
listed = desk.fill(4)
opened = desk.open(listed, pin.encode())
def told(step):
    counts = batch.status(desk.teken, opened.id).counts
    faults = sorted({fault for permit, _ in listed if (fault := desk.row(permit).fault)})
    print(step, dict(sorted(counts.items())), faults, flush=True)
pipeline.advance(desk.teken, "sign")
told("signed one")
tokens.rename(drawer); tokens.mkdir(); again()
pipeline.advance(desk.teken, "sign")
told("taken out")
tokens.rmdir(); drawer.rename(tokens); again()
desk.sign()
told("put back")
"""


def test_a_token_taken_out_in_the_middle_of_a_tray_and_put_back(tmp_path, keys):
    """The document fails with its cause and waits; the PIN is held while the batch lasts, so that with the token back all are signed."""
    _, hsm = with_token(tmp_path, keys, HULU)
    arguments = [sys.executable, "-c", TAKEN_OUT, str(tmp_path), str(keys), str(MODULE), PIN.decode()]
    done = subprocess.run(arguments, env=hsm.environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "signed one {'signed': 1, 'waiting': 3} []",
        "taken out {'signed': 1, 'waiting': 3} ['token_missing']",
        "put back {'signed': 4} []",
    ]


@pytest.fixture
def csc_home(tmp_path, keys):
    """The head's credential at a CSC service, the seal's key in a file."""
    home = furnish(tmp_path, keys, "", HULU, 'backend = "csc"\n[signing.seal]\nbackend = "pkcs12"')
    head = head_of(HULU)
    there = tmp_path / "csc"
    there.mkdir()
    shutil.copy(keys / f"{head.replace('/', '.')}.p12", there / "kepala.p12")
    shutil.copy(keys / "passphrase", there / "passphrase")
    (home.folder / "keys" / f"{head.replace('/', '.')}.p12").unlink()
    home.secret("csc.token", TOKEN)
    pki = SimpleNamespace(folder=there, anchor=_der(keys / "root.pem"))

    def host(server) -> None:
        home.host(
            f'[csc]\nurl = "{server.url}"\ntoken_file = "csc.token"\nseconds = 60\n'
            f'[csc.credentials]\n"{head}" = "{CREDENTIAL}"\n'
        )

    return home, pki, host


def _der(path: Path) -> bytes:
    return subprocess.run(
        ["openssl", "x509", "-in", str(path), "-outform", "DER"], check=True, capture_output=True
    ).stdout


def test_the_head_at_a_csc_service(csc_home):
    home, pki, host = csc_home
    with csc_server(pki) as server:
        host(server)
        with closing(home.start()) as teken:
            desk = Desk(teken, HULU)
            opened, permits = desk.signed(3, CSC_PIN.encode())
            assert (opened.state, opened.counts) == (BatchState.DONE, {"signed": 3})
            assert desk.to_the_end(permits[0]) == State.IN_FORCE
            assert audit(teken).violations == ()
    assert server.calls.count("credentials/authorize") == 3


def test_a_wrong_pin_reaches_the_csc_service_once(csc_home):
    home, pki, host = csc_home
    with csc_server(pki) as server:
        host(server)
        with closing(home.start()) as teken:
            desk = Desk(teken, HULU)
            opened, permits = desk.signed(3, b"0000")
            assert (opened.state, opened.cause, opened.counts) == (
                BatchState.REFUSED,
                "passphrase_wrong",
                {"waiting": 3},
            )
            assert server.calls.count("credentials/authorize") == 1
            assert {desk.row(permit).queue for permit in permits} == {"person"}
            batch.resume(teken, desk.head, opened.id, bytearray(CSC_PIN.encode()))
            desk.sign()
            assert batch.status(teken, opened.id).counts == {"signed": 3}


def test_a_wrong_pin_with_two_processes(csc_home):
    home, pki, host = csc_home
    with csc_server(pki) as server:
        host(server)
        with closing(home.start(signing=False)) as teken, signing(home, 2):
            desk = Desk(teken, HULU)
            listed = desk.fill(3)
            living(teken, 2)
            opened = batch.open_batch(teken, desk.head, listed, bytearray(b"0000"))
            until(lambda: batch.status(teken, opened.id).state == BatchState.REFUSED)
            assert server.calls.count("credentials/authorize") == 1


def test_another_certificate_than_enrolled_signs_nothing(csc_home, keys):
    home, pki, host = csc_home
    other = next(one for one in keys.glob("kudus.*.p12") if "segel" not in one.name)
    shutil.copy(other, pki.folder / "kepala.p12")
    with csc_server(pki) as server:
        host(server)
        with closing(home.start()) as teken:
            opened, _ = Desk(teken, HULU).signed(1, CSC_PIN.encode())
            assert (opened.state, opened.cause) == (BatchState.PAUSED, "key_differs")
            assert "credentials/authorize" not in server.calls


def test_an_order_outside_every_batch_reaches_no_service(csc_home):
    """Whoever can write to the database orders on his own: nobody has typed a PIN, so the service is asked nothing, not even without one."""
    home, pki, host = csc_home
    with csc_server(pki) as server:
        host(server)
        with closing(home.start(max_attempts=1)) as teken:
            desk = Desk(teken, HULU)
            ((permit, sha),) = desk.fill(1)
            with teken.db.write() as connection:
                order = {"state": "signing", "queue": "sign", "ordered_sha": sha}
                connection.execute(update(permits).where(permits.c.id == permit).values(**order))
            desk.sign()
            assert (desk.row(permit).fault, desk.row(permit).head_sha) == ("key_missing", None)
    assert server.calls == []
