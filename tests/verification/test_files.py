"""A file's verdict when nothing is wrong with it, or nothing but its standing, its age or its origin."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from certs.make_dev_pki import make_dev_pki
from service.clock import SetClock
from service.development import certificates
from service.settings import PROJECT
from service.store import StoreBusy
from service.store.tables import permits
from service.verification import MOST_BYTES, PermitState, Verdict, verify_file, verify_file_command
from signing import inspect
from tests.support.office import client_of, open_office, payload, play, post, row
from tests.verification.conftest import OFFICES, World
from tests.verification.stamping import authority_beside, time_stamped


@pytest.mark.parametrize("name", [*OFFICES, "suspended", "revoked", "old", "new"])
def test_released_bytes_are_identical_whatever_became_of_the_permit(world, name):
    answer = verify_file(world.teken, world.pdf(name))
    standing = {"suspended": "suspended", "revoked": "revoked", "old": "replaced"}.get(name, "in_force")
    assert (answer.verdict, answer.permit_state) == (Verdict.IDENTICAL, standing)
    assert (answer.number, answer.office, answer.code) == (world[name].number, world[name].office, world[name].code)
    assert all(one.valid for one in answer.signatures)
    assert [one.field for one in answer.signatures] == ["ttd_kepala", "segel"][: len(answer.signatures)]


def test_a_name_is_no_content(world, tmp_path, capsys):
    """Another office's permit under this one's name is what its bytes are."""
    path = tmp_path / "izin-malang-0001.pdf"
    path.write_bytes(world.pdf("kudus"))
    assert verify_file_command(world.teken, path, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["office"], told["number"]) == ("kudus", world["kudus"].number)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory, keys) -> World:
    """Another archive with the same keys: what a restored or second installation issued."""
    teken = open_office(tmp_path_factory.mktemp("elsewhere"), keys)
    permits = {}
    for office, kind in OFFICES.items():
        permits[office] = post(teken, client_of(teken, office), payload(office, kind, "LAIN-1")).body["id"]
        play(teken, permits[office])
    yield World(teken, permits)
    teken.close()


@pytest.mark.parametrize("office", list(OFFICES))
def test_our_signatures_outside_this_archive_are_authentic(world, elsewhere, office):
    """Through the real child process."""
    answer = verify_file(world.teken, elsewhere.pdf(office))
    assert (answer.verdict, answer.reasons) == (Verdict.AUTHENTIC, ("not_in_archive",))
    assert (answer.permit_state, answer.number, answer.code) == (PermitState.UNKNOWN, None, None)
    assert all(one.valid for one in answer.signatures)


def test_who_had_left_office_signs_for_nobody(world, elsewhere, in_process):
    """The certificate is enrolled and good, but on the claimed day somebody else held the mandate."""
    from service.store.tables import mandates

    with world.teken.db.write() as connection:
        query = update(mandates).where(mandates.c.official == "malang/kadis")
        connection.execute(query.values(valid_to="2025-01-01"))
    try:
        answer = verify_file(world.teken, elsewhere.pdf("malang"))
        assert (answer.verdict, answer.reasons) == (Verdict.ALTERED, ("other_signer",))
    finally:
        with world.teken.db.write() as connection:
            connection.execute(query.values(valid_to=None))


def test_an_expired_certificate_proves_nothing_outside_the_archive(world, elsewhere, in_process):
    later = dataclasses.replace(world.teken, clock=SetClock(datetime(2030, 1, 1, tzinfo=UTC)))
    answer = verify_file(later, elsewhere.pdf("malang"))
    assert (answer.verdict, answer.reasons) == (Verdict.UNDETERMINED, ("not_trusted_now",))
    assert verify_file(later, world.pdf("malang")).verdict is Verdict.IDENTICAL  # the register knows


def test_an_office_that_is_not_ours_is_foreign(tmp_path, world, in_process):
    """Its own CA has exactly our names: never authentic."""
    foreign = tmp_path / "foreign-keys"
    certificates(PROJECT / "templates", foreign, key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
    teken = open_office(tmp_path / "foreign", foreign)
    for office, kind in OFFICES.items():
        permit = post(teken, client_of(teken, office), payload(office, kind, "ASING-1")).body["id"]
        play(teken, permit)
        answer = verify_file(world.teken, teken.archive.get(row(teken, permit).released_sha))
        assert (answer.verdict, answer.reasons) == (Verdict.FOREIGN, ("not_ours",))
        assert not any(one.valid for one in answer.signatures)
    teken.close()


@pytest.mark.parametrize("office", list(OFFICES))
@pytest.mark.parametrize("which", ["draft", "final", "ordered"])
def test_drafts_and_previews_are_unsigned(world, in_process, office, which):
    answer = verify_file(world.teken, world.pdf(office, which))
    assert (answer.verdict, answer.permit_state, answer.number) == (Verdict.UNSIGNED, PermitState.UNKNOWN, None)


@pytest.fixture(scope="module")
def rsa_tsa(tmp_path_factory, keys) -> Path:
    """A time-stamping authority of the same CA; pyHanko's own for tests only speaks RSA."""
    folder = tmp_path_factory.mktemp("tsa")
    return authority_beside(keys, folder)


def test_a_strangers_time_stamp_is_an_addition(world, tmp_path, in_process):
    """Nobody whom we know vouches for what was added."""
    make_dev_pki(tmp_path, key="rsa2048", now=datetime(2026, 1, 1, tzinfo=UTC))
    answer = verify_file(world.teken, time_stamped(world.pdf("malang"), tmp_path))
    assert (answer.verdict, answer.reasons) == (Verdict.UNDETERMINED, ("not_trusted_now",))


@pytest.mark.parametrize("state", ["in_force", "replaced"])
def test_an_archive_time_stamp_on_top_stays_ours(world, rsa_tsa, in_process, state):
    """LTA by anybody with a TSA that we trust: authentic, or superseded where a newer permit replaced it."""
    stamped = time_stamped(world.pdf("malang"), rsa_tsa)
    before = world["malang"].state
    _set_state(world, "malang", state)
    try:
        answer = verify_file(world.teken, stamped)
    finally:
        _set_state(world, "malang", before)
    expected = {"in_force": Verdict.AUTHENTIC, "replaced": Verdict.SUPERSEDED}[state]
    assert (answer.verdict, answer.permit_state) == (expected, state)
    assert answer.reasons == ("extends_a_version",)
    assert answer.number == world["malang"].number


def _set_state(world, name: str, state: str) -> None:
    with world.teken.db.write() as connection:
        connection.execute(update(permits).where(permits.c.id == world.permits[name]).values(state=state))


def test_a_late_duplicate_is_never_good(world, keys, in_process):
    """Sealed again with the same key over the same page, number and all, but never released."""
    from service.keys import KeyRing
    from service.steps.paper import filled_after as values
    from service.steps.seal import FIELD
    from signing import QrCode, SignatureSpec, fill_and_seal

    permit = world["malang"]
    bundle = world.teken.pins.open(permit.pin)
    ring = KeyRing(keys, keys / "passphrase", keys / "passphrase")
    sha = next(s for s in json.loads(_document(world, "malang").signatures) if s["field"] == FIELD)[
        "certificate_sha256"
    ]
    spec = SignatureSpec(FIELD, "", "", appearance=QrCode(permit.verify_url))
    for given in (values(permit, bundle), values(permit, bundle) | {"nomor_register": "500.16.7.2/0999/SIK-PM/I/2026"}):
        again = fill_and_seal(world.pdf("malang", "head"), given, ring.key("malang/segel", sha), spec).pdf
        answer = verify_file(world.teken, again)
        assert (answer.verdict, answer.reasons) == (Verdict.UNDETERMINED, ("never_released",))


def _document(world, name):
    from sqlalchemy import select

    from service.store.tables import documents

    with world.teken.db.read() as connection:
        return connection.execute(select(documents).where(documents.c.permit == world.permits[name])).one()


@pytest.mark.parametrize(
    ("content", "verdict", "reason"),
    [
        (b"", Verdict.UNDETERMINED, "not_pdf"),
        (b"Halo", Verdict.UNDETERMINED, "not_pdf"),
        (b"%PDF-1.7\n", Verdict.UNDETERMINED, "not_inspectable"),
        (b"x" * (MOST_BYTES + 1), Verdict.UNDETERMINED, "too_large"),
    ],
    ids=["empty", "text", "header", "large"],
)
def test_what_is_no_permit_at_all(world, content, verdict, reason):
    answer = verify_file(world.teken, content)
    assert (answer.verdict, answer.reasons, answer.number) == (verdict, (reason,), None)


def test_without_the_register_nothing_is_certain(world):
    class Away:
        def read(self):
            raise StoreBusy("away")

    away = dataclasses.replace(world.teken, db=Away())
    answer = verify_file(away, world.pdf("malang"))
    assert (answer.verdict, answer.reasons) == (Verdict.UNDETERMINED, ("register_unreachable",))
    assert answer.permit_state is PermitState.UNDETERMINED


def test_whatever_fails_inside_is_undetermined(world, monkeypatch):
    def broken(*_args, **_more):
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("service.verification.file.inspect_isolated", broken)
    answer = verify_file(world.teken, b"%PDF-1.7 something")
    assert (answer.verdict, answer.reasons) == (Verdict.UNDETERMINED, ("not_inspectable",))


def test_command_speaks_to_scripts(world, tmp_path, capsys):
    path = tmp_path / "izin.pdf"
    path.write_bytes(world.pdf("malang"))
    assert verify_file_command(world.teken, path, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == [
        "verdict",
        "permit_state",
        "number",
        "office",
        "code",
        "sha256",
        "signatures",
        "reasons",
        "updates_after",
    ]
    assert told["verdict"] == "identical"
    assert told["sha256"] == world["malang"].released_sha
    signature = told["signatures"][0]
    given = {"field", "by", "level", "valid", "proof", "ours", "signed_at", "timestamp_at", "certificate"}
    assert (signature.keys(), signature["ours"], signature["signed_at"][-1]) == (given, True, "Z")
    assert signature["certificate"]["is_example"]
    assert signature["certificate"]["issuer"]


@pytest.mark.parametrize(
    ("make", "code", "word"),
    [
        (lambda path, world: path.write_bytes(world.pdf("malang")), 0, "IDENTIK"),
        (lambda path, world: path.write_bytes(world.pdf("malang") + b"x"), 1, "BERUBAH"),
        (lambda path, world: path.write_bytes(world.pdf("malang", "final")), 1, "TANPA TANDA TANGAN"),
        (lambda path, world: path.write_bytes(b"Halo"), 2, "BELUM DAPAT DIPASTIKAN"),
        (lambda path, world: path.write_bytes(b"x" * (MOST_BYTES + 1)), 2, "20 MB"),
        (lambda path, world: None, 2, "tidak dapat dibaca"),
        (lambda path, world: path.mkdir(), 2, "tidak dapat dibaca"),
        (lambda path, world: os.mkfifo(path), 2, "tidak dapat dibaca"),
    ],
    ids=["good", "altered", "unsigned", "text", "large", "missing", "folder", "pipe"],
)
def test_command_speaks_to_people(world, in_process, tmp_path, capsys, make, code, word):
    path = tmp_path / "izin.pdf"
    make(path, world)
    assert verify_file_command(world.teken, path, as_json=False) == code
    assert word in capsys.readouterr().out


def test_a_strangers_name_is_safe_for_a_terminal(world, monkeypatch):
    def hostile(pdf, trust, **_more):
        found = inspect(world.pdf("malang"), trust)
        signature = dataclasses.replace(found.signatures[0], signer_cn="\x1b[2JEvil\u202e", certificate_sha256="0" * 64)
        return dataclasses.replace(found, signatures=(signature,))

    monkeypatch.setattr("service.verification.file.inspect_isolated", hostile)
    by = verify_file(world.teken, b"%PDF-1.7 something").signatures[0].by
    assert by.isprintable()
    assert "Evil" in by


def test_a_fresh_process_answers_too(world, tmp_path):
    """`teken verify FILE --json` against a home that exists."""
    path = tmp_path / "izin.pdf"
    path.write_bytes(world.pdf("kudus"))
    environment = os.environ | {
        "TEKEN_HOME": str(world.teken.settings.home),
        "TEKEN_KEYS": str(world.teken.settings.keys),
    }
    command = [sys.executable, "-m", "service.cli", "verify", str(path), "--json"]
    ended = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["verdict"], told["number"]) == ("identical", world["kudus"].number)
