"""PDFs in, signed PDFs out; inspects any PDF. Knows no permit, office, database, queue or web."""

from signing.backends import Backend, Capabilities
from signing.backends.pkcs11 import Pkcs11Backend, open_pkcs11
from signing.backends.pkcs12 import Pkcs12Backend, open_pkcs12, read_pkcs12
from signing.certificates import CertificateFacts, describe_certificate
from signing.errors import (
    KeyUnusable,
    PreparationFailed,
    ProofFailed,
    SigningError,
    SigningFailed,
    TimestampFailed,
    ValueUnfit,
)
from signing.facts import Inspection, SignatureFacts, Trust
from signing.fieldfont import PRINTABLE_ASCII
from signing.fields import prepare_fields
from signing.filling import fits
from signing.inspection import inspect
from signing.isolation import inspect_isolated
from signing.model import Appearance, FieldSpec, Frame, Level, Lock, QrCode, SignatureSpec, Signed
from signing.pades import fill_and_seal, sign
from signing.proof import Expectation, ExpectedSignature, Proof, prove
from signing.timestamp import HttpTimestamper, Timestamper

__all__ = [
    "PRINTABLE_ASCII",
    "Appearance",
    "Backend",
    "Capabilities",
    "CertificateFacts",
    "Expectation",
    "ExpectedSignature",
    "FieldSpec",
    "Frame",
    "HttpTimestamper",
    "Inspection",
    "KeyUnusable",
    "Level",
    "Lock",
    "Pkcs11Backend",
    "Pkcs12Backend",
    "PreparationFailed",
    "Proof",
    "ProofFailed",
    "QrCode",
    "SignatureFacts",
    "SignatureSpec",
    "Signed",
    "SigningError",
    "SigningFailed",
    "TimestampFailed",
    "Timestamper",
    "Trust",
    "ValueUnfit",
    "describe_certificate",
    "fill_and_seal",
    "fits",
    "inspect",
    "inspect_isolated",
    "open_pkcs11",
    "open_pkcs12",
    "prepare_fields",
    "prove",
    "read_pkcs12",
    "sign",
]
