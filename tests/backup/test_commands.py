"""The drill of docs/operating/backup.md as an operator types it."""

from __future__ import annotations

import re
from contextlib import closing

import pytest

from service.cli import main
from tests.backup.test_yesterday import EARLY, KINDS, Yesterday, shared, signed  # noqa: F401 - fixtures
from tests.support.office import row


@pytest.fixture
def world(tmp_path, keys):
    return Yesterday(tmp_path, keys, "", "", later=1)


@pytest.fixture
def teken(tmp_path, keys, monkeypatch, capsys):
    def run(*words):
        for name, value in {"HOME": tmp_path / "baru", "KEYS": keys, "ARCHIVE_URL": tmp_path / "arsip"}.items():
            monkeypatch.setenv(f"TEKEN_{name}", str(value))
        return (main([str(word) for word in words]), *capsys.readouterr())

    return run


def test_restore_reconcile_void_and_open(world, teken):
    world.restored().close()
    gone = next(one for one in world.rows if one.office == "rokan-hilir")
    path = world.folder / "arsip" / gone.released_sha[:2] / gone.released_sha[2:]
    path.chmod(0o600)
    path.unlink()
    left = next(one for one in world.rows if one.id == world.drafted)

    code, said, _ = teken("register", "status")
    assert (code, "restored" in said) == (1, True)
    code, said, _ = teken("register", "reconcile", "--dry-run", "--events", world.feed)
    assert (code, f"hilang: {left.number} {left.code}" in said) == (1, True)
    who = ("--by", "rokan-hilir/kadis", "--reason", "latihan pemulihan")
    code, _, complained = teken("register", "open", *who, "--events", world.feed)
    assert (code, "reconcile" in complained) == (1, True)

    code, said, _ = teken("register", "reconcile", "--events", world.feed)
    assert code == 1
    assert f"dimasukkan: {left.number} {left.code} malang {left.id} BERJALAN {left.released_sha}" in said
    assert "harus dikirim ulang oleh sistem hulu: TERTINGGAL" in said
    (number,) = re.findall(r"belum dibatalkan: (.+)", said)
    assert number == gone.number

    code, _, complained = teken("register", "open", *who)
    assert (code, number in complained) == (1, True)
    assert teken("register", "void", "1/TIDAK/ADA", *who)[0] == 1
    assert teken("register", "void", number, *who)[:2] == (0, f"dibatalkan: {number}\n")
    assert teken("register", "open", "--by", "rokan-hilir/siapa", "--reason", "x")[0] == 1
    code, said, _ = teken("register", "open", *who)
    assert (code, said.startswith("penomoran dibuka")) == (0, True)
    assert teken("register", "status")[:2] == (0, "penomoran terbuka\n")
    assert teken("register", "open", *who)[0] == 1
    with closing(world.open(world.fresh, "")) as opened:
        assert row(opened, world.issue(opened, KINDS[0], "SESUDAH")).number_no == gone.number_no + 1


def test_papers_that_contradict_one_another_are_entered_by_nobody_before_somebody_decides(shared, signed, teken):  # noqa: F811
    """Their number would become a hole, and no event could bring them back."""
    world, wrong, right = shared
    signed({wrong.code: EARLY, right.code: EARLY}, silent=True)
    world.restored().close()
    code, said, _ = teken("register", "reconcile")
    assert (code, "tidak ada yang dimasukkan" in said, f"periksa: {wrong.released_sha}" in said) == (1, True, True)
    assert not re.search("^dimasukkan:", said, re.MULTILINE)
    code, said, _ = teken("register", "reconcile", "--events", world.feed)
    assert (code, f"dimasukkan: {right.number} {right.code}" in said) == (0, True)


def test_who_knows_nothing_more_of_them_leaves_their_number_a_hole(shared, signed, teken):  # noqa: F811
    world, wrong, right = shared
    signed({wrong.code: EARLY, right.code: EARLY}, silent=True)
    world.restored().close()
    code, said, _ = teken("register", "reconcile", "--leave-doubtful")
    assert (code, f"belum dibatalkan: {right.number}" in said) == (1, True)
