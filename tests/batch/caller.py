"""A process that opens a batch as the web process does, then stays: its memory is looked into. Reads the passphrase from stdin.

It tells its sender keys masked, so that telling them leaves no copy behind.
"""

from __future__ import annotations

import json
import sys
import time

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from service import batch_order, handover
from service.batch import open_batch
from service.batch_cli import read_passphrase
from service.settings import Settings
from service.wiring import open_teken

MASK = 0x5A
told: list[str] = []
sealed: list[handover.Sealed] = []


class Generator:
    """Stands where handover makes its sender keys."""

    @staticmethod
    def generate() -> X25519PrivateKey:
        key = X25519PrivateKey.generate()
        raw = key.private_bytes_raw()
        told.append(bytes(byte ^ MASK for byte in raw).hex())
        handover._wipe_immutable(raw)
        return key


def unmasked(text: str) -> bytes:
    return bytes(byte ^ MASK for byte in bytes.fromhex(text))


if __name__ == "__main__":
    official, listed = json.loads(sys.argv[1])
    teken = open_teken(Settings.from_environment())
    handover.X25519PrivateKey = Generator
    real = batch_order.seal
    batch_order.seal = lambda *given: sealed.extend(real(*given)) or sealed
    opened = open_batch(teken, official, [tuple(one) for one in listed], read_passphrase(piped=True))
    print(json.dumps({"batch": opened.id, "masked": told, "ciphertext": sealed[0].ciphertext.hex()}), flush=True)
    time.sleep(600)
