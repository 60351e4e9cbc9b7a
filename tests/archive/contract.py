"""What every archive keeps. The classes of test_contract.py and strict.py run these tests on each implementation."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from service.archive import ArchiveDamaged, sha256

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
ABSENT = sha256(b"never stored")


class Contract:
    """`archive` and `spoil` (writes other bytes under a name, or none) are the implementation's fixtures."""

    def test_what_is_stored_is_read(self, archive):
        data = bytes(range(256)) * 4000
        name = archive.put(data)
        assert name == sha256(data)
        assert archive.get(name) == data
        assert archive.has(name)

    def test_nothing_and_emptiness_are_two_things(self, archive):
        assert archive.get(archive.put(b"")) == b""
        assert not archive.has(ABSENT)
        with pytest.raises(ArchiveDamaged, match=f"missing: {ABSENT}"):
            archive.get(ABSENT)
        with pytest.raises(ArchiveDamaged, match="missing"):
            archive.keep(ABSENT, NOW)

    def test_again_is_no_other(self, archive):
        assert archive.put(b"sekali") == archive.put(b"sekali")
        assert len(list(archive.names())) == 1

    @pytest.mark.parametrize("worse", [b"lain", b"sehat!", b""])
    def test_damage_is_told_and_never_taken_for_done(self, archive, spoil, worse):
        name = archive.put(b"sehat?")
        spoil(archive, name, worse)
        assert archive.has(name)
        with pytest.raises(ArchiveDamaged, match="hash differs"):
            archive.get(name)
        with pytest.raises(ArchiveDamaged, match="hash differs"):
            archive.put(b"sehat?")

    @pytest.mark.parametrize("worse", [b"lain", None])
    def test_a_name_is_mended_with_its_own_bytes(self, archive, spoil, worse):
        name = archive.put(b"sehat")
        spoil(archive, name, worse)
        archive.mend(name, b"sehat")
        assert archive.get(name) == b"sehat"
        archive.keep(name, NOW)
        with pytest.raises(AssertionError):
            archive.mend(name, b"lain")

    def test_what_is_kept_may_be_kept_again(self, archive):
        name = archive.put(b"terbit")
        archive.keep(name, NOW)
        archive.keep(name, NOW.replace(year=2027))
        assert archive.get(archive.put(b"terbit")) == b"terbit"

    def test_names_come_in_order_and_from_any_place(self, archive):
        stored = sorted(archive.put(b"%d" % number) for number in range(30))
        assert [one.name for one in archive.names()] == stored
        assert [one.name for one in archive.names(stored[10])] == stored[11:]
        assert all(one.since.tzinfo is not None for one in archive.names())
        assert list(archive.names("f" * 64)) == []

    def test_writers_of_the_same_bytes_all_succeed(self, archive):
        told = _at_once(8, lambda _: archive.put(b"sama" * 5000))
        assert told == [sha256(b"sama" * 5000)] * 8
        assert archive.get(told[0]) == b"sama" * 5000
        assert len(list(archive.names())) == 1

    def test_writers_of_different_bytes_do_not_meet(self, archive):
        told = _at_once(8, lambda number: archive.put(b"%d" % number * 5000))
        assert [archive.get(name) for name in told] == [b"%d" % number * 5000 for number in range(8)]

    def test_a_path_is_no_name(self, archive):
        for wrong in ("../kunci", "a" * 63 + "\n", "A" * 64):
            with pytest.raises(AssertionError):
                archive.has(wrong)


def _at_once(number: int, act) -> list:
    told: list = [None] * number
    ready = threading.Barrier(number)

    def one(index: int) -> None:
        ready.wait()
        try:
            told[index] = act(index)
        except Exception as error:
            told[index] = error

    threads = [threading.Thread(target=one, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told
