"""An office's brand colour, darkened until white text on it can be read (WCAG 2.2, 1.4.3: at least 4.5 to 1)."""

from __future__ import annotations

LEAST = 4.5
_WHITE = 1.0


def office_style(brand: str) -> str:
    """Return the style sheet that sets an office's colours."""
    main = readable(brand)
    roles = {
        "primary": main,
        "primary-strong": mixed(main, "#000000", 0.25),
        "primary-tint": mixed(main, "#ffffff", 0.91),
    }
    return ":root{" + ";".join(f"--{role}:{value}" for role, value in roles.items()) + "}\n"


def readable(colour: str) -> str:
    """Return the colour, or the nearest darker one on which white text is readable."""
    share = 0.0
    found = colour
    while contrast_with_white(found) < LEAST:
        share += 0.02
        found = mixed(colour, "#000000", share)
    return found


def contrast_with_white(colour: str) -> float:
    """Return the contrast ratio to white, 1 to 21 (WCAG 2.2, relative luminance)."""
    return (_WHITE + 0.05) / (_luminance(colour) + 0.05)


def mixed(colour: str, other: str, share: float) -> str:
    """Return the colour with a share of the other one mixed in."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(value / 255) for value in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 - sRGB


def _channels(colour: str) -> tuple[int, int, int]:
    digits = colour.lstrip("#")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
