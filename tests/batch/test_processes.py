"""A tray on two real signing processes, one of them killed half-way; the caller is long gone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import zlib
from contextlib import contextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import func, select, text

from service import audit, batch, handover, pipeline
from service.identity import decoded
from service.settings import PROJECT
from service.store.batch_tables import BatchState, sealed_secrets, signers
from service.store.tables import acts, documents
from tests.support.office import holder

from .caller import unmasked
from .conftest import OFFICE
from .hunting import Ground, forms, in_memory
from .processes import (
    announced,
    environment,
    fill,
    signed,
    signing,
    until,
    web,
    with_passphrase,
)

TRAY = 30
PASSPHRASE = b"Kata-Sandi-Bu-Kadis/73#ungu"
PLANTED = b"Sandi-Yang-Ditanam/19#jingga"


@pytest.fixture
def own_keys(keys, tmp_path):
    return with_passphrase(keys, tmp_path / "keys", PASSPHRASE)


def once_each(teken, table, *conditions) -> bool:
    with teken.db.read() as connection:
        query = select(table.c.permit, func.count()).where(*conditions).group_by(table.c.permit)
        rows = connection.execute(query).all()
    return len(rows) == TRAY and {count for _, count in rows} == {1}


@pytest.mark.heavy
def test_one_of_two_signing_processes_is_killed_half_way(tmp_path, own_keys, database):
    home, log = tmp_path / "home", tmp_path / "log"
    teken = web(home, own_keys, database)
    listed = fill(teken, TRAY)
    variables = environment(home, own_keys, database)
    # at its fifth signature, whenever that is: the whole tray takes a third of a second
    dies = {**variables, "TEKEN_FAIL_AT": "sign.after_signature:5"}
    with signing(1, log, dies) as (first,), signing(1, log, variables) as (second,):
        announced(teken, 2)
        opened = batch.open_batch(teken, holder(teken, OFFICE, "kepala_dinas"), listed, bytearray(PASSPHRASE))
        until(lambda: first.poll() is not None or signed(teken, opened) == TRAY)
        assert first.poll() in {None, -signal.SIGKILL}  # None: it was so slow that the other one signed nearly all
        with signing(1, log, variables):  # restarted: it has no secret and gets none
            until(lambda: batch.status(teken, opened.id).state == BatchState.DONE)
        assert second.poll() is None
    assert batch.status(teken, opened.id).counts == {"signed": TRAY}
    pipeline.drain(teken, "work")
    assert once_each(teken, acts, acts.c.verb == "sign")
    assert once_each(teken, documents)
    found = audit.audit(teken)
    assert (found.violations, found.walked["documents"]) == ((), TRAY)
    teken.close()


@pytest.mark.heavy
def test_neither_the_web_process_nor_anything_else_keeps_the_passphrase(tmp_path, own_keys, database, redis_server):
    """Neither it nor what opens the ciphertext, after the batch: core image, home, rows, the servers' own files, Redis, logs."""
    home, log = tmp_path / "home", tmp_path / "log"
    teken = web(home, own_keys, database, redis_url=redis_server.url)
    listed = fill(teken, 6)
    variables = environment(home, own_keys, database, redis_url=redis_server.url)
    told = json.dumps([holder(teken, OFFICE, "kepala_dinas"), listed])
    with signing(1, log, variables) as (signer,):
        announced(teken, 1)
        with calling([sys.executable, "-m", "tests.batch.caller", told], variables, log) as caller:
            caller.stdin.write(PASSPHRASE + b"\n")
            caller.stdin.flush()
            opened = json.loads(caller.stdout.readline())
            secrets = derived(teken, opened)
            until(lambda: batch.status(teken, opened["batch"]).state == BatchState.DONE)
            ground = Ground(caller.pid, home, log, database, redis_server)
            assert {"core image", "rows"} <= ground.found(OFFICE.encode()).keys()  # the search finds what is there
            assert {name: ground.found(one) for name, one in secrets.items()} == {name: {} for name in secrets}
        left = in_memory(signer.pid, PASSPHRASE)
    print("in the signing process after completion:", left)  # shown, not promised: Python and its libraries copy
    with teken.db.read() as connection:
        assert connection.execute(select(sealed_secrets)).all() == []
    teken.close()


@pytest.mark.parametrize("form", ["bytes", "hex", "base64", "utf-16 le"])
def test_the_search_finds_what_is_planted(tmp_path, own_keys, database, redis_server, form):
    """In each place, in each form, with the search that finds nothing after a batch."""
    home, log = tmp_path / "home", tmp_path / "log"
    teken = web(home, own_keys, database, redis_url=redis_server.url)
    planted = forms(PLANTED)[form]
    with teken.db.write() as connection:
        kind = "BLOB" if teken.db.dialect == "sqlite" else "BYTEA"
        connection.execute(text(f"CREATE TABLE planted (value {kind})"))
        connection.execute(text("INSERT INTO planted VALUES (:value)"), {"value": planted})
    with redis_server.client() as client:
        client.hset("planted", "data", zlib.compress(planted))
        client.set("also", planted)
    log.write_bytes(b"..." + planted)
    (redis_server.folder / "planted").write_bytes(planted)
    (home / "packed").write_bytes(b"stream\n" + zlib.compress(planted) + b"\nendstream")
    held = [
        sys.executable,
        "-c",
        "import sys; held = sys.stdin.buffer.readline(); print(1, flush=True); sys.stdin.read()",
    ]
    with calling(held, {}, log) as process:
        process.stdin.write(planted + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        found = Ground(process.pid, home, log, database, redis_server).found(PLANTED)
    teken.close()
    places = {"core image", "home", "log", "redis", "redis's memory", "redis's files and log"}
    # a row's bytes are shown as hex by both databases: what lies there in another form is found in the files
    assert places | ({"database's files and log"} if database else set()) <= found.keys()
    assert any(form in hit for hit in found["home" if not database else "database's files and log"])
    assert "rows" in found or form != "bytes"


def test_the_command_line_signs_a_tray(tmp_path, own_keys):
    """Typed or piped, never an argument: what `ps` shows and what the environment holds say nothing."""
    home, log = tmp_path / "home", tmp_path / "log"
    teken = web(home, own_keys)
    listed = fill(teken, 2)
    variables = environment(home, own_keys)
    head = holder(teken, OFFICE, "kepala_dinas")

    def teken_batch(*words: str, passphrase: bytes = b"") -> list[dict]:
        command = [sys.executable, "-m", "service.cli", "batch", *words]
        done = subprocess.run(command, cwd=PROJECT, env=variables, input=passphrase, capture_output=True, check=False)
        assert PASSPHRASE not in done.stdout + done.stderr
        assert done.returncode == 0, done.stderr.decode()
        return [json.loads(line) for line in done.stdout.splitlines()]

    with signing(1, log, variables):
        announced(teken, 1)
        permits = [permit for permit, _ in listed]
        shown = teken_batch("open", "--as", head, *permits, "--passphrase-stdin", passphrase=b"salah\n")
        until(lambda: teken_batch("status", shown[0]["id"])[0]["state"] == "refused")
        teken_batch("resume", shown[0]["id"], "--passphrase-stdin", passphrase=PASSPHRASE + b"\n")
        until(lambda: teken_batch("status", shown[0]["id"])[0]["state"] == "done")
    last = teken_batch("status", shown[0]["id"])
    assert last[0]["counts"] == {"signed": 2}
    assert [(one["permit"], one["result"]) for one in last[1:]] == [(permit, "signed") for permit in permits]
    teken.close()


@contextmanager
def calling(command, variables, log):
    with log.open("ab") as out:
        pipe = subprocess.PIPE
        caller = subprocess.Popen(command, cwd=PROJECT, env=variables, stdin=pipe, stdout=pipe, stderr=out)
    try:
        yield caller
    finally:
        caller.kill()
        caller.communicate()


def derived(teken, opened: dict) -> dict[str, bytes]:
    """The passphrase, and what would open its ciphertext: the sender's key, the shared secret, the derived key."""
    private = unmasked(opened["masked"][0])
    with teken.db.read() as connection:
        to = connection.execute(select(signers)).one()
    mine, theirs = X25519PrivateKey.from_private_bytes(private), decoded(to.public_key)
    context = handover._context(opened["batch"], to.id, theirs, mine.public_key().public_bytes_raw())
    shared = mine.exchange(X25519PublicKey.from_public_bytes(theirs))
    key = HKDF(SHA256(), 32, salt=None, info=context).derive(shared)
    assert PASSPHRASE.hex().encode() in ChaCha20Poly1305(key).decrypt(
        bytes(12), bytes.fromhex(opened["ciphertext"]), context
    )
    return {"passphrase": PASSPHRASE, "sender key": private, "shared secret": shared, "derived key": key}
