"""The `teken` command: what it says when all is well, and that every refusal is a sentence in Indonesian, never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing

import pytest

from service.cli import main
from service.permits import State
from service.settings import PROJECT
from tests.audit.world import MALANG, ROHIL
from tests.support.office import client_of, open_office, payload, play, post, work


@pytest.fixture(scope="module")
def home(tmp_path_factory, keys):
    """An office's house with a case at a paraf, one at the signature and one in force, as the command line finds it."""
    home = tmp_path_factory.mktemp("cli") / "rumah"
    with closing(open_office(home, keys)) as teken:
        permits = {}
        malang, rohil = client_of(teken, "malang"), client_of(teken, "rokan-hilir")
        permits["@paraf"] = post(teken, malang, payload(*MALANG, "UJI-1")).body["id"]
        play(teken, permits["@paraf"], until=State.DRAFTED)
        permits["@sign"] = post(teken, rohil, payload(*ROHIL, "UJI-2")).body["id"]
        work(teken)
        permits["@issued"] = post(teken, rohil, payload(*ROHIL, "UJI-3")).body["id"]
        play(teken, permits["@issued"])
    return home, permits


@pytest.fixture
def teken(home, tmp_path, keys, monkeypatch, capsys):
    """Run a command in a copy of the house; return exit code, what it printed and what it complained."""
    own = shutil.copytree(home[0], tmp_path / "rumah")
    monkeypatch.setenv("TEKEN_HOME", str(own))
    monkeypatch.setenv("TEKEN_KEYS", str(keys))

    def run(*words: str) -> tuple[int, str, str]:
        code = main([home[1].get(word, word) for word in words])
        return (code, *capsys.readouterr())

    return run


def test_help_names_every_command_of_the_readme():
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", "--help"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    for command in ("office", "client", "waiting", "preview", "act", "verify", "audit", "checkpoint", "demo", "run"):
        assert command in done.stdout


def test_the_offices_of_the_project_are_sound(teken):
    code, said, _ = teken("office", "check")
    assert (code, said) == (0, "templates: semua instansi dan jenis izin lengkap dan benar\n")


def test_a_fault_of_an_office_is_told_with_file_table_and_key(teken, tmp_path):
    root = shutil.copytree(PROJECT / "templates", tmp_path / "templates")
    office = root / "kudus" / "office.toml"
    office.write_text(office.read_text().replace('timezone = "Asia/Jakarta"', 'timezone = "Asia/Tokyo"'))
    code, said, _ = teken("office", "check", str(root))
    assert code == 1
    assert "kudus/office.toml" in said
    assert "timezone" in said


def test_a_client_gets_its_key_once_and_it_works(teken, home):
    from service.clients import authenticate

    code, said, _ = teken("client", "add", "rokan-hilir", "SILASTRI RV")
    key = said.rsplit(" ", 1)[1].strip()
    assert code == 0
    with closing(open_office(os.environ["TEKEN_HOME"], home[0], signing=False)) as opened:
        assert authenticate(opened, key).name == "SILASTRI RV"


def test_waiting_tells_who_is_due(teken, home):
    code, said, _ = teken("waiting", "malang")
    [one] = [json.loads(line) for line in said.splitlines()]
    assert code == 0
    assert (one["id"], one["row"], one["verb"], one["role"]) == (home[1]["@paraf"], 5, "paraf", "ahli_muda")


def test_read_and_paraf(teken, tmp_path):
    from service.archive import sha256

    code, said, _ = teken("preview", "@paraf", str(tmp_path / "naskah.pdf"))
    assert code == 0
    assert said.strip() == sha256((tmp_path / "naskah.pdf").read_bytes())
    code, said, _ = teken("act", "paraf", "@paraf", "--as", "malang/ahli_muda", "--seen", said.strip())
    assert (code, json.loads(said)["state"]) == (0, "in_paraf")


def test_decide_after_issue(teken):
    given = ("@issued", "--as", "rokan-hilir/kadis", "--decision", "SK 1", "--reason", "pemeriksaan")
    assert [json.loads(teken("act", verb, *given)[1])["state"] for verb in ("suspend", "reinstate", "revoke")] == [
        "suspended",
        "in_force",
        "revoked",
    ]


# words, exit code, part of the sentence
REFUSED = [
    (("act", "paraf", "@paraf", "--as", "malang/ahli_madya"), 1, "Tindakan ini dilakukan oleh: ahli_muda"),
    (("act", "paraf", "@paraf", "--as", "kudus/koordinator"), 1, "tidak"),
    (("act", "paraf", "@paraf", "--as", "siapa"), 1, "tidak"),
    (("act", "paraf", "@paraf", "--as", "malang/ahli_muda", "--seen", "0" * 64), 1, ""),
    (("act", "verify", "@paraf", "--as", "malang/ahli_muda"), 1, ""),
    (("act", "return", "@paraf", "--as", "malang/ahli_muda"), 1, ""),
    (("act", "sign", "@sign", "--as", "rokan-hilir/back_office_1"), 1, "Tindakan ini dilakukan oleh: kepala_dinas"),
    (("act", "revoke", "@issued", "--as", "rokan-hilir/kadis", "--decision", "SK 1"), 1, ""),
    (("act", "reinstate", "@issued", "--as", "rokan-hilir/kadis", "--decision", "SK", "--reason", "x"), 1, ""),
    (("act", "handover", "@issued", "--as", "rokan-hilir/back_office_1", "--ticket", "0"), 1, ""),
    (("act", "paraf", "izn_0", "--as", "malang/ahli_muda"), 1, "Izin tidak ditemukan"),
    (("preview", "izn_0", "naskah.pdf"), 1, "Izin tidak ditemukan"),
    (("preview", "@paraf", "/tidak/ada/naskah.pdf"), 2, "/tidak/ada/naskah.pdf"),
    (("resume", "@paraf"), 1, ""),
    (("resume", "izn_0"), 1, "Izin tidak ditemukan"),
    (("client", "add", "tidak-ada", "Aplikasi"), 1, "Instansi"),
    (("waiting", "tidak-ada"), 1, "Instansi"),
    (("audit", "--checkpoint", "/tidak/ada.txt"), 2, "/tidak/ada.txt"),
    (("office", "check", "/tidak/ada"), 1, "/tidak/ada"),
]


@pytest.mark.parametrize(
    ("words", "code", "part"), REFUSED, ids=lambda one: " ".join(one) if isinstance(one, tuple) else ""
)
def test_a_refusal_is_a_sentence(teken, words, code, part):
    found, said, complained = teken(*words)
    message = said + complained
    assert found == code
    assert part in message
    assert message.startswith("teken: ") or words[0] == "office"
    assert message.strip().endswith((".", "}")) or "/" in message
    assert not [word for word in ("Traceback", "Error", "None", "$", "Exception") if word in message]


def test_a_survey_with_missing_answers_names_each(teken, home):
    """Through the desk's own words, with the place of every fault."""
    code, _, complained = teken("act", "survey", "@sign", "--as", "rokan-hilir/back_office_1", "--answers", "12x")
    assert code == 1
    assert "/answers/U3: Wajib diisi" in complained


def test_audit_of_an_honest_house(teken):
    code, said, _ = teken("audit")
    assert code == 0
    assert "events" in said
    code, said, _ = teken("audit", "--json")
    assert (code, json.loads(said)["violations"]) == (0, [])


def test_verify_a_released_file(teken, home, tmp_path):
    from sqlalchemy import select

    from service.store.tables import permits

    with closing(open_office(os.environ["TEKEN_HOME"], home[0], signing=False)) as opened:
        with opened.db.read() as connection:
            sha = connection.execute(
                select(permits.c.released_sha).where(permits.c.id == home[1]["@issued"])
            ).scalar_one()
        (tmp_path / "izin.pdf").write_bytes(opened.archive.get(sha))
    code, said, _ = teken("verify", str(tmp_path / "izin.pdf"), "--json")
    assert (code, json.loads(said)["verdict"]) == (0, "identical")
    (tmp_path / "lain.pdf").write_bytes(b"%PDF-1.7\n")
    code, said, _ = teken("verify", str(tmp_path / "lain.pdf"), "--json")
    assert (code != 0, json.loads(said)["verdict"] in {"unsigned", "undetermined"}) == (True, True)


# variable, value
WRONG_SETTINGS = [
    ("TEKEN_TYPO", "1"),
    ("TEKEN_LEASE_SECONDS", "0"),
    ("TEKEN_LEASE_SECONDS", "nan"),
    ("TEKEN_MAX_ATTEMPTS", "banyak"),
    ("TEKEN_MAX_ATTEMPTS", "0"),
    ("TEKEN_POLL_SECONDS", "-1"),
    ("TEKEN_BUSY_SECONDS", "inf"),
    ("TEKEN_PUBLIC_URL", "ftp://izin.example"),
    ("TEKEN_TSA_URL", "tsa.example"),
    ("TEKEN_TEMPLATES", "/tidak/ada"),
    ("TEKEN_ARCHIVE_URL", "ftp://ember/izin"),
    ("TEKEN_DATABASE_URL", "mysql://localhost/teken"),
    ("TEKEN_DATABASE_URL", "teken.db"),
    ("TEKEN_REDIS_URL", "localhost:6379"),
    ("TEKEN_LISTEN", "8000"),
    ("TEKEN_LISTEN", "127.0.0.1:delapan"),
]


@pytest.mark.parametrize(("variable", "value"), WRONG_SETTINGS)
def test_a_wrong_setting_refuses_to_start_and_is_named(teken, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    code, said, complained = teken("waiting", "malang")
    assert (code, said) == (2, "")
    assert complained.startswith(f"teken: {variable}: ")
    assert "Traceback" not in complained


def test_every_process_refuses_a_wrong_setting(tmp_path):
    """Not only the command: the worker, the signing process and the web process say the same and end."""
    environment = {**os.environ, "TEKEN_HOME": str(tmp_path), "TEKEN_TYPO": "1"}
    for command in (
        ["worker.py", "work"],
        ["worker.py", "sign"],
        ["-c", "from service.app import from_environment; from_environment()"],
    ):
        done = subprocess.run(
            [sys.executable, *command], cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode != 0
        assert "TEKEN_TYPO" in done.stderr
    assert list(tmp_path.iterdir()) == []
