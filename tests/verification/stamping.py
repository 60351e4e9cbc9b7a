"""A document time-stamp on any file, by the time-stamping authority of a development CA: all that anybody may add to a permit."""

from __future__ import annotations

import io
import shutil
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.sign.fields import InvisSigSettings
from pyhanko.sign.signers import PdfTimeStamper

from certs.make_dev_pki import make_dev_pki
from tests.signing.authorities import Holder, Stamper
from tests.signing.world import writer
from tests.support.office import NOW


def authority_beside(keys: Path, folder: Path) -> Path:
    """Make a time-stamping authority of the CA in `keys`; pyHanko's own for tests only speaks RSA."""
    for name in ("root.pem", "root.key.pem", "issuing.pem", "issuing.key.pem", "passphrase"):
        shutil.copy(keys / name, folder)
    make_dev_pki(folder, key="rsa2048", now=datetime(2026, 1, 1, tzinfo=UTC))
    return folder


def authority(folder: Path) -> Stamper:
    """The time-stamping authority whose key lies in a folder, on the day of these tests."""
    secret = (folder / "passphrase").read_bytes().strip()
    key, certificate, chain = pkcs12.load_key_and_certificates((folder / "tsa.p12").read_bytes(), secret)
    return Stamper(Holder(certificate, key, tuple(chain)), lambda: NOW)


def time_stamped(pdf: bytes, folder: Path, field: str = "arsip_1") -> bytes:
    """Add an invisible document time-stamp in a new field, over the whole of `pdf`."""
    out = io.BytesIO()
    unseen = InvisSigSettings(box_out_of_bounds=True)
    stamper = PdfTimeStamper(authority(folder).authority(), field_name=field, invis_settings=unseen)
    stamper.timestamp_pdf(writer(pdf), "sha256", output=out)
    return out.getvalue()
