"""Small worlds whose office has the offline QR; keys are a copy, since tests rotate and lose them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from service import qr_keys
from service.clock import SetClock
from tests.procedures.stories import client_of, edit, open_tree, tree_of
from tests.support.office import NOW, payload, post

KINDS = {"rokan-hulu": "surat-izin-perekam-medik", "malang": "sik-perekam-medis", "kudus": "sip-perekam-medis"}


class House:
    """One office with the offline QR, its client and a clock."""

    def __init__(self, folder: Path, keys: Path, office: str, *, edits=(), key=None, **settings):
        self.office, self.clock, self.home = office, SetClock(NOW), folder / "home"
        self.templates = tree_of(folder, office)
        if office != "rokan-hulu":
            edit(self.templates / office / "office.toml", "[roles.pemohon]", "[qr]\noffline = true\n\n[roles.pemohon]")
        for path, old, new in edits:
            edit(self.templates / office / path, old, new)
        self.keys = folder / "keys"
        shutil.copytree(keys, self.keys)
        qr_keys.make(self.keys, office, (self.keys / "passphrase").read_bytes().strip())
        if key is not None:
            key(self.keys)
        self.teken = open_tree(self.home, self.templates, self.keys, self.clock, **settings)
        self.client = client_of(self.teken, office)

    def post(self, upstream_id="UJI-0001", **changes) -> str:
        return post(self.teken, self.client, payload(self.office, KINDS[self.office], upstream_id, **changes)).body[
            "id"
        ]


UNSEALED = (
    ("sip-perekam-medis/sop.toml", 'acts = ["number", "seal"]\n', ""),
    (
        "sip-perekam-medis/permit.typ",
        "beside(photo(), seal()), signature(head-frame())",
        "photo(), signature(head-qr())",
    ),
    ("office.toml", "[roles.pemohon]", "[signing]\nnumber_at_sign = true\n\n[roles.pemohon]"),
)
VARIANTS = {"number-first": ("rokan-hulu", ()), "number-after": ("malang", ()), "head-last": ("kudus", UNSEALED)}


@pytest.fixture
def make(tmp_path, keys):
    """Make a house by the name of its variant."""
    made = []

    def one(variant="number-first", **settings):
        office, edits = VARIANTS[variant]
        made.append(House(tmp_path, keys, office, edits=edits, **settings))
        return made[-1]

    yield one
    for house in made:
        house.teken.close()
