"""Photos from outside: only decodable JPEG and PNG under caps, written anew without anything but pixels."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from service.document import PhotoInvalid
from service.document.photo import MAX_BYTES, clean_photo
from service.document.preview import page_count, preview
from tests.document.offices import page


def picture(size=(600, 800), mode="RGB", fmt="JPEG", colour=(200, 30, 30), **save) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, fmt, **save)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(("ratio", "size"), [("3x4", (354, 472)), ("4x6", (472, 709))])
def test_cropped_to_the_ratio_at_print_size(ratio, size):
    made = opened(clean_photo(picture((1500, 1700)), ratio=ratio))
    assert (made.format, made.mode, made.size) == ("JPEG", "RGB", size)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "photo_format"),
        (b"%PDF-1.7", "photo_format"),
        (picture(fmt="GIF", mode="P", colour=3), "photo_format"),
        (picture(fmt="TIFF"), "photo_format"),
        (picture((100, 100)), "photo_too_small"),
        (picture()[:900], "photo_unreadable"),
        (b"x" * (MAX_BYTES + 1), "photo_too_large"),
    ],
)
def test_refused(data, code):
    with pytest.raises(PhotoInvalid) as caught:
        clean_photo(data, ratio="3x4")
    assert caught.value.code == code


@pytest.mark.parametrize("side", [6_000, 12_000, 60_000])
def test_a_bomb_is_refused_by_its_header(side):
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(PhotoInvalid) as caught:
        clean_photo(bomb, ratio="3x4")
    assert caught.value.code == "photo_too_many_pixels"


def test_metadata_goes_and_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    exif[0x010E] = "catatan rahasia"
    source = Image.new("RGB", (800, 600), "white")
    source.paste((0, 0, 255), (0, 0, 400, 600))  # left half blue: becomes the top half
    out = io.BytesIO()
    source.save(out, "JPEG", exif=exif, quality=95)
    cleaned = clean_photo(out.getvalue(), ratio="3x4")
    made = opened(cleaned)
    assert b"rahasia" not in cleaned
    assert not made.getexif()
    assert made.getpixel((177, 40))[2] > 200 > made.getpixel((177, 40))[0]
    assert min(made.getpixel((177, 440))) > 240


@pytest.mark.parametrize(
    "data",
    [
        picture(mode="L", colour=120),
        picture(mode="CMYK", colour=(10, 20, 30, 0)),
        picture(mode="RGBA", fmt="PNG", colour=(0, 0, 0, 0)),
        picture(mode="P", fmt="PNG", colour=1),
        picture(mode="1", fmt="PNG", colour=1),
        picture(mode="I;16", fmt="PNG", colour=900),
        picture(icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
        picture(icc_profile=b"broken"),
    ],
)
def test_every_colour_mode_becomes_srgb(data):
    made = opened(clean_photo(data, ratio="3x4"))
    assert made.mode == "RGB"
    assert "icc_profile" not in made.info


def test_transparent_becomes_white():
    made = opened(clean_photo(picture(mode="RGBA", fmt="PNG", colour=(0, 0, 0, 0)), ratio="3x4"))
    assert min(made.getpixel((100, 100))) > 250


def test_preview_marks_the_picture_only(typeset):
    pdf = typeset("malang", page("malang")).pdf
    plain, marked = (opened(preview(pdf, mark=mark, dpi=60)).convert("L") for mark in ("", "DRAF"))
    assert page_count(pdf) == 1
    assert plain.size == marked.size == (497, 702)
    assert sum(a != b for a, b in zip(plain.tobytes(), marked.tobytes(), strict=True)) > 5_000
