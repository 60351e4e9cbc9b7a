"""The packages that the plain way needs and Teken does not: kept in a folder of their own, never in its environment."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from service.settings import PROJECT

FOLDER = PROJECT / "build" / "benchmarks"
LOCK = Path(__file__).with_name("plain-requirements.txt")
NEEDED = ("qrcode", "uharfbuzz")


def present() -> bool:
    """Tell whether they can be imported, from the folder if they were installed there."""
    if FOLDER.is_dir() and str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    return all(find_spec(name) for name in NEEDED)


def install() -> None:
    """Install them once, hashes checked.

    Raises subprocess.CalledProcessError where the package index can't be reached.
    """
    if present():
        return
    quiet = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*quiet, "--require-hashes", "--no-deps", "--target", str(FOLDER), "-r", str(LOCK)], check=True)
    assert present(), f"{FOLDER} lacks {NEEDED}"
