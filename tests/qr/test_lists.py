"""Keys and revocation lists as the world gets them, and what the command does to keys."""

from __future__ import annotations

import base64
from contextlib import closing

import cbor2
import pytest
from sqlalchemy import update

from service import acts, cli, corrections, qr, qr_lists
from service.app import create_app
from service.errors import NotFound
from service.permits import State
from service.qr_keys import QrKeyMissing, QrKeys, file
from service.store.tables import permits
from tests.procedures.stories import edit, open_tree
from tests.support.office import holder, play, row, work


def published(house):
    """The one list, checked with the keys beside it: (issued, next, ids of revoked, suspended, replaced, burned)."""
    (one,) = qr_lists.published_lists(house.teken)
    body, signature = (base64.urlsafe_b64decode(one[name] + "==") for name in ("list", "signature"))
    version, office, kid, issued, due, *ids = cbor2.loads(body)
    keys = {key["kid"]: key for key in qr_lists.published_keys(house.teken)}
    known = keys[kid.hex()]
    qr.check_list(body, signature, qr.public_key(known["x"], known["y"]))
    assert (version, office, known["state"]) == (1, house.office, "active")
    assert cbor2.dumps(cbor2.loads(body), canonical=True) == body
    return issued, due, *ids


def test_the_list_grows_with_what_ends_and_shrinks_with_what_goes_on(make):
    house = make("number-first")
    teken = house.teken
    permits = [house.post(f"UJI-000{number}") for number in range(3)]
    for permit in permits[:2]:
        play(teken, permit)
    work(teken)
    assert qr_lists.refresh(teken) == 1
    assert qr_lists.refresh(teken) == 0  # nothing changed
    assert published(house)[2:] == (b"", b"", b"", b"")
    head = holder(teken, house.office, "kepala_dinas")
    _decide(teken, head, permits[0], State.SUSPENDED)
    assert qr_lists.refresh(teken) == 1
    first, second = (qr.list_id(row(teken, permit).code) for permit in permits[:2])
    assert published(house)[2:] == (b"", first, b"", b"")
    _decide(teken, head, permits[0], State.IN_FORCE)
    _decide(teken, head, permits[1], State.REVOKED)
    assert qr_lists.refresh(teken) == 1
    assert published(house)[2:] == (second, b"", b"", b"")


def _decide(teken, head, permit, to):
    acts.decide(teken, head, permit, to=to, reason="uji", decision="SK-1")


def test_papers_of_an_office_that_no_longer_prints_it_are_still_read(make):
    house = make("number-first")
    permit = house.post()
    play(house.teken, permit)
    code = row(house.teken, permit).code
    edit(house.templates / house.office / "office.toml", "offline = true", "offline = false")
    with closing(open_tree(house.home, house.templates, house.keys, house.clock)) as teken:
        assert not teken.offices.office(house.office).qr_offline
        _decide(teken, holder(teken, house.office, "kepala_dinas"), permit, State.REVOKED)
        assert qr_lists.refresh(teken) == 1
        web = create_app(teken).test_client()
        assert "/qr/verify.js" in web.get(f"/V/{code}").text
        kept = web.get("/qr/offline.json").json
        assert [key["office"] for key in kept["keys"]] == [one["office"] for one in kept["lists"]] == [house.office]


def test_a_list_grows_old(make):
    house = make("number-first")
    qr_lists.refresh(house.teken)
    issued, due, *_ = published(house)
    assert due - issued == 24 * 3600
    house.clock.forward(hours=5)
    assert qr_lists.refresh(house.teken) == 0
    house.clock.forward(hours=2)
    assert qr_lists.refresh(house.teken) == 1
    assert published(house)[0] - issued == 7 * 3600


def test_a_thousand_revoked_take_eight_thousand_bytes():
    codes = [f"{number:016d}" for number in range(1000)]
    ids = qr_lists._ids([(code, "revoked") for code in codes], [])
    assert [len(one) for one in ids] == [8000, 0, 0, 0]


def test_rotation_retires_the_old_key_and_its_papers_keep_proving_themselves(make):
    house = make("number-first")
    permit = house.post()
    play(house.teken, permit)
    qr_lists.refresh(house.teken)
    old = house.teken.keys.qr(house.office)
    kid = qr_lists.rotate(house.teken, house.office)
    states = {one["kid"]: one["state"] for one in qr_lists.published_keys(house.teken)}
    assert states == {qr.kid_of(old.public_key()).hex(): "retired", kid: "active"}
    published(house)  # signed anew with the new key
    other = house.post("UJI-0002")
    play(house.teken, other)
    for one, key in ((permit, old), (other, house.teken.keys.qr(house.office))):
        issued = row(house.teken, one)
        qr.checked(issued.code, issued.qr.partition("#")[2], key.public_key())
    assert old.private_numbers() != house.teken.keys.qr(house.office).private_numbers()


def test_a_compromised_key_is_marked_and_replaced_where_it_is_in_use(make):
    house = make("number-first")
    kid = qr.kid_of(house.teken.keys.qr(house.office).public_key()).hex()
    qr_lists.compromise(house.teken, house.office, kid)
    states = [one["state"] for one in qr_lists.published_keys(house.teken)]
    assert sorted(states) == ["active", "compromised"]
    published(house)
    with pytest.raises(NotFound):
        qr_lists.compromise(house.teken, house.office, "00000000")


def test_a_retired_key_signs_nothing_though_its_file_lie_there_again(make):
    house = make("number-first", max_attempts=1)
    path = file(house.keys, house.office)
    kept = path.read_bytes()
    qr_lists.rotate(house.teken, house.office)
    path.unlink()
    path.write_bytes(kept)
    permit = house.post()
    play(house.teken, permit)
    assert row(house.teken, permit).fault == "qr_key_ended"
    assert qr_lists.refresh(house.teken) == 0


def test_keys_lie_encrypted_and_for_the_owner_alone(make):
    house = make("number-first")
    path = file(house.keys, house.office)
    assert path.stat().st_mode & 0o077 == 0
    assert b"ENCRYPTED" in path.read_bytes()
    (house.keys / "passphrase").write_text("other")
    with pytest.raises(QrKeyMissing):
        QrKeys(house.keys, house.keys / "passphrase").key(house.office)


def test_a_withdrawn_case_whose_qr_was_signed_is_on_the_list(make):
    house = make("number-first")
    permit = house.post()
    work(house.teken)
    with house.teken.db.write() as connection:
        connection.execute(update(permits).values(qr="HTTPS://A.EXAMPLE/V/X#Y"))
    corrections.withdraw(house.teken, house.client, permit, "uji")
    qr_lists.refresh(house.teken)
    assert published(house)[-1] == qr.list_id(row(house.teken, permit).code)


def test_the_command(make, monkeypatch, capsys):
    house = make("number-first")
    for name, value in {"HOME": house.home, "KEYS": house.keys, "TEMPLATES": house.templates}.items():
        monkeypatch.setenv(f"TEKEN_{name}", str(value))
    assert cli.main(["qr", "rotate", house.office]) == 0
    kid = capsys.readouterr().out.split()[-1]
    assert cli.main(["qr", "compromised", house.office, kid]) == 0
    assert cli.main(["qr", "keys"]) == 0
    assert capsys.readouterr().out.count('"kid"') == 3
    assert cli.main(["qr", "rotate", "nowhere"]) == 1
