"""Numbers, names, strings and keywords in their places, exchanged for others; mostly of the same length, so that offsets hold."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Sequence
from typing import Final

_STREAM: Final = re.compile(rb"stream\r?\n.*?endstream", re.DOTALL)
_NUMBER: Final = re.compile(rb"(?<=[\s\[/])-?\d+(?:\.\d+)?(?=[\s\]/>])")
_NAME: Final = re.compile(rb"/[A-Za-z][A-Za-z0-9#._-]*")
_STRING: Final = re.compile(rb"\([^()\\\n]{1,80}\)")
_KEYWORD: Final = re.compile(
    rb"\b(?:obj|endobj|stream|endstream|xref|trailer|startxref|null|true|false|R|n|f)\b|%%EOF|%PDF-1\.\d"
)
_OPEN: Final = re.compile(rb"<<|\[")
BOUNDARIES: Final = (
    b"-1", b"0", b"1", b"2", b"65535", b"65536", b"2147483647", b"2147483648", b"4294967296", b"9223372036854775807",
    b"9223372036854775808", b"-9223372036854775809", b"99999999999999999999", b"0.0", b"-0", b"+1", b"1e9", b"00000000001", b"0x10",
)  # fmt: skip
NAMES: Final = (
    b"/Type", b"/Catalog", b"/Pages", b"/Page", b"/Kids", b"/Contents", b"/ByteRange", b"/AcroForm", b"/Fields", b"/Sig", b"/SigRef",
    b"/DocTimeStamp", b"/DSS", b"/VRI", b"/Annots", b"/AP", b"/N", b"/V", b"/FT", b"/Tx", b"/Prev", b"/XRefStm", b"/Root", b"/Size",
    b"/ObjStm", b"/XRef", b"/Extends", b"/First", b"/Length", b"/Filter", b"/FlateDecode", b"/LZWDecode", b"/ASCIIHexDecode",
    b"/RunLengthDecode", b"/Crypt", b"/DecodeParms", b"/Predictor", b"/Columns", b"/Encrypt", b"/DocMDP", b"/FieldMDP", b"/Lock",
    b"/Perms", b"/Reference", b"/TransformParams", b"/OCProperties", b"/Names", b"/EmbeddedFiles", b"/JavaScript", b"/XFA", b"/Parent",
    b"/ETSI.CAdES.detached", b"/ETSI.RFC3161", b"/adbe.pkcs7.detached", b"/adbe.pkcs7.sha1", b"/adbe.x509.rsa_sha1",
)  # fmt: skip
_KEYWORDS: Final = (
    b"obj",
    b"endobj",
    b"stream",
    b"endstream",
    b"xref",
    b"trailer",
    b"null",
    b"true",
    b"R",
    b"n",
    b"f",
    b"%%EOF",
    b"%PDF-2.0",
)


def number(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    found = _pick(pdf, _NUMBER, dice)
    return _put(pdf, found, dice.choice(BOUNDARIES), dice) if found else pdf


def number_nearby(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """One of the file's own numbers, a little off or another's: lengths, offsets, references, coordinates."""
    found = _pick(pdf, _NUMBER, dice)
    other = _pick(pdf, _NUMBER, dice)
    if not found or not other or b"." in found[0]:
        return pdf
    near = b"%d" % (int(found[0]) + dice.choice((-10, -2, -1, 1, 2, 10, 255)))
    return _put(pdf, found, dice.choice((near, other[0])), dice)


def name(pdf: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    found = _pick(pdf, _NAME, dice)
    alien = _pick(dice.choice((pdf, dice.choice(others))), _NAME, dice)
    new = dice.choice((dice.choice(NAMES), alien[0] if alien else b"/X"))
    return _put(pdf, found, new, dice) if found else pdf


def name_spelt_otherwise(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """The same name with an escape, or in other letters: readers differ."""
    found = _pick(pdf, _NAME, dice)
    if not found:
        return pdf
    word = found[0]
    at = dice.randrange(1, len(word))
    return _put(
        pdf,
        found,
        dice.choice((word[:at] + b"#%02x" % word[at] + word[at + 1 :], word.swapcase(), word + b"#00")),
        dice,
    )


def string(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    found = _pick(pdf, _STRING, dice)
    if not found:
        return pdf
    text = bytearray(found[0][1:-1])
    text[dice.randrange(len(text))] = dice.choice(b"0123456789ABCdef\\\xfe")
    return _put(pdf, found, dice.choice((b"(%s)" % text, b"<feff0031>", b"()")), dice)


def keyword(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    found = _pick(pdf, _KEYWORD, dice)
    return _put(pdf, found, dice.choice(_KEYWORDS), dice) if found else pdf


def swap(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """Two tokens of a kind change places."""
    kind = dice.choice((_NUMBER, _NAME, _STRING))
    one, other = _pick(pdf, kind, dice), _pick(pdf, kind, dice)
    if not one or not other or one.end() > other.start():
        return pdf
    return pdf[: one.start()] + other[0] + pdf[one.end() : other.start()] + one[0] + pdf[other.end() :]


def nest(pdf: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """Brackets by the thousand, over what follows or pushed in."""
    found = _pick(pdf, _OPEN, dice)
    if not found:
        return pdf
    deep = dice.choice((b"[", b"<<", b"(", b"<< /A ")) * dice.choice((3, 40, 500, 5000))
    keep = dice.choice((found.start(), found.start() + len(deep)))
    return pdf[: found.start()] + deep + pdf[keep:]


def _pick(pdf: bytes, kind: re.Pattern[bytes], dice: random.Random) -> re.Match[bytes] | None:
    """A token outside streams, half of the time in the last part of the file."""
    found = _outside(pdf, kind)
    if not found:
        return None
    recent = [one for one in found if one.start() > len(pdf) * 0.7]
    return dice.choice(dice.choice((found, recent or found)))


@functools.lru_cache(maxsize=256)
def _outside(pdf: bytes, kind: re.Pattern[bytes]) -> list[re.Match[bytes]]:
    blank = _STREAM.sub(lambda one: b"\n" * len(one[0]), pdf)
    return list(kind.finditer(blank))


def _put(pdf: bytes, place: re.Match[bytes], new: bytes, dice: random.Random) -> bytes:
    """Mostly in the same room: what is short is filled with blanks, and what is long takes room from what follows if that is blank."""
    room = place.end() - place.start()
    while room < len(new) and pdf[place.start() + room : place.start() + room + 1] in {b" ", b"\n"}:
        room += 1
    if dice.random() < 0.9:
        new = new[:room].ljust(room)
    return pdf[: place.start()] + new + pdf[place.start() + room :]


ALL = (
    *[number] * 3,
    *[number_nearby] * 3,
    *[name] * 3,
    *[name_spelt_otherwise] * 3,
    *[string] * 4,
    keyword,
    swap,
    nest,
)
