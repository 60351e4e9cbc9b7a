"""Whoever copies the database and the archive, without the data keys, reads nothing of any applicant: only papers hold personal data."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from service import acts, photos
from service.audit import audit
from service.corrections import withdraw
from service.permits import State
from service.store import Database
from service.store.book_tables import earlier_entries
from service.store.desk_tables import case_notes, proposals
from service.store.report_tables import reports
from service.store.sealed import Sealed
from service.store.tables import case_names, metadata, revisions
from service.vault import VaultShut
from tests.support.office import TYPES, client_of, open_office, payload, play, post

PERSON = {
    "nama": "Sulistyowati Purnamasari",
    "tempat_lahir": "Kualatungkal",
    "tanggal_lahir": "1991-08-23",
    "alamat": "Gang Delima Tersembunyi Nomor 77",
    "wa": "+6281377442219",
    "email": "sulistyowati@surat.example",
    "gelar_belakang": "S.Tr.Kes.(RMIK)",
}
"""Values that no file of an office has."""
SEALED = {
    revisions.c.body,
    proposals.c.payload,
    case_notes.c.text,
    reports.c.text,
    reports.c.contact,
    earlier_entries.c.name,
    earlier_entries.c.place,
    earlier_entries.c.note,
}


def somebody(office: str, kind: str, upstream_id: str, values: set[str]) -> dict:
    """A case of a person who is in no sample; what could be recognised of him joins the values."""
    body = payload(office, kind, upstream_id)
    own = {field: value for field, value in PERSON.items() if field in body["applicant"]}
    own["nik"] = body["applicant"]["nik"][:6] + "230891" + "7391"
    body["applicant"] |= own
    body["str"]["nomor"] = "XR00771234560099"
    values |= {*own.values(), body["str"]["nomor"]}
    return body


@pytest.fixture
def life(tmp_path, keys, database):
    """Three types issued, with and without photo, number before and after; one returned, corrected and given back again; one withdrawn; one renewed."""
    teken = open_office(tmp_path, keys, database=database)
    clients: dict = {}
    values: set[str] = set()
    for office, kind in TYPES[:2] + TYPES[3:4]:
        clients[office] = clients.get(office) or client_of(teken, office)
        body = somebody(office, kind, f"UJI-{kind}", values)
        play(teken, post(teken, clients[office], body, f"kunci-{kind}").body["id"])
    rohil = clients["rokan-hilir"]
    other = somebody("rokan-hilir", "sip-perekam-medis", "UJI-LAIN", values)
    returned = post(teken, rohil, other).body["id"]
    play(teken, returned, until=State.NUMBERED)
    acts.give_back(teken, "rokan-hilir/kadis", returned, reason="perbaiki alamat")
    withdrawn = post(teken, rohil, payload("rokan-hilir", "sip-perekam-medis", "UJI-BATAL")).body["id"]
    withdraw(teken, rohil, withdrawn, "batal")
    yield teken, values, tmp_path
    teken.close()


def stored(teken, home: Path) -> dict[str, bytes]:
    """What somebody carries off: the database as it is on disk, or dumped, and every file that is no paper and no key."""
    found = {}
    if teken.db.dialect == "postgresql":
        with psycopg.connect(teken.settings.database_url) as connection:
            for table in metadata.sorted_tables:
                rows = connection.execute(f'SELECT t::text FROM "{table.name}" t').fetchall()
                found[table.name] = "\n".join(line for (line,) in rows).encode()
    for path in home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if not data.startswith(b"%PDF"):
                found[str(path.relative_to(home))] = data
    return found


def test_neither_database_nor_archive_tells_anything_of_an_applicant(life):
    """One life, looked at from all sides: it is dear to make."""
    teken, values, home = life
    carried = stored(teken, home)
    assert len(values) > 5
    assert sum(map(len, carried.values())) > 100_000
    told = {(place, value) for place, data in carried.items() for value in values if value.encode() in data}
    assert told == set()
    photos_are_sealed(teken, carried)
    names_are_hashes(teken)
    the_keys_open_it(teken, values)
    without_its_vault_a_database_gives_no_case(teken)


def photos_are_sealed(teken, carried):
    with teken.db.read() as connection:
        names = (
            connection.execute(select(revisions.c.photo_sha).where(revisions.c.photo_sha.is_not(None))).scalars().all()
        )
    assert names
    for name in names:
        kept = photos.read(teken, name)
        assert kept.startswith(b"\xff\xd8")
        assert all(kept[100:200] not in data for data in carried.values())


def names_are_hashes(teken):
    with teken.db.read() as connection:
        begins = connection.execute(select(case_names.c.begins)).scalars().all()
    assert begins
    assert all(re.fullmatch(r"k[0-9a-f]{6}\.[0-9a-f]{16}", one) for one in begins)
    guessed = {
        hashlib.sha256(word.encode()).hexdigest()[:16] for word in ("sulistyowati", "sul", "sulis", "pur", "purna")
    }
    assert guessed.isdisjoint(begins)


def the_keys_open_it(teken, values):
    with teken.db.read() as connection:
        read = "\n".join(connection.execute(select(revisions.c.body)).scalars())
    assert {one for one in values if one not in read} == set()
    assert audit(teken).violations == ()


def without_its_vault_a_database_gives_no_case(teken):
    stolen = Database(teken.settings.database)
    with pytest.raises(VaultShut), stolen.read() as connection:
        connection.execute(select(revisions.c.body)).first()
    stolen.dispose()


def test_every_column_that_holds_words_about_people_is_sealed():
    assert {column for column in SEALED if not isinstance(column.type, Sealed)} == set()


def test_the_same_photo_is_stored_once(tmp_path, keys):
    teken = open_office(tmp_path, keys)
    client = client_of(teken, "kudus")
    for number in (1, 2):
        post(teken, client, payload("kudus", "sip-perekam-medis", f"UJI-{number}"))
    with teken.db.read() as connection:
        assert len(set(connection.execute(select(revisions.c.photo_sha)).scalars())) == 1
    teken.close()
