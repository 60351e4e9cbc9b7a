"""Somebody with the database file or the archive changes one thing: the audit reports it, under the invariant that it breaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.archive import sha256
from service.audit import CASE
from service.vault import Vault
from tests.audit.world import SERIES, Owner, copy, found, live


@pytest.fixture(scope="module")
def honest(tmp_path_factory, keys):
    home = tmp_path_factory.mktemp("jujur") / "rumah"
    return home, live(home, keys)


def test_an_honest_world_has_no_violations(honest, keys):
    home, _ = honest
    assert found(home, keys, (home / "titik-periksa.txt").read_text()) == set()


def change_number(own: Owner) -> None:
    own.sql("UPDATE register SET number = '503.440/777/SIP-PM/DPMPTSP/2026' WHERE permit = :first")


def move_entry_to_another_permit(own: Owner) -> None:
    own.sql("UPDATE register SET permit = :after WHERE permit = :withdrawn")


def back_date_entry(own: Owner) -> None:
    own.sql("UPDATE register SET day = '2026-01-02' WHERE permit = :renewal")


def delete_entry(own: Owner) -> None:
    own.sql("DELETE FROM register WHERE permit = :renewal")


def delete_void(own: Owner) -> None:
    own.sql("DELETE FROM register WHERE permit = :withdrawn AND kind = 'void'")


def roll_the_series_back(own: Owner) -> None:
    """Take away the last entry and make the series look as if it had never been: no gap, no broken link."""
    series = {"s": SERIES}
    last = own.one("SELECT max(seq) FROM register WHERE series = :s", **series)
    own.sql("DELETE FROM register WHERE series = :s AND seq = :last", last=last, **series)
    head = own.one("SELECT hash FROM register WHERE series = :s AND seq = :seq", seq=last - 1, **series)
    own.sql("UPDATE series SET entries = entries - 1, head = :head WHERE name = :s", head=head, **series)
    own.sql("UPDATE series SET last_no = (SELECT max(no) FROM register WHERE series = :s) WHERE name = :s", **series)
    own.sql("UPDATE permits SET number = NULL, set_on = NULL WHERE id = :p", p=own.permits["under way"])


def delete_the_whole_series(own: Owner) -> None:
    own.sql("DELETE FROM register WHERE series = :s", s=SERIES)
    own.sql("DELETE FROM series WHERE name = :s", s=SERIES)


def add_an_entry(own: Owner) -> None:
    """A number that nobody was told of, chained rightly."""
    from service.canonical import digest

    names = "series, seq, kind, no, number, permit, day, by, reason, at, prev"
    last = own.connection.execute(
        f"SELECT {names}, hash FROM register WHERE series = ? ORDER BY seq DESC", (SERIES,)
    ).fetchone()
    fields = dict(zip(names.split(", "), last, strict=False))
    no = own.one("SELECT last_no FROM series WHERE name = :s", s=SERIES) + 1
    number = f"503.440/{no:03}/SIP-PM/DPMPTSP/2026"
    fields |= {"seq": fields["seq"] + 1, "kind": "allot", "no": no, "number": number, "prev": last[-1]}
    fields["permit"] = own.permits["after"]
    hash_ = digest(fields)
    marks = ", ".join("?" * (len(fields) + 1))
    own.connection.execute(f'INSERT INTO register ({names.replace("by", chr(34) + "by" + chr(34))}, hash) VALUES ({marks})',
                           (*fields.values(), hash_))  # fmt: skip
    own.sql(
        "UPDATE series SET entries = entries + 1, last_no = :no, head = :h WHERE name = :s", no=no, h=hash_, s=SERIES
    )


def raise_the_counter(own: Owner) -> None:
    own.sql("UPDATE series SET last_no = last_no + 1 WHERE name = :s", s=SERIES)


def change_event(own: Owner) -> None:
    own.sql("UPDATE events SET data = replace(data, '/001/', '/009/') WHERE type = 'permit.issued' AND permit = :first")


def make_event_unreadable(own: Owner) -> None:
    own.sql("UPDATE events SET data = 'bukan json register_hash' WHERE type = 'permit.numbered' AND permit = :first")


def delete_last_event(own: Owner) -> None:
    own.sql("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)")


def delete_event_in_between(own: Owner) -> None:
    own.sql("DELETE FROM events WHERE type = 'permit.suspended'")


def change_event_time(own: Owner) -> None:
    own.sql("UPDATE events SET at = '2026-01-02T00:00:00.000000Z' WHERE type = 'permit.suspended'")


def swap_checkpoint(own: Owner) -> None:
    own.sql("UPDATE events SET checkpoint = (SELECT checkpoint FROM events WHERE seq = 1) WHERE seq = 5")


def rewrite_the_journal(own: Owner) -> None:
    """Leave out the suspension and chain everything anew: only the signed checkpoints stand in the way."""
    own.sql("UPDATE events SET data = replace(data, 'SK 1/2026', 'SK 2/2026') WHERE type = 'permit.suspended'")
    own.rewrite_journal()


def set_number(own: Owner) -> None:
    own.sql("UPDATE permits SET number = '503.440/777/SIP-PM/DPMPTSP/2026' WHERE id = :renewal")


def take_number_away(own: Owner) -> None:
    own.sql("UPDATE permits SET number = NULL WHERE id = :renewal")


def take_date_away(own: Owner) -> None:
    own.sql("UPDATE permits SET set_on = NULL WHERE id = :after")


def back_date_permit(own: Owner) -> None:
    own.sql("UPDATE permits SET set_on = '2026-01-02' WHERE id = :renewal")


def prolong(own: Owner) -> None:
    own.sql("UPDATE permits SET valid_to = '2041-11-20' WHERE id = :renewal")


def reinstate_quietly(own: Owner) -> None:
    own.sql("UPDATE permits SET state = 'in_force' WHERE id = :suspended")


def bring_back_the_replaced(own: Owner) -> None:
    own.sql("UPDATE permits SET state = 'in_force' WHERE id = :first")


def revive_the_withdrawn(own: Owner) -> None:
    own.sql("UPDATE permits SET state = 'in_paraf' WHERE id = :withdrawn")


def issue_by_hand(own: Owner) -> None:
    own.sql("UPDATE permits SET state = 'in_force' WHERE id = :p", p=own.permits["under way"])


def unissue(own: Owner) -> None:
    own.sql("UPDATE permits SET state = 'sealed' WHERE id = :after")


def change_the_holder(own: Owner) -> bytes:
    """What one can do who has the data keys too."""
    vault = Vault(own.home / "data.keys")
    body = vault.open(own.one("SELECT body FROM case_revisions WHERE permit = :after"), CASE)
    changed = body.replace(b"Andi Contoh Wibisono", b"Orang Lain")
    assert changed != body
    own.sql("UPDATE case_revisions SET body = :body WHERE permit = :after", body=vault.seal(changed, CASE))
    return changed


def change_the_holder_and_its_hash(own: Owner) -> None:
    own.sql("UPDATE case_revisions SET content_sha = :sha WHERE permit = :after", sha=sha256(change_the_holder(own)))


def put_another_case_in_its_place(own: Owner) -> None:
    own.sql(
        "UPDATE case_revisions SET body = (SELECT body FROM case_revisions WHERE permit = :first) WHERE permit = :after"
    )


def spoil_the_seal_of_a_case(own: Owner) -> None:
    own.sql("UPDATE case_revisions SET body = substr(body, 1, length(body) - 4) || 'AAAA' WHERE permit = :after")


def write_a_case_in_plain(own: Owner) -> None:
    own.sql("UPDATE case_revisions SET body = '{}' WHERE permit = :after")


def call_a_case_erased(own: Owner) -> None:
    own.sql("UPDATE case_revisions SET erased_at = '2026-11-21T00:00:00.000000Z' WHERE permit = :after")


def call_the_case_of_a_withdrawn_one_erased(own: Owner) -> None:
    own.sql("UPDATE case_revisions SET erased_at = '2026-11-21T00:00:00.000000Z' WHERE permit = :withdrawn")


def released(own: Owner, permit: str) -> str:
    return str(own.one("SELECT released_sha FROM permits WHERE id = :p", p=own.permits[permit]))


def truncate_file(own: Owner) -> None:
    path = own.file(released(own, "after"))
    path.write_bytes(path.read_bytes()[:-7])


def delete_file(own: Owner) -> None:
    own.file(released(own, "after")).unlink()


def flip_a_bit(own: Owner) -> None:
    path = own.file(released(own, "after"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def delete_the_preview(own: Owner) -> None:
    own.file(own.one("SELECT ordered_sha FROM permits WHERE id = :after")).unlink()


def give_anothers_document(own: Owner) -> None:
    own.sql("UPDATE permits SET released_sha = :sha WHERE id = :after", sha=released(own, "suspended"))


def swap_documents(own: Owner) -> None:
    own.sql("UPDATE documents SET sha = sha || 'x' WHERE permit = :suspended")
    own.sql("UPDATE documents SET sha = :sha WHERE permit = :after", sha=released(own, "suspended"))
    own.sql("UPDATE documents SET sha = :sha WHERE permit = :suspended", sha=released(own, "after"))


def release_the_unsealed(own: Owner) -> None:
    """The head's signature alone, before number and seal, put in the place of the document."""
    own.sql("UPDATE documents SET sha = (SELECT head_sha FROM permits WHERE id = :after) WHERE permit = :after")


def delete_document(own: Owner) -> None:
    own.sql("DELETE FROM documents WHERE permit = :after")


def change_who_signed(own: Owner) -> None:
    own.sql("UPDATE documents SET signatures = replace(signatures, 'certificate_sha256\":\"', 'certificate_sha256\":\"0') WHERE permit = :after")  # fmt: skip


def preview_something_else(own: Owner) -> None:
    own.sql(
        "UPDATE permits SET ordered_sha = (SELECT ordered_sha FROM permits WHERE id = :suspended) WHERE id = :after"
    )


def change_the_code(own: Owner) -> None:
    own.sql("UPDATE permits SET verify_url = verify_url || 'X' WHERE id = :after")


def forge_a_permit(own: Owner) -> None:
    """Copy an issued permit under another id and code: no event ever told of it."""
    names = [one[1] for one in own.connection.execute("PRAGMA table_info(permits)")]
    changed = {"id": "'izn_00000000000000000000'", "code": f"'{'0' * 16}'", "upstream_id": "'PALSU'"}
    values = ", ".join(changed.get(name, f'"{name}"') for name in names)
    own.sql(f"INSERT INTO permits SELECT {values} FROM permits WHERE id = :after")


# what is done, the invariants under which it is reported at least, and a word of the place
TAMPERINGS: list[tuple[Callable[[Owner], None], set[str], str]] = [
    (change_number, {"I11", "I3"}, SERIES),
    (move_entry_to_another_permit, {"I11", "I3"}, SERIES),
    (back_date_entry, {"I11", "I3"}, SERIES),
    (delete_entry, {"I2", "I3", "I11"}, SERIES),
    (delete_void, {"I11"}, SERIES),
    (roll_the_series_back, {"I11"}, SERIES),
    (delete_the_whole_series, {"I3", "I11"}, SERIES),
    (add_an_entry, {"I3", "I11"}, SERIES),
    (raise_the_counter, {"I2"}, SERIES),
    (change_event, {"I11", "I4"}, "journal"),
    (make_event_unreadable, {"I11"}, "journal"),
    (delete_last_event, {"I11"}, "journal"),
    (delete_event_in_between, {"I11"}, "journal"),
    (change_event_time, {"I11"}, "journal"),
    (swap_checkpoint, {"I11"}, "journal #5"),
    (rewrite_the_journal, {"I11"}, "journal"),
    (set_number, {"I3", "I4"}, "renewal"),
    (take_number_away, {"I3", "I4"}, "renewal"),
    (take_date_away, {"I3", "I4"}, "after"),
    (back_date_permit, {"I3"}, "renewal"),
    (prolong, {"I4"}, "renewal"),
    (reinstate_quietly, {"I11"}, "suspended"),
    (bring_back_the_replaced, {"I11"}, "first"),
    (revive_the_withdrawn, {"I3", "I11"}, "withdrawn"),
    (issue_by_hand, {"I4", "I11"}, "under way"),
    (unissue, {"I5", "I11"}, "after"),
    (change_the_holder, {"I11"}, "after"),
    (change_the_holder_and_its_hash, {"I11"}, "after"),
    (put_another_case_in_its_place, {"I11"}, "after"),
    (spoil_the_seal_of_a_case, {"I11"}, "after"),
    (write_a_case_in_plain, {"I11"}, "after"),
    (call_a_case_erased, {"I11"}, "after"),
    (call_the_case_of_a_withdrawn_one_erased, {"I11"}, "withdrawn"),
    (truncate_file, {"I8"}, "after"),
    (delete_file, {"I8"}, "after"),
    (flip_a_bit, {"I8"}, "after"),
    (delete_the_preview, {"I8"}, "after"),
    (give_anothers_document, {"I4"}, "after"),
    (swap_documents, {"I4"}, "after"),
    (release_the_unsealed, {"I4"}, "after"),
    (delete_document, {"I4"}, "after"),
    (change_who_signed, {"I4"}, "after"),
    (preview_something_else, {"I7"}, "after"),
    (change_the_code, {"I4"}, "after"),
    (forge_a_permit, {"I3", "I11"}, "izn_00000000000000000000"),
]


@pytest.mark.parametrize(("tamper", "invariants", "place"), TAMPERINGS, ids=lambda one: getattr(one, "__name__", ""))
def test_it_is_reported(honest, keys, tmp_path, tamper, invariants, place):
    home, permits = honest
    home = copy(home, tmp_path / "rumah")
    owner = Owner(home, permits)
    tamper(owner)
    owner.done()
    reported = found(home, keys)
    assert invariants <= {invariant for invariant, _ in reported}, reported
    assert [where for _, where in reported if permits.get(place, place) in where], reported


def test_the_triggers_stand_in_the_way_of_a_careless_statement(honest, tmp_path):
    """Not a wall against the database's owner, but against a mistake."""
    import sqlite3

    home = copy(honest[0], tmp_path / "rumah")
    connection = sqlite3.connect(home / "teken.db")
    for table in ("register", "events", "documents", "case_revisions"):
        column = "content_sha" if table == "case_revisions" else "permit"
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = 'x'"):
            with pytest.raises(sqlite3.IntegrityError, match="append only"):
                connection.execute(statement)
    connection.close()
