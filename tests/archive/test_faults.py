"""The store is down, silent, unwell, cut off in mid-body, or lies: a wait is never taken for a loss, nor a lie for bytes."""

from __future__ import annotations

import time

import pytest

from service.archive import ArchiveDamaged, ArchiveUnreachable, s3, session, sha256
from tests.archive.contract import NOW

DATA = b"naskah" * 200_000


@pytest.fixture
def archive(store, wire, prefix, monkeypatch):
    """An archive whose every byte goes over the wire, with no rests and long waits."""
    monkeypatch.setattr(session, "READ_SECONDS", 60)
    monkeypatch.setattr(s3, "REST_SECONDS", 0)
    return store.archive(prefix, port=wire.port)


@pytest.mark.parametrize("mode", ["down", "unwell", "silent"])
def test_a_store_that_does_not_answer_is_a_wait_for_every_act(archive, wire, mode, monkeypatch):
    name = archive.put(DATA)
    if mode == "silent":
        monkeypatch.setattr(session, "READ_SECONDS", 0.5)
    fresh = archive.__class__(archive.place, archive.credentials)
    wire.mode = mode
    acts = (
        lambda: fresh.put(b"baru"),
        lambda: fresh.get(name),
        lambda: fresh.has(name),
        lambda: fresh.keep(name, NOW),
        lambda: list(fresh.names()),
        lambda: fresh.tried(NOW),
    )
    for act in acts[:2] if mode == "silent" else acts:
        with pytest.raises(ArchiveUnreachable) as told:
            act()
        assert (told.value.code, told.value.status) == ("archive_unreachable", 503)
        assert told.value.retry_after
    wire.mode = "open"
    assert archive.get(name) == DATA


def test_waits_are_bounded_in_number(archive, wire):
    archive.has("0" * 64)
    archive._client = None
    wire.mode, before = "down", wire.passed
    with pytest.raises(ArchiveUnreachable):
        archive.get("0" * 64)
    assert wire.passed - before <= session.ATTEMPTS


def test_an_answer_cut_off_in_the_body_is_a_wait_not_damage(archive, wire):
    name = archive.put(DATA)
    archive._client = None
    wire.mode, wire.cut_after = "cut", 300_000
    with pytest.raises(ArchiveUnreachable):
        archive.get(name)
    wire.mode = "open"
    archive._client = None
    assert archive.get(name) == DATA


def test_a_put_whose_answer_was_lost_is_put_again(archive, wire):
    """Stored, but nobody told us: the second put finds it there, compares and is content."""
    archive._opened()
    wire.mode, wire.cut_after = "cut", 1
    with pytest.raises(ArchiveUnreachable):
        archive.put(DATA)
    wire.mode = "open"
    archive._client = None
    assert archive.put(DATA) == sha256(DATA)
    assert archive.get(sha256(DATA)) == DATA


def test_a_process_rests_after_a_store_that_did_not_answer(archive, wire, monkeypatch):
    monkeypatch.setattr(s3, "REST_SECONDS", 60)
    wire.mode = "down"
    with pytest.raises(ArchiveUnreachable):
        archive.has("0" * 64)
    before = wire.passed
    for _ in range(20):
        with pytest.raises(ArchiveUnreachable):
            archive.has("0" * 64)
    assert wire.passed == before


def test_a_store_that_answers_no_wants_an_operator(store, tmp_path):
    for wrong in (store.archive("x", bucket="tidak-ada"), store.archive("x", bucket="polos")):
        act = wrong.put if wrong.place.bucket == "tidak-ada" else lambda data, one=wrong: one.keep(one.put(data), NOW)
        with pytest.raises(ArchiveUnreachable) as told:
            act(b"halo")
        assert told.value.code == "archive_refused"


@pytest.mark.parametrize("spoiled", ["mode", "text", "section", "none"])
def test_keys_come_from_a_file_that_is_ours_alone_or_from_the_environment(store, tmp_path, monkeypatch, spoiled):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    own = tmp_path / "kunci"
    own.write_text(store.credentials.read_text() if spoiled != "text" else "rahasia")
    own.chmod(0o644 if spoiled == "mode" else 0o600)
    wrong = store.archive("x", **({"profile": "lain"} if spoiled == "section" else {}))
    wrong.credentials = None if spoiled == "none" else own
    with pytest.raises(ArchiveUnreachable) as told:
        wrong.has("0" * 64)
    assert told.value.code == "archive_refused"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "kunci")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "rahasia")
    wrong.credentials = None
    assert not wrong.has("0" * 64)


def test_a_store_that_says_it_stored_something_else_is_not_believed(archive, monkeypatch):
    client = archive._opened()
    put = client.put_object
    monkeypatch.setattr(client, "put_object", lambda **given: put(**given) | {"ChecksumSHA256": "AAAA"})
    with pytest.raises(ArchiveDamaged, match="stored otherwise"):
        archive.put(b"halo")


def test_a_conflict_of_two_writers_is_tried_again(archive, monkeypatch):
    from botocore.exceptions import ClientError

    client, told = archive._opened(), []
    put = client.put_object

    def conflict(**given):
        told.append(1)
        if len(told) < 3:
            answer = {"Error": {"Code": "ConditionalRequestConflict"}, "ResponseMetadata": {"HTTPStatusCode": 409}}
            raise ClientError(answer, "PutObject")
        return put(**given)

    monkeypatch.setattr(client, "put_object", conflict)
    assert archive.get(archive.put(b"halo")) == b"halo"
    assert len(told) == 3


def test_a_body_that_only_trickles_is_given_up(archive, monkeypatch):
    class Trickle:
        def iter_chunks(self, _size):
            while True:
                time.sleep(0.01)
                yield b"x"

        def close(self):
            pass

    monkeypatch.setattr(s3, "BODY_SECONDS", 0.05)
    monkeypatch.setattr(archive._opened(), "get_object", lambda **_: {"Body": Trickle()})
    with pytest.raises(ArchiveUnreachable):
        archive.get("0" * 64)
