"""Makes ../files.zip anew: small documents signed by programs of other makers, with a key that is thrown away.

`python -m tests.foreign.makers.make`. Needs Java and Maven, node (benchmarks/node), build/peers/endesive, mutool and php-tcpdf; what is
missing is named and left out. Development only: the tests read the archive.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pikepdf
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

HERE = Path(__file__).parent
PROJECT = HERE.parents[2]
ARCHIVE = HERE.parent / "files.zip"
PASSPHRASE = "contoh"
_CONTENT = b"BT /F1 14 Tf 50 500 Td (Perjanjian contoh: Rp 100.000) Tj ET"


def identity(folder: Path, name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    """Write NAME.p12 and NAME.pem, as old programs still read them."""
    someone = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Budi Contoh"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "PT Contoh"),
        ]
    )
    now = datetime.now(UTC)
    usage = x509.KeyUsage(*(True, True), *(False,) * 7)
    builder = x509.CertificateBuilder().subject_name(someone).issuer_name(someone).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now).not_valid_after(now + timedelta(days=3650))
    certificate = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    form = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(20_000)
    form = form.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1())
    packed = pkcs12.serialize_key_and_certificates(b"contoh", key, certificate, None, form.build(PASSPHRASE.encode()))
    (folder / f"{name}.p12").write_bytes(packed)
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.key.pem").write_bytes(plain)
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))


def bases(folder: Path) -> None:
    """Write the unsigned documents: with object streams, without, and with an empty signature field."""
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(420, 595))
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    page.obj.Contents = document.make_stream(_CONTENT)
    document.save(folder / "plain.pdf")
    classic = folder / "classic.pdf"
    document.save(classic, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    writer = IncrementalPdfFileWriter(io.BytesIO(classic.read_bytes()))
    append_signature_field(writer, SigFieldSpec("Tanda", box=(60, 60, 200, 120)))
    with (folder / "field.pdf").open("wb") as out:
        writer.write(out)


def run(*command: str | Path, cwd: Path = PROJECT, lines: str = "") -> None:
    """Run one maker; say if it can't."""
    try:
        subprocess.run(list(map(str, command)), cwd=cwd, input=lines, text=True, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as failed:
        print(f"{command[0]}: {getattr(failed, 'stderr', failed)}"[:500], file=sys.stderr)


def java(folder: Path, out: Path) -> None:
    """PDFBox, OpenPDF and iText from one set of libraries, EU DSS from another."""
    for name in ("java", "dss"):
        run("mvn", "-q", "-B", "-f", HERE / name, "dependency:copy-dependencies", f"-DoutputDirectory={folder / name}")
    run("java", "-cp", f"{folder / 'java'}/*", HERE / "java" / "Make.java", folder / "ec.p12", PASSPHRASE, out)
    plain = folder / "plain.pdf"
    run("java", "-cp", f"{folder / 'dss'}/*", HERE / "dss" / "Dss.java", plain, folder / "ec.p12", PASSPHRASE, out)


def scripts(folder: Path, out: Path) -> None:
    """@libpdf/core, @signpdf, endesive, TCPDF and mutool."""
    key, secret = folder / "rsa.p12", folder / "passphrase"
    secret.write_text(PASSPHRASE)
    ways = "".join(f"{way} > {out / way.replace(' ', '-')}.pdf\n" for way in ("libpdf", "signpdf", "signpdf visible"))
    run("node", "sign.mjs", folder / "plain.pdf", key, secret, cwd=PROJECT / "benchmarks/node", lines=ways)
    ways = "".join(f"{way} > {out / way.replace(' ', '-')}.pdf\n" for way in ("endesive", "endesive visible"))
    python = PROJECT / "build/peers/endesive/bin/python"
    run(python, "benchmarks/endesive/sign.py", folder / "classic.pdf", key, secret, lines=ways)
    for name, kind in (("tcpdf", ""), ("tcpdf-approval", "A")):
        run("php", HERE / "tcpdf.php", folder / "rsa.pem", folder / "rsa.key.pem", out / f"{name}.pdf", kind)
    with pikepdf.open(folder / "field.pdf") as document:
        number = document.Root.AcroForm.Fields[0].objgen[0]
    made = out / "mutool.pdf"
    run("mutool", "sign", "-s", key, "-P", PASSPHRASE, "-o", made, folder / "field.pdf", str(number))


def main() -> None:
    """Make everything and pack it."""
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name), Path(name, "out")
        out.mkdir()
        identity(folder, "ec", ec.generate_private_key(ec.SECP256R1()))
        identity(folder, "rsa", rsa.generate_private_key(65537, 2048))
        bases(folder)
        java(folder, out)
        scripts(folder, out)
        with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in sorted(out.glob("*.pdf")):
                archive.write(file, file.name)
                print(file.name, file.stat().st_size)


if __name__ == "__main__":
    main()
