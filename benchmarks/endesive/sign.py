"""Signs one PDF with endesive again and again: `python sign.py PDF P12 PASSPHRASE_FILE`, in its own environment.

Speaks as ../node/sign.mjs: each line of input names a way, each line of output is the CPU time of one signature in seconds.
"""

from __future__ import annotations

import sys
import time
import types
from pathlib import Path

from cryptography.hazmat.primitives.serialization import pkcs12

# endesive imports it for verifying, which isn't asked here, and it can't be imported where OpenSSL is 3.0.10 or later
sys.modules["certvalidator"] = types.ModuleType("certvalidator")
sys.modules["certvalidator"].CertificateValidator = object  # type: ignore[attr-defined]
sys.modules["certvalidator"].ValidationContext = object  # type: ignore[attr-defined]

from endesive.pdf import cms  # noqa: E402  # after the module that it wants

COMMON = {
    "aligned": 8192,
    "sigflags": 3,
    "sigflagsft": 132,
    "sigpage": 0,
    "sigfield": "Signature1",
    "contact": "",
    "location": "Bangko",
    "signingdate": "D:20260102030405+00'00'",
    "reason": "Penerbitan izin",
}
WAYS = {
    "endesive": COMMON,
    "endesive visible": COMMON | {"signaturebox": (300, 90, 540, 170), "signature": "Ditandatangani secara elektronik"},
}


def main(pdf_path: str, p12_path: str, passphrase_path: str) -> None:
    """Sign as often as there are lines."""
    pdf, passphrase = Path(pdf_path).read_bytes(), Path(passphrase_path).read_bytes().strip()
    key, certificate, chain = pkcs12.load_key_and_certificates(Path(p12_path).read_bytes(), passphrase)
    for line in sys.stdin:
        way, _, file = line.strip().partition(" > ")
        before = time.process_time()
        signed = pdf + cms.sign(pdf, dict(WAYS[way]), key, certificate, chain, "sha256")
        spent = time.process_time() - before
        if file:
            Path(file).write_bytes(signed)
        print(spent, flush=True)


main(*sys.argv[1:4])
