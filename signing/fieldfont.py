"""The one font of the text fields: a TrueType or CFF subset in WinAnsi, embedded at preparation and only named afterwards.

Widths are written per 1000 em whatever the font's own grid is: PDF/A 6.2.11.5 compares them with the glyphs.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pikepdf
from fontTools.agl import UV2AGL
from fontTools.ttLib import TTFont
from pikepdf import Dictionary, Name

from signing.errors import PreparationFailed, translated

PRINTABLE_ASCII = "".join(map(chr, range(32, 127)))
RESOURCE = "/FieldFont"
_DROPPED_TABLES = ["FFTM", "GSUB", "GPOS", "GDEF", "kern", "MATH"]
_NON_SYMBOLIC = 32


@dataclass(frozen=True, slots=True)
class FieldFont:
    """A subset, ready to embed. `widths` are 1/1000 em for the codes from `first` on; 0 = not in the alphabet.

    `program` is deflated; `compact` says that it is a bare CFF table (Type1C) and not a TrueType file.
    """

    name: str
    first: int
    widths: tuple[int, ...]
    program: bytes
    program_length: int
    compact: bool
    descriptor: tuple[tuple[str, Any], ...]

    def embed(self, pdf: pikepdf.Pdf) -> pikepdf.Object:
        """Add the font to `pdf` and return its dictionary (ISO 32000-2, 9.6 and 9.9)."""
        stream = pdf.make_stream(self.program)
        stream.Filter = Name.FlateDecode
        descriptor = Dictionary(
            Type=Name.FontDescriptor, FontName=Name(self.name), Flags=_NON_SYMBOLIC, **dict(self.descriptor)
        )
        if self.compact:
            stream.Subtype = Name.Type1C
            descriptor.FontFile3 = stream
        else:
            stream.Length1 = self.program_length
            descriptor.FontFile2 = stream
        return pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.Type1 if self.compact else Name.TrueType,
                BaseFont=Name(self.name),
                Encoding=Name.WinAnsiEncoding,
                FirstChar=self.first,
                LastChar=self.first + len(self.widths) - 1,
                Widths=list(self.widths),
                FontDescriptor=pdf.make_indirect(descriptor),
            )
        )


def field_font(source: Path | bytes, alphabet: str) -> FieldFont:
    """The subset of `source` for `alphabet`; made once per process and font (150 ms), then a look-up.

    Raises PreparationFailed font_unusable: unreadable, neither TrueType nor plain CFF, or a character missing.
    """
    with translated(PreparationFailed, "font_unusable"):
        content = source.read_bytes() if isinstance(source, Path) else source
        return _field_font(content, alphabet)


@lru_cache(maxsize=8)
def _field_font(content: bytes, alphabet: str) -> FieldFont:
    codes = {letter.encode("cp1252")[0]: letter for letter in alphabet}
    font = _subset(content, alphabet)
    program = _program(font)
    glyphs, advances = font.getBestCmap(), font["hmtx"]
    scale = 1000 / font["head"].unitsPerEm
    first, last = min(codes), max(codes)
    widths = (
        round(advances[glyphs[ord(codes[code])]][0] * scale) if code in codes else 0 for code in range(first, last + 1)
    )
    return FieldFont(
        name=_subset_name(font, program),
        first=first,
        widths=tuple(widths),
        program=zlib.compress(program, 9),
        program_length=len(program),
        compact="CFF " in font,
        descriptor=_descriptor(font, scale),
    )


def _subset(content: bytes, alphabet: str) -> TTFont:
    from fontTools import subset  # 0.1 s to import, and the verifying processes never need it

    font = TTFont(io.BytesIO(content), recalcTimestamp=False)
    if "glyf" not in font and ("CFF " not in font or hasattr(font["CFF "].cff.topDictIndex[0], "ROS")):
        raise PreparationFailed("font_unusable", "neither glyf nor plain CFF outlines")
    missing = [letter for letter in alphabet if ord(letter) not in font.getBestCmap()]
    if missing:
        raise PreparationFailed("font_unusable", f"lacks {missing[:5]}")
    options = subset.Options(notdef_outline=True, layout_features=[], name_IDs=[1, 2, 6])
    options.drop_tables += _DROPPED_TABLES
    cutter = subset.Subsetter(options)
    cutter.populate(text=alphabet)
    cutter.subset(font)
    return font


def _program(font: TTFont) -> bytes:
    """What gets embedded: the TrueType file, or of an OpenType one its CFF table, whose glyphs WinAnsi finds by name."""
    if "CFF " not in font:
        whole = io.BytesIO()
        font.save(whole)
        return whole.getvalue()
    names = font.getBestCmap()
    if any(names[code] != UV2AGL.get(code) for code in names):
        raise PreparationFailed("font_unusable", "glyphs without their standard names")
    table: bytes = font["CFF "].compile(font)
    return table


def _subset_name(font: TTFont, program: bytes) -> str:
    """`/ABCDEF+Name` (ISO 32000, 9.9.2); the tag comes from the content, so that the same font gets the same name."""
    tag = "".join(chr(ord("A") + byte % 26) for byte in hashlib.sha256(program).digest()[:6])
    plain = "".join(c for c in font["name"].getDebugName(6) or "Field" if c.isalnum() or c == "-")
    return f"/{tag}+{plain}"


def _descriptor(font: TTFont, scale: float) -> tuple[tuple[str, Any], ...]:
    head, lines = font["head"], font["hhea"]
    return (
        ("ItalicAngle", 0),
        ("StemV", 80),
        ("Ascent", round(lines.ascent * scale)),
        ("Descent", round(lines.descent * scale)),
        ("CapHeight", round(getattr(font["OS/2"], "sCapHeight", 0) * scale) or 700),
        ("FontBBox", [round(edge * scale) for edge in (head.xMin, head.yMin, head.xMax, head.yMax)]),
    )
