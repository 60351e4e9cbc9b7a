"""What a signing back-end promises. Each declares what it can do; one contract suite runs against all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Literal, Protocol, runtime_checkable

Digest = Literal["sha256", "sha384"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a profile may ask of a back-end; a profile that needs more is refused when it is loaded."""

    prepared_field: bool
    """Signs in a field that the document brings along."""
    certify: bool
    """Can make the certification signature (DocMDP)."""
    vector_appearance: bool
    """Lets us draw the appearance, so that PDF/A-3a and PDF/UA-1 hold after signing."""
    seal_last: bool
    """Can fill the remaining fields and seal in one update."""
    batch: bool
    """One authorisation serves many documents."""
    look_up: bool
    """An answer that was lost can be fetched again."""


def lacks(capabilities: Capabilities, needs: Iterable[str]) -> tuple[str, ...]:
    """The needs that a back-end can't fulfil, in the order of `Capabilities`. Raises ValueError for a need that is none."""
    asked = set(needs)
    known = [field.name for field in fields(Capabilities)]
    if not asked <= set(known):
        raise ValueError(f"no such capability: {sorted(asked - set(known))}")
    return tuple(name for name in known if name in asked and not getattr(capabilities, name))


@runtime_checkable
class Backend(Protocol):
    """A key that signs. One certificate for its whole life; safe to use for many documents, by one thread at a time.

    A caller may rely on: `sign_attributes` either returns a signature that verifies against `certificate_der`, or
    raises `SigningError`; it never returns a partial or unchecked answer, and never retries a passphrase or PIN.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def certificate_der(self) -> bytes: ...

    @property
    def certificate_sha256(self) -> str:
        """Lower-case hex of the certificate's SHA-256."""

    @property
    def chain_der(self) -> tuple[bytes, ...]:
        """The issuing certificates to embed, nearest first; without the signer's own."""

    @property
    def digest(self) -> Digest:
        """The one digest that this key signs with."""

    def sign_attributes(self, attributes: bytes) -> bytes:
        """Sign the DER of CMS signed attributes (RFC 5652, 5.4): PKCS#1 v1.5 for RSA, DER (r, s) for ECDSA."""


@runtime_checkable
class BatchBackend(Backend, Protocol):
    """A key for which one authorisation covers many signatures, given that all are known beforehand."""

    def sign_many(self, attributes: Sequence[bytes]) -> tuple[bytes, ...]:
        """As `sign_attributes`, for all of them or none."""
