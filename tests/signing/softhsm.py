"""A real SoftHSM2 token in a folder of its own, with the keys of a development PKI."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from tests.signing.world import Pki

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
LABEL, PIN = "teken-uji", b"246813"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class SoftHsm:
    """Keys `rsa2048-kepala`, `rsa2048-segel`, `p256-kepala`, ... Each certificate lies beside the token as a file."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "SOFTHSM2_CONF": str(self.folder / "softhsm2.conf"), "PYTHONPATH": str(ROOT)}

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens"

    def certificate(self, key: str) -> bytes:
        return (self.folder / f"{key}.der").read_bytes()

    def util(self, *arguments: str) -> None:
        subprocess.run(["softhsm2-util", *arguments], env=self.environment, check=True, capture_output=True)

    def child(self, script: str) -> str:
        """Run a script in a process of its own: what logs in, forks or pulls the token out must not touch this one."""
        lines = [
            "import os, sys",
            "from pathlib import Path",
            "from signing import *",
            "from signing.backends import token as sessions",
            f"M, L, PIN, H = Path({str(MODULE)!r}), {LABEL!r}, {PIN!r}, Path({str(self.folder)!r})",
            "def told(work):",
            "    try: work()",
            "    except SigningError as error: return type(error).__name__ + ' ' + error.code",
            "    return 'no error'",
            script,
        ]
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", "\n".join(lines)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert PIN.decode() not in done.stdout + done.stderr
        return done.stdout


def make_token(folder: Path, pkis: dict[str, Pki]) -> SoftHsm:
    hsm = SoftHsm(folder)
    hsm.tokens.mkdir()
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {hsm.tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    hsm.util("--init-token", "--free", "--label", LABEL, "--pin", PIN.decode(), "--so-pin", "87654321")
    number = 0
    for kind, pki in pkis.items():
        secret = (pki.folder / "passphrase").read_bytes().strip()
        for owner in ("kepala", "segel"):
            number += 1
            name, pem = f"{kind}-{owner}", folder / f"{kind}-{owner}.key.pem"
            key, certificate, _ = pkcs12.load_key_and_certificates((pki.folder / f"{owner}.p12").read_bytes(), secret)
            pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            (folder / f"{name}.der").write_bytes(certificate.public_bytes(Encoding.DER))
            hsm.util(
                "--import", str(pem), "--token", LABEL, "--label", name, "--id", f"{number:02x}", "--pin", PIN.decode()
            )
            pem.unlink()
    return hsm
