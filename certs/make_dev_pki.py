"""Makes a PKI for development and demonstrations: a root, an issuing CA, a TSA, officials and seals.

Every certificate says in its subject that it is an example (CONTOH, PENGEMBANGAN): a paper that it signs can't pass as
an official one. What exists is kept, so that a second run adds people and never changes the trust anchor.
"""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KeyKind = Literal["rsa2048", "rsa3072", "p256", "p384"]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

ORGANISATION = "CONTOH PENGEMBANGAN - BUKAN SERTIFIKAT RESMI"
CA_YEARS, LEAF_YEARS = 20, 3
_TSA = "tsa"


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: PrivateKey


def make_dev_pki(
    out: Path,
    people: Iterable[tuple[str, str]] = (),
    seals: Iterable[tuple[str, str]] = (),
    *,
    key: KeyKind = "rsa2048",
    now: datetime | None = None,
) -> None:
    """Make what is missing in `out`; keep what is there.

    `people` and `seals` are (code, name) pairs. Written, all with mode 0600 in a 0700 folder: `root.pem` (the trust
    anchor), `issuing.pem`, `passphrase` (one random passphrase for every .p12), and per code `<code>.p12` (key,
    certificate, issuing CA) and `<code>.cert.pem`. `tsa.p12` is a time-stamping authority for tests.
    """
    now = now or datetime.now(UTC)
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    out.chmod(0o700)
    passphrase = _passphrase(out / "passphrase")
    root = _authority(out, "root", "Root CA CONTOH PENGEMBANGAN", None, now, key)
    issuing = _authority(out, "issuing", "CA Penerbit CONTOH PENGEMBANGAN", root, now, key)
    for code, name in people:
        _leaf(out, code, f"{name} (CONTOH)", issuing, passphrase, now, key)
    for code, name in seals:
        _leaf(out, code, f"Segel elektronik {name} (CONTOH)", issuing, passphrase, now, key)
    _leaf(out, _TSA, "TSA CONTOH PENGEMBANGAN", issuing, passphrase, now, key)


def _passphrase(path: Path) -> bytes:
    if not path.exists():
        _write(path, secrets.token_urlsafe(18).encode() + b"\n")
    return path.read_bytes().strip()


def _authority(out: Path, name: str, cn: str, parent: _Authority | None, now: datetime, kind: KeyKind) -> _Authority:
    """A CA: its key stays beside it, because a development CA must be able to issue again tomorrow."""
    certificate_path, key_path = out / f"{name}.pem", out / f"{name}.key.pem"
    if certificate_path.exists() and key_path.exists():
        loaded = load_pem_private_key(key_path.read_bytes(), None)
        if not isinstance(loaded, PrivateKey):
            raise TypeError(f"{key_path}: neither RSA nor EC")
        return _Authority(x509.load_pem_x509_certificate(certificate_path.read_bytes()), loaded)
    key = _new_key(kind)
    draft = _draft(cn, key, parent, now, years=CA_YEARS)
    draft = draft.add_extension(
        x509.BasicConstraints(ca=True, path_length=None if parent is None else 0), critical=True
    )
    draft = draft.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    certificate = draft.sign(parent.key if parent else key, hashes.SHA256())
    _write(key_path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _write(certificate_path, certificate.public_bytes(Encoding.PEM))
    return _Authority(certificate, key)


def _leaf(out: Path, code: str, cn: str, issuer: _Authority, passphrase: bytes, now: datetime, kind: KeyKind) -> None:
    p12, pem = out / f"{code}.p12", out / f"{code}.cert.pem"
    if p12.exists() and pem.exists():
        return
    key = _new_key(kind)
    draft = _draft(cn, key, issuer, now, years=CA_YEARS if code == _TSA else LEAF_YEARS)
    draft = draft.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    draft = draft.add_extension(_usage(digital_signature=True, content_commitment=code != _TSA), critical=True)
    if code == _TSA:  # RFC 3161 section 2.3: this use only, and critical
        draft = draft.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    certificate = draft.sign(issuer.key, hashes.SHA256())
    _write(
        p12,
        serialize_key_and_certificates(
            code.encode(), key, certificate, [issuer.certificate], BestAvailableEncryption(passphrase)
        ),
    )
    _write(pem, certificate.public_bytes(Encoding.PEM))


def _new_key(kind: KeyKind) -> PrivateKey:
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa")))
    return ec.generate_private_key(ec.SECP256R1() if kind == "p256" else ec.SECP384R1())


def _draft(
    cn: str, key: PrivateKey, issuer: _Authority | None, now: datetime, *, years: int
) -> x509.CertificateBuilder:
    # CN has an upper bound of 64 characters (RFC 5280, ub-common-name)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, cn[:64]),
        ]
    )
    public = key.public_key()
    signer = issuer.certificate.public_key() if issuer else public
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=365 * years))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)  # type: ignore[arg-type]  # CA keys here are RSA or EC
    )


def _usage(**granted: bool) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
        "key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: granted.get(name, False) for name in names.split()})


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and never readable by others: written beside the target with mode 0600, then renamed."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.replace(path)


def _pair(text: str) -> tuple[str, str]:
    code, separator, name = text.partition("=")
    if not (code and separator and name):
        raise argparse.ArgumentTypeError(f"{text!r} is not CODE=NAME")
    return code, name


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "dev")
    parser.add_argument("--person", type=_pair, action="append", default=[], metavar="CODE=NAME")
    parser.add_argument("--seal", type=_pair, action="append", default=[], metavar="CODE=NAME")
    parser.add_argument("--key", choices=["rsa2048", "rsa3072", "p256", "p384"], default="rsa2048")
    given = parser.parse_args(argv)
    people = given.person or [("kepala", "Kepala Dinas")]
    seals = given.seal or [("segel", "Instansi")]
    make_dev_pki(given.out, people, seals, key=given.key)
    print(f"{given.out}: ready; trust anchor root.pem, passphrase in the file passphrase")  # noqa: T201  # a command


if __name__ == "__main__":
    main()
