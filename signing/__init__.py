"""PDFs in, signed PDFs out; inspects any PDF. Knows no permit, office, database, queue or web."""

from signing.ageing import Ageing, due_for_renewal
from signing.backends import Backend, BatchBackend, Capabilities, lacks
from signing.backends.bsre import BsreBackend, Institution, Signer
from signing.backends.csc import CscBackend, CscSecret, CscService, open_csc
from signing.backends.documents import DocumentBackend, Look, Order, Passphrase, Result, Returned, Secret, Totp
from signing.backends.pkcs11 import Pkcs11Backend, open_pkcs11
from signing.backends.pkcs12 import Pkcs12Backend, open_pkcs12, read_pkcs12
from signing.backends.wire import Wire
from signing.certificates import CertificateFacts, describe_certificate
from signing.chains import Chain, chain_to_anchor
from signing.errors import (
    EvidenceFailed,
    KeyUnusable,
    PreparationFailed,
    ProofFailed,
    SigningError,
    SigningFailed,
    TimestampFailed,
    ValueUnfit,
)
from signing.extensionproof import ExpectedExtension, ExtensionProof, prove_extension
from signing.facts import Inspection, SignatureFacts, Trust
from signing.fieldfont import PRINTABLE_ASCII
from signing.fields import prepare_fields
from signing.filling import fill, fits
from signing.inspection import inspect
from signing.isolation import inspect_isolated
from signing.longterm import Extended, extend_lt, extend_lta, gather, renew
from signing.model import (
    ARCHIVE_FIELDS,
    Appearance,
    FieldSpec,
    Frame,
    Level,
    Lock,
    Permission,
    QrCode,
    SignatureSpec,
    Signed,
)
from signing.pades import fill_and_seal, sign
from signing.places import place_of
from signing.proof import Expectation, ExpectedSignature, Proof, prove
from signing.returned import Accepted, Policy, accept_returned
from signing.revocation import Evidence, OnlineRevocation, Revocation, collect
from signing.stamps import StampFacts, Stamps, read_stamps
from signing.timestamp import FirstThatAnswers, HttpTimestamper, Timestamper
from signing.together import Paper, sign_together

__all__ = [
    "ARCHIVE_FIELDS",
    "PRINTABLE_ASCII",
    "Accepted",
    "Ageing",
    "Appearance",
    "Backend",
    "BatchBackend",
    "BsreBackend",
    "Capabilities",
    "CertificateFacts",
    "Chain",
    "CscBackend",
    "CscSecret",
    "CscService",
    "DocumentBackend",
    "Evidence",
    "EvidenceFailed",
    "Expectation",
    "ExpectedExtension",
    "ExpectedSignature",
    "Extended",
    "ExtensionProof",
    "FieldSpec",
    "FirstThatAnswers",
    "Frame",
    "HttpTimestamper",
    "Inspection",
    "Institution",
    "KeyUnusable",
    "Level",
    "Lock",
    "Look",
    "OnlineRevocation",
    "Order",
    "Paper",
    "Passphrase",
    "Permission",
    "Pkcs11Backend",
    "Pkcs12Backend",
    "Policy",
    "PreparationFailed",
    "Proof",
    "ProofFailed",
    "QrCode",
    "Result",
    "Returned",
    "Revocation",
    "Secret",
    "SignatureFacts",
    "SignatureSpec",
    "Signed",
    "Signer",
    "SigningError",
    "SigningFailed",
    "StampFacts",
    "Stamps",
    "TimestampFailed",
    "Timestamper",
    "Totp",
    "Trust",
    "ValueUnfit",
    "Wire",
    "accept_returned",
    "chain_to_anchor",
    "collect",
    "describe_certificate",
    "due_for_renewal",
    "extend_lt",
    "extend_lta",
    "fill",
    "fill_and_seal",
    "fits",
    "gather",
    "inspect",
    "inspect_isolated",
    "lacks",
    "open_csc",
    "open_pkcs11",
    "open_pkcs12",
    "place_of",
    "prepare_fields",
    "prove",
    "prove_extension",
    "read_pkcs12",
    "read_stamps",
    "renew",
    "sign",
    "sign_together",
]
