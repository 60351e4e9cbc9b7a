"""The one error tree of this package. Every error carries a stable `code` and `advice`: what to do now.

A message may name fields, codes and hashes. It never holds a passphrase, a key, or a value typed by a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

ADVICE = {
    # preparation and filling
    "pdf_unreadable": "The file is not a PDF that can be used here; typeset it again.",
    "markers_differ": "Make the template's x-field: links equal the fields that the profile names, each once.",
    "marker_not_empty": "Put the x-field: link around one empty box, with no text in it.",
    "untagged": "Typeset as PDF/A-3a and PDF/UA-1, so that the document carries a structure tree.",
    "field_spec": "Correct the field list: names unique, locks name fields that exist.",
    "font_unusable": "Give a TrueType or OpenType font that covers the alphabet of the fields.",
    "field_missing": "The document has no such field; prepare it again with this field.",
    "field_filled": "The field is filled already; a filled field is never filled again.",
    "value_alphabet": "Use only characters of the field font (printable ASCII unless configured otherwise).",
    "value_too_long": "Shorten the value, or widen the field's box in the template.",
    # keys
    "key_unreadable": "The PKCS#12 file is damaged or not one; enrol the certificate again.",
    "passphrase_wrong": "Ask for the passphrase again; do not retry on your own.",
    "key_unsupported": "Use RSA with 2048 to 4096 bits, or ECDSA on P-256 or P-384.",
    "certificate_unfit": "Enrol a certificate that matches the key and may sign (digitalSignature or nonRepudiation).",
    "signature_wrong": "The back-end's signature does not hold against the certificate; stop, enrol the key's own certificate.",
    # tokens (PKCS#11)
    "module_missing": "The PKCS#11 module can't be loaded; install the token's driver and check its path.",
    "token_missing": "Exactly one token of that label must be plugged in; plug it in, then sign again.",
    "token_key_missing": "The token holds no such private key or certificate; check the label, or enrol the key again.",
    "pin_wrong": "The token refused the PIN. Ask for it again and never retry on your own: a few wrong ones lock the token.",
    "pin_locked": "The token's PIN is locked; its owner unlocks it with the PUK.",
    "pin_needed": "The key was closed or its token taken out, and its PIN is no longer held; ask for the PIN.",
    "backend_failed": "The signing back-end gave no signature; look at its state, then sign again.",
    # signing by a service
    "service_insecure": "Give the service's address as https; a passphrase travels to it.",
    "service_unreachable": "The signing service can't be reached; nothing was sent. Try again later.",
    "service_busy": "The signing service takes no work now; nothing was signed. Send the document again later.",
    "service_refused": "The signing service refused; look at its code, nothing was signed.",
    "service_unclear": "The signing service's answer can't be read; compare its version with the one that is supported.",
    "login_refused": "The signing service does not accept this application's user and password; correct them.",
    "not_registered": "The signing service doesn't know this signer; check his registration and his certificate's status.",
    "account_inactive": "The signer's account at the service is not active; he renews it there.",
    "totp_wrong": "The one-time code was refused or has expired; ask for a new one.",
    "outcome_unknown": "A signature may exist. Don't resend on your own: tell the signer, look the document up, let him confirm.",
    "not_dispatched": "The document was never sent, because one before it failed; send it again once that is settled.",
    "hash_refused": "The signing service signed something else, or not what was asked; stop and report it.",
    # what a service gave back
    "returned_prefix": "The returned file does not begin with what was sent. Quarantine it; see the office's setting `returned`.",
    "returned_signature": "The returned file does not hold exactly one new, sound and trusted signature. Quarantine it, stop the batch.",
    "returned_field": "The new signature is in another field than agreed. Quarantine it; see the office's setting `returned`.",
    "returned_certificate": "The new signature was made with another certificate. Quarantine it, stop the batch.",
    "returned_coverage": "The new signature does not cover the returned file. Quarantine it, stop the batch.",
    "returned_changes": "The service changed more than a signature does. Quarantine it, stop the batch.",
    "returned_earlier": "An earlier signature no longer holds. Quarantine it, stop the batch.",
    "returned_content": "Text, look, attachments or behaviour differ from what was sent. Quarantine it, stop the batch.",
    "returned_unreadable": "The returned file can't be read. Quarantine it, stop the batch.",
    # signing
    "spec_invalid": "Correct the signature's specification.",
    "qr_unfit": "Give an upper-case URL in the alphabet of QR's alphanumeric mode, with at most a base32 fragment.",
    "compose_failed": "The update could not be composed; the document stays unsigned. Report it with its hash.",
    # time-stamps
    "tsa_unreachable": "The time-stamping authority did not answer in time; try again later.",
    "tsa_refused": "The time-stamping authority refused; check the contract and the configured address.",
    "tsa_token_wrong": "The time-stamp does not answer our request; do not use it, report the authority.",
    # validity of certificates, and what long-term validity rests on
    "chain_incomplete": "No chain leads from the certificate to a trust anchor; add the issuing certificates or the anchor.",
    "certificate_revoked": "The certificate is revoked; enrol another one.",
    "revocation_no_source": "The certificate names no CRL or OCSP responder; configure an address of its CRL.",
    "revocation_unreachable": "The CRL or OCSP responder did not answer in time; try again later.",
    "revocation_wrong": "The CRL or OCSP answer is stale, not signed by the issuer, or of a kind not used here; report its CA.",
    "evidence_missing": "Collect revocation information for every certificate of the document first.",
    "timestamp_missing": "The signatures carry no time-stamp; extend with a document time-stamp (B-LTA).",
    "extension_failed": "The update could not be composed; the version before stays. Report it with its hash.",
    # proof
    "proof_prefix": "The signed file does not begin with what was previewed. Stop the batch and report it.",
    "proof_revisions": "The file has more or fewer updates than signatures. Stop the batch and report it.",
    "proof_objects": "An update changes something that it must not. Stop the batch and report it.",
    "proof_byte_range": "A signature does not cover what it must. Stop the batch and report it.",
    "proof_digest": "The signed digest is not that of the file. Stop the batch and report it.",
    "proof_signature": "A signature does not hold. Stop the batch and report it.",
    "proof_certificate": "A signature was made with another certificate than expected. Stop the batch and report it.",
    "proof_level": "The reached level is not the expected one; the document waits.",
    "proof_fields": "The form fields are not the expected ones. Stop the batch and report it.",
    "proof_values": "A field does not hold, or does not show, the expected value. Stop the batch and report it.",
    "proof_visible": "The page does not show an expected text. Stop the batch and report it.",
    "proof_qr": "The QR code is missing or another one. Stop the batch and report it.",
    "proof_dss": "The validation data holds other things than it must. Do not release this version; report it.",
    "proof_timestamp": "The document time-stamp is not of this file, or not of a trusted authority. Do not release this version.",
    "proof_unreadable": "The file can't be read back. Stop the batch and report it.",
}


class SigningError(Exception):
    """Base of everything that this package raises on purpose."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        self.advice = ADVICE[code]
        super().__init__(f"{code}: {detail}" if detail else code)

    def __reduce__(self) -> tuple[type[SigningError], tuple[str, str]]:
        return type(self), (self.code, self.detail)


class PreparationFailed(SigningError):
    """A typeset document can't be given its fields."""


class ValueUnfit(SigningError):
    """A value does not belong in its field: alphabet, length, or no such field."""


class KeyUnusable(SigningError):
    """A key can't be opened or must not be used."""


class SigningFailed(SigningError):
    """No signed document came into being."""


class TimestampFailed(SigningError):
    """The time-stamping authority gave no token that answers our request."""


class EvidenceFailed(SigningError):
    """It can't be shown that a certificate is trusted and not revoked."""


class ProofFailed(SigningError):
    """Our own output is not what it should be: never release it."""


@contextmanager
def translated(kind: type[SigningError], code: str) -> Iterator[None]:
    """Let no foreign exception cross the package's face. Only its type is told: its text might quote a value."""
    try:
        yield
    except SigningError:
        raise
    except (Exception, RecursionError) as foreign:
        raise kind(code, type(foreign).__name__) from foreign
