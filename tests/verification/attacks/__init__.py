"""Attacks on our own permits, by published class (docs/ATTACKS.md). `python -m tests.verification.attacks OUT/` writes the files."""

from tests.verification.attacks import (
    annotations,
    certificates,
    classic,
    copied,
    embedded,
    fonts,
    forms,
    numbering,
    objectstreams,
    pages,
    saving,
    shadow,
    structure,
    trailing,
    universal,
    wrapping,
    xrefs,
)
from tests.verification.attacks.registry import ATTACKS, Attack

__all__ = [
    "ATTACKS",
    "Attack",
    "annotations",
    "certificates",
    "classic",
    "copied",
    "embedded",
    "fonts",
    "forms",
    "numbering",
    "objectstreams",
    "pages",
    "saving",
    "shadow",
    "structure",
    "trailing",
    "universal",
    "wrapping",
    "xrefs",
]
