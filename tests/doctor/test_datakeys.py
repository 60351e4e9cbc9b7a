"""The doctor on the keys of what is sealed at rest."""

from __future__ import annotations

import pytest

from service.doctor.findings import State
from service.vault import Vault
from tests.support.office import NOW


def told(house) -> list[tuple[str, str]]:
    return [(str(one.state), one.code) for one in house.examine() if one.check == "data_keys"]


def missing(path):
    path.unlink()


def exposed(path):
    path.chmod(0o644)


def damaged(path):
    path.write_bytes(b"k0 AAAA 2026-01-01\n")


def another(path):
    path.unlink()
    Vault(path).add(NOW)


@pytest.mark.parametrize(
    ("do", "code"),
    [
        (missing, "data_keys_missing"),
        (exposed, "file_exposed"),
        (damaged, "data_keys_unreadable"),
        (another, "data_keys_lacking"),
    ],
)
def test_what_is_wrong_with_the_file_is_told(house, do, code):
    assert told(house) == [(str(State.OK), "data_keys_fine")]
    path = house.settings.data_keys_file
    do(path)
    there = path.exists()
    assert told(house) == [(str(State.FAULT), code)]
    assert path.exists() == there  # the doctor makes none
