"""Row 9 of SOP 001 names two ways. The office chooses in its own data; nothing else changes."""

import pytest

from tests.procedures.stories import client_of, done, edit, issued, open_tree, printed, seen_codes, text, tree_of
from tests.support.office import payload, qr_text, row

KIND = ("rokan-hulu", "surat-izin-perekam-medik")
BEFORE = [("assemble", None), ("verify", 5), ("verify", 6), ("verify", 7), ("approve", 8), ("number", 9)]
RELEASE = [("issue", None), ("notify", None), ("archive", None)]
SIGNED = [("sign", 10), ("seal", 10)]
BRANCHES = [
    ("cetak_dahulu", [*BEFORE, ("print", 9), *SIGNED, *RELEASE, ("handover", 11)], "draf"),
    ("tte_dahulu", [*BEFORE, *SIGNED, *RELEASE, ("print", 9), ("handover", 11)], "asli"),
]


@pytest.mark.parametrize(("branch", "acts", "print_kind"), BRANCHES)
def test_the_office_chooses_the_branch_of_row_nine(tmp_path, keys, branch, acts, print_kind):
    templates = tree_of(tmp_path, "rokan-hulu")
    office = templates / "rokan-hulu" / "office.toml"
    if branch not in office.read_text():
        edit(office, 'surat-izin-perekam-medik = "cetak_dahulu"', f'surat-izin-perekam-medik = "{branch}"')
    teken = open_tree(tmp_path / "home", templates, keys)
    permit = row(teken, issued(teken, client_of(teken, "rokan-hulu"), payload(*KIND)))
    assert [(verb, number) for number, verb, *_ in done(teken, permit.id)] == acts
    [(_, kind, sha)] = printed(teken, permit.id)
    assert kind == print_kind
    assert (sha == permit.released_sha) == (kind == "asli")
    assert seen_codes(teken.archive.get(sha)) == ([qr_text(permit)] if kind == "asli" else [])
    assert permit.number in text(teken.archive.get(sha))  # either way the number precedes TTE and print
    teken.close()
