"""An honest file of another signer is `foreign`, whoever's program wrote it and whatever was rightly done to it afterwards."""

from __future__ import annotations

import pytest

from signing import Trust, inspect
from tests.foreign.conftest import FILES, maker, verdict
from tests.foreign.modes import MODES

WEAK = {"mutool.pdf"}
"""Signs with SHA-1."""
UNCLEAR = {
    "itext-p2-twice.pdf": "a visible field of a stranger on a certified document is how certification is attacked",
    "openpdf-after-pdfbox.pdf": "registers an approval as the document's certification",
}


@pytest.mark.parametrize("name", [name for name in FILES if name not in WEAK | UNCLEAR.keys()])
def test_files_of_other_makers(name):
    assert verdict(maker(name)) == "foreign"


@pytest.mark.parametrize("name", MODES)
def test_ways_of_signing(name):
    assert verdict(MODES[name]()) == "foreign"


@pytest.mark.parametrize("name", sorted(UNCLEAR | dict.fromkeys(WEAK)))
def test_what_nobody_can_tell_from_an_attack_is_not_called_altered(name):
    assert verdict(maker(name)) == "undetermined"


def test_levels_are_what_the_file_itself_carries():
    levels = {name: inspect(MODES[name](), Trust(())).signatures[0].level for name in ("cades", "stamped", "archived")}
    assert levels == {"cades": "B-B", "stamped": "B-T", "archived": "B-T"}  # its store has no answers


def test_signer_is_named():
    [one] = inspect(maker("dss.pdf"), Trust(())).signatures
    assert (one.signer_cn, one.organization, one.issuer_cn) == ("Budi Contoh", "PT Contoh", "Budi Contoh")
    assert (one.digest, one.key, one.not_before is not None) == ("sha384", "ecdsa-secp256r1", True)
