"""What decoders read of our printed pages, in sixteen conditions at 200 dpi: zxing-cpp, zbar and OpenCV (ADR 0047).

Strengths of blur, noise and stains are ours (`rasters`); the codes are fixed, since the modules that a stain hits decide.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pikepdf
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from PIL import Image
from pyzbar import pyzbar

from service import intake, qr_keys
from signing.appearance import QUIET_ZONE, qr_modules
from tests.qr.conftest import House
from tests.qr.rasters import CHANGES, DPI, conditions, rendered
from tests.support.office import client_of, open_office, payload, play, post, row

CODES = ("7K3M9QX2V5B8N4TD", "0HVZ2S6WPC1RKE8G")
READERS: dict[str, Callable[[Image.Image], list[str]]] = {
    "zxing-cpp": lambda image: [one.text for one in zxingcpp.read_barcodes(image)],
    "zbar": lambda image: [one.data.decode() for one in pyzbar.decode(image, symbols=[pyzbar.ZBarSymbol.QRCODE])],
    "OpenCV": lambda image: [cv2.QRCodeDetector().detectAndDecode(np.asarray(image))[0]],
}
assert len(CHANGES) == 16


@pytest.fixture(params=[CODES[0], pytest.param(CODES[1], marks=pytest.mark.thorough)])
def code(request, monkeypatch):
    monkeypatch.setattr(intake, "crockford", lambda _: request.param)
    return request.param


@pytest.mark.parametrize("reader", READERS)
def test_every_decoder_reads_the_plain_qr(tmp_path, keys, code, reader):
    teken = open_office(tmp_path, keys)
    kind = ("malang", "sik-perekam-medis")
    permit = post(teken, client_of(teken, "malang"), payload(*kind)).body["id"]
    play(teken, permit)
    issued = row(teken, permit)
    assert issued.code == code
    missed = _missed(teken.archive.get(issued.released_sha), issued.verify_url, READERS[reader])
    teken.close()
    assert len(missed) <= 2, missed


def test_zxing_reads_the_qr_with_its_own_data(tmp_path, keys, code):
    house = House(tmp_path, keys, "rokan-hulu", key=_fixed_key)
    permit = house.post()
    play(house.teken, permit)
    issued = row(house.teken, permit)
    missed = _missed(house.teken.archive.get(issued.released_sha), issued.qr, READERS["zxing-cpp"])
    house.teken.close()
    assert len(missed) <= 1, missed


def _missed(pdf: bytes, text: str, read: Callable[[Image.Image], list[str]]) -> list[str]:
    page, box = rendered(pdf), _modules(pdf, len(qr_modules(text)))
    return [name for name, picture in conditions(page, box) if text not in read(picture)]


def _modules(pdf: bytes, across: int) -> tuple[float, float, float, float]:
    """Where the symbol is on the rendered page, without its quiet zone."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        page = document.pages[0]
        (field,) = (one for one in page.Annots if str(one.get("/T", "")) == "segel")
        left, bottom, right, top = (float(edge) for edge in field.Rect)
        height, scale = float(page.mediabox[3]), DPI / 72
    quiet = (right - left) * QUIET_ZONE / (across + 2 * QUIET_ZONE)
    edges = left + quiet, height - top + quiet, right - quiet, height - bottom - quiet
    return tuple(edge * scale for edge in edges)  # type: ignore[return-value]


def _fixed_key(folder):
    """The same key each run, so that the same modules are drawn."""
    secret = (folder / "passphrase").read_bytes().strip()
    key = derive_private_key(0x7E4E4, SECP256R1())
    path = qr_keys.file(folder, "rokan-hulu")
    path.unlink()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(secret)))
