"""Manipulations of anybody's signed file: each takes the bytes and returns forged ones, or None where it finds no hold.

Sources: pdf-insecurity.org (USF, ISA, SWA, shadow attacks, EAA and SSA). None knows who wrote the file.
"""

from tests.foreign.attacks import annotations, catalogue, ranges, saving, trailing
from tests.foreign.attacks.tools import ATTACKS

__all__ = ["ATTACKS", "annotations", "catalogue", "ranges", "saving", "trailing"]
