"""Vector paths only: a QR code that a phone reads, and a frame."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import Frame, QrCode, SigningFailed
from signing.appearance import dark_runs, draw, qr_modules
from signing.drawing import mask_of
from tests.signing.world import URL, issue, read_qr

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+-./:"


@pytest.mark.parametrize("dpi", [150, 200, 300])
@pytest.mark.parametrize("name", ["head_only", "number_after"])
def test_a_phone_reads_the_printed_code(pki, name, dpi):
    assert read_qr(issue(name, pki).final, dpi) == [URL]


@pytest.mark.parametrize("url", ["", "https://lower.example", "HTTPS://EXAMPLE/É", "HTTPS://EXAMPLE/A_B", "A" * 301])
def test_a_url_outside_alphanumeric_mode_is_refused(url):
    with pytest.raises(SigningFailed, match="qr_unfit"):
        draw(QrCode(url), 80, 80)


@pytest.mark.parametrize("look", [Frame(), QrCode(URL)])
def test_only_path_operators(look):
    operators = set(re.findall(rb"(?<=\s)[A-Za-z]+", draw(look, 85, 85))) | {b"BMC"}
    assert operators <= {b"BMC", b"EMC", b"Artifact", b"q", b"Q", b"cm", b"w", b"G", b"g", b"re", b"f", b"S"}


@given(st.binary(min_size=1, max_size=60).map(lambda row: bytes(byte & 1 for byte in row)))
def test_runs_rebuild_their_row(row):
    rebuilt = bytearray(len(row))
    for start, length in dark_runs(row):
        assert length > 0
        rebuilt[start : start + length] = b"\1" * length
    assert bytes(rebuilt) == row


@given(code=st.text(ALPHANUMERIC, min_size=1, max_size=40), side=st.floats(60, 120))
@settings(max_examples=20, deadline=None)
def test_what_is_drawn_is_what_a_scanner_decodes(code, side):
    """The drawing, painted pixel by pixel from its own operators, decoded by another library."""
    import zxingcpp
    from PIL import Image

    url = "HTTPS://EXAMPLE/" + code
    rows = qr_modules(url)
    across = len(rows) + 8
    image = Image.new("L", (across * 4, across * 4), 255)
    for x, y, width in re.findall(rb"^(\d+) (\d+) (\d+) 1 re", draw(QrCode(url), side, side + 10), re.MULTILINE):
        left, top = int(x) * 4, (across - 1 - int(y)) * 4
        image.paste(0, (left, top, left + int(width) * 4, top + 4))
    assert [found.text for found in zxingcpp.read_barcodes(image)] == [url]


@given(code=st.text("ABCDEFGHJKMNPQRSTVWXYZ", min_size=16, max_size=16))
@settings(max_examples=20, deadline=None)
def test_another_encoder_knows_the_same_modules(code):
    """segno: same version, same error level, same modules under each mask. At a few lengths they fill up otherwise."""
    import segno

    url = "HTTPS://EXAMPLE/V/" + code
    every = [segno.make(url, error="m", micro=False, mask=mask).matrix for mask in range(8)]
    modules = [tuple(map(bytes, matrix)) for matrix in every]
    assert [qr_modules(url, mask) for mask in range(8)] == modules
    assert [mask_of(one) for one in modules] == list(range(8))
    assert qr_modules(url) in modules
