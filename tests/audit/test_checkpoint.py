"""A checkpoint that has left the machine shows what no walk can: that the whole was taken back, or rewritten by its owner."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from datetime import UTC, datetime

import pytest

from service.audit import audit
from service.checkpoint import Notary
from service.cli import main
from service.clock import SetClock
from service.wiring import CheckpointKeyMissing
from service.year_end import settle_year
from tests.audit.world import ROHIL, Owner, copy, found, live
from tests.procedures.stories import issued
from tests.support.office import client_of, open_office, payload, play, post, row, work


@pytest.fixture(scope="module")
def honest(tmp_path_factory, keys):
    """The house, a backup of it, and a checkpoint that was given away after the backup."""
    folder = tmp_path_factory.mktemp("titik")
    home = folder / "rumah"
    permits = live(home, keys)
    backup = copy(home, folder / "cadangan")
    with closing(open_office(home, keys)) as teken:
        permits["later"] = issued(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-KEMUDIAN"))
    return home, backup, permits


@pytest.fixture
def teken(keys, monkeypatch, capsys):
    def run(home, *words):
        monkeypatch.setenv("TEKEN_HOME", str(home))
        monkeypatch.setenv("TEKEN_KEYS", str(keys))
        return (main([*words]), *capsys.readouterr())

    return run


@pytest.fixture
def note(honest, teken, tmp_path):
    """The newest checkpoint, as the command prints it."""
    code, text, _ = teken(honest[0], "checkpoint")
    assert code == 0
    assert text.startswith("teken/jurnal\n")
    path = tmp_path / "titik-periksa.txt"
    path.write_text(text)
    return path


def test_the_honest_house_agrees_with_its_own_checkpoints(honest, teken, note):
    for words in (
        ("audit",),
        ("audit", "--checkpoint", str(note)),
        ("audit", "--checkpoint", str(honest[0] / "titik-periksa.txt")),
    ):
        code, said, _ = teken(honest[0], *words)
        assert (code, "I11" in said) == (0, False)


def test_a_restored_backup_is_sound_by_itself_and_betrayed_by_the_checkpoint(honest, teken, note):
    """A permit was issued, then the database was put back to before it: number and permit are gone without a trace."""
    _, backup, _ = honest
    assert teken(backup, "audit")[0] == 0
    code, said, _ = teken(backup, "audit", "--checkpoint", str(note))
    assert code == 1
    assert said.startswith("I11 journal #")
    assert "rolled back" in said


def test_who_has_the_checkpoint_key_too_is_betrayed_by_what_left_the_machine(honest, teken, note, tmp_path):
    """He changes a decision, chains the journal anew and signs every checkpoint: nothing inside contradicts him."""
    home = copy(honest[0], tmp_path / "rumah")
    owner = Owner(home, honest[2])
    owner.sql("UPDATE events SET data = replace(data, 'SK 1/2026', 'SK 2/2026') WHERE type = 'permit.suspended'")
    owner.rewrite_journal()
    owner.sign_checkpoints()
    owner.done()
    assert teken(home, "audit")[0] == 0
    code, said, _ = teken(home, "audit", "--checkpoint", str(note), "--json")
    assert code == 1
    assert [one["invariant"] for one in json.loads(said)["violations"]] == ["I11"]


def test_a_checkpoint_of_before_the_rewritten_place_still_agrees(honest, keys, tmp_path):
    """It vouches for what it saw: the first events, which nobody touched."""
    from service.journal import newest_checkpoint

    young = tmp_path / "muda"
    with closing(open_office(young, keys)) as teken, teken.db.write() as connection:
        from service.journal import Entry, append

        for number in (1, 2, 3):
            append(connection, teken.notary, teken.clock.now(), Entry("uji", "malang", None, None, {"no": number}))
            if number == 2:
                early = newest_checkpoint(connection)
        late = newest_checkpoint(connection)
    owner = Owner(young, {})
    owner.sql("UPDATE events SET type = 'lain' WHERE seq = 3")
    owner.rewrite_journal()
    owner.sign_checkpoints()
    owner.done()
    assert found(young, keys, early) == set()
    assert found(young, keys, late) == {("I11", "journal #3")}


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: "",
        lambda text: "bukan titik periksa\n",
        lambda text: text.replace("teken/jurnal\n", "teken/lain\n", 1),
        lambda text: text.replace("\n", "\n9", 1),
        lambda text: text[:-8] + "AAAA" + text[-4:],
        lambda text: text.replace("— ", "- "),
        lambda text: text * 2,
        lambda text: text.split("\n\n")[0],
    ],
)
def test_a_note_that_is_not_ours_is_told_and_never_passes(honest, teken, note, forge):
    note.write_text(forge(note.read_text()))
    code, said, complained = teken(honest[0], "audit", "--checkpoint", str(note))
    assert code == 1
    assert said.startswith("I11 checkpoint: ")
    assert complained == ""


def test_a_file_that_is_no_text_is_told_as_well(honest, teken, note):
    note.write_bytes(bytes(range(256)))
    assert teken(honest[0], "audit", "--checkpoint", str(note))[0] == 1


def test_another_machines_checkpoint_says_nothing_about_this_one(honest, teken, tmp_path, keys):
    other = copy(honest[1], tmp_path / "lain")
    new_key(other)  # its checkpoints are made with that from now on
    with closing(open_office(other, keys)) as opened:
        issued(opened, client_of(opened, ROHIL[0]), payload(*ROHIL, "UJI-LAIN"))
    _, text, _ = teken(other, "checkpoint")
    (tmp_path / "titik.txt").write_text(text)
    code, said, _ = teken(honest[0], "audit", "--checkpoint", str(tmp_path / "titik.txt"))
    assert (code, said.split(":")[0]) == (1, "I11 checkpoint")


def new_key(home) -> None:
    (home / "checkpoint.key").unlink()
    Notary.at(home / "checkpoint.key")


def test_another_checkpoint_key_shows(honest, keys, tmp_path):
    home = copy(honest[0], tmp_path / "rumah")
    new_key(home)
    assert {invariant for invariant, _ in found(home, keys)} == {"I11"}


def test_a_lost_checkpoint_key_is_never_made_anew_in_silence(honest, keys, tmp_path):
    """As a second host that was set up without the first one's file: it does not start, today or when it is started again."""
    home = copy(honest[0], tmp_path / "rumah")
    (home / "checkpoint.key").unlink()
    for _ in range(2):
        with pytest.raises(CheckpointKeyMissing, match=r"checkpoint\.key"):
            open_office(home, keys)
    assert not (home / "checkpoint.key").exists()


def test_an_empty_house_is_sound_and_has_no_checkpoint(teken, tmp_path):
    assert teken(tmp_path / "kosong", "checkpoint") == (0, "", "")
    code, said, _ = teken(tmp_path / "kosong", "audit", "--json")
    assert (code, json.loads(said)["violations"]) == (0, [])


@pytest.mark.parametrize("office", ["rokan-hulu", "rokan-hilir"])
def test_new_year_by_either_policy_is_no_violation(tmp_path, keys, office):
    """Rokan Hulu voids what was numbered and not signed in the old year, Rokan Hilir keeps it: both are as they should be."""
    kind = {"rokan-hulu": "surat-izin-perekam-medik", "rokan-hilir": "sip-perekam-medis"}[office]
    clock = SetClock(datetime(2026, 12, 30, 2, 0, tzinfo=UTC))
    with closing(open_office(tmp_path, keys, clock=clock)) as teken:
        permit = post(teken, client_of(teken, office), payload(office, kind)).body["id"]
        play(teken, permit, until="numbered")
        clock.at = datetime(2027, 1, 4, 2, 0, tzinfo=UTC)
        settle_year(teken, office)
        assert audit(teken).violations == ()
        work(teken)
        assert audit(teken).violations == ()
        play(teken, permit)
        assert row(teken, permit).state == "in_force"
        assert row(teken, permit).number.count("2027") == (office == "rokan-hulu")
        assert audit(teken).violations == ()
    shutil.rmtree(tmp_path)
