"""A holder's photo, made safe: decoded under caps, cropped to the SOP's format, and written anew as a plain JPEG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from service.document.errors import PhotoInvalid

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsProfile

MAX_BYTES = 2_000_000
MAX_PIXELS = 25_000_000
MILLIMETRES = {"3x4": (30, 40), "4x6": (40, 60)}
PRINT_DPI, LEAST_DPI = 300, 150
FACE = (0.5, 0.35)
"""What a crop keeps: the middle, and rather the top than the bottom."""
QUALITY = 88
BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)


def clean_photo(data: bytes, *, ratio: str) -> bytes:
    """Return an sRGB JPEG without metadata, upright, in the ratio, at most 300 dpi in print.

    Raises PhotoInvalid: photo_too_large, photo_format, photo_too_many_pixels, photo_too_small, photo_unreadable.
    """
    if len(data) > MAX_BYTES:
        raise PhotoInvalid("photo_too_large", max_bytes=str(MAX_BYTES))
    picture = _upright(_opened(data))
    least = _pixels(ratio, LEAST_DPI)
    if picture.width < least[0] or picture.height < least[1]:
        raise PhotoInvalid("photo_too_small", least=f"{least[0]}x{least[1]}")
    return _jpeg(_cropped(picture, ratio))


def _opened(data: bytes) -> Image.Image:
    """Read the header only, and refuse by it what would be too much to decode."""
    try:
        picture = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
    except BOMB:
        raise PhotoInvalid("photo_too_many_pixels", max_pixels=str(MAX_PIXELS)) from None
    except UnidentifiedImageError:
        raise PhotoInvalid("photo_format") from None
    except (OSError, SyntaxError, ValueError):
        raise PhotoInvalid("photo_unreadable") from None
    if picture.width * picture.height > MAX_PIXELS:
        raise PhotoInvalid("photo_too_many_pixels", max_pixels=str(MAX_PIXELS))
    return picture


def _upright(picture: Image.Image) -> Image.Image:
    """Decode, turn as the camera's orientation says, and bring the colours to sRGB on white."""
    try:
        picture.load()
        return _srgb(ImageOps.exif_transpose(picture))
    except (OSError, SyntaxError, ValueError, *BOMB):
        raise PhotoInvalid("photo_unreadable") from None


def _srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    if profile and picture.mode in ("RGB", "CMYK"):
        return _by_profile(picture, profile)
    return picture.convert("RGB")


def _by_profile(picture: Image.Image, profile: bytes) -> Image.Image:
    """Convert by the embedded profile; a broken profile is ignored, as viewers do."""
    try:
        source: ImageCmsProfile = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return picture.convert("RGB")
    return converted or picture.convert("RGB")


def _cropped(picture: Image.Image, ratio: str) -> Image.Image:
    width, height = _pixels(ratio, PRINT_DPI)
    scale = min(1.0, picture.width / width, picture.height / height)
    size = (round(width * scale), round(height * scale))
    return ImageOps.fit(picture, size, Image.Resampling.LANCZOS, centering=FACE)


def _pixels(ratio: str, dpi: int) -> tuple[int, int]:
    width, height = MILLIMETRES[ratio]
    return round(width / 25.4 * dpi), round(height / 25.4 * dpi)


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    clean = Image.frombytes("RGB", picture.size, picture.tobytes())  # leaves every kind of metadata behind
    clean.save(out, "JPEG", quality=QUALITY, subsampling=0, dpi=(PRINT_DPI, PRINT_DPI))
    return out.getvalue()
