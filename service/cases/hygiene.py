"""Text as it may be printed: NFC, trimmed, single spaces, and no character that a reader cannot see.

Bidi controls and zero-width characters make two texts that look the same differ (Unicode TR 36, TR 39); on a
permit that is a forged name. They are refused, not removed: the sender should know what he holds.
"""

from __future__ import annotations

import re
import unicodedata

LINE_BREAKS = frozenset("\n\r\v\f\x85\u2028\u2029")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Blank or ignorable although their category is not Cf (Unicode DerivedCoreProperties, Default_Ignorable_Code_Point).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_BY_CATEGORY = {
    "Cc": "control_character",
    "Cf": "invisible_character",
    "Cn": "unassigned_character",
    "Co": "private_character",
    "Cs": "surrogate",
}
_LETTER = re.compile(r"[^\W\d_]")
MOST_MARKS = 3  # combining marks on one letter; Vietnamese needs two


class Unclean(ValueError):
    """The text holds something that may not be printed. `code` names the kind; the text is not in the message."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def clean(text: str, *, lines: bool = False) -> str:
    """Return the text as it is stored. `lines`: a line break or tab counts as a space instead of being refused.

    Raises Unclean. Applying it twice changes nothing.
    """
    if text.isascii() and text.isprintable() and text.strip():
        return " ".join(text.split())
    text = unicodedata.normalize("NFC", text)
    code = _refusal(text, lines=lines)
    if code:
        raise Unclean(code)
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    if not text:
        raise Unclean("empty")
    return text


def has_letter(text: str) -> bool:
    """Tell whether a name has anything to be called by."""
    return _LETTER.search(text) is not None


def _refusal(text: str, *, lines: bool) -> str | None:
    marks = 0
    for char in text:
        code = _refused(char, lines=lines)
        if code:
            return code
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks > MOST_MARKS:
            return "stacked_marks"
    return None


def _refused(char: str, *, lines: bool) -> str | None:
    if char.isascii() and char.isprintable():
        return None
    if char in LINE_BREAKS or char == "\t":
        return None if lines else "line_break"
    if char in _BIDI:
        return "bidi_character"
    if _INVISIBLE.match(char):
        return "invisible_character"
    return _BY_CATEGORY.get(unicodedata.category(char))
