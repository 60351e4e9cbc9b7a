"""Signed documents of other makers, and the verdict on them of an office that knows none of their signers."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import pytest

from service.verification.evidence import Descent, Evidence
from service.verification.judgement import judge
from signing import Trust, inspect

ARCHIVE = Path(__file__).parent / "files.zip"
FILES = sorted(zipfile.ZipFile(ARCHIVE).namelist())


@pytest.fixture(autouse=True, scope="session")
def _quiet_validator():
    """pyHanko logs every change and every chain that ends nowhere, with a traceback; here both are expected."""
    for name in ("pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def maker(name: str) -> bytes:
    with zipfile.ZipFile(ARCHIVE) as archive:
        return archive.read(name)


def verdict(pdf: bytes) -> str:
    """What an office answers in whose register nothing of this is known."""
    return str(judge(inspect(pdf, Trust(())), Evidence({}, {}, Descent()))[0])
