"""A signature container that was proven once, as the measure of the next by the same signer.

All that may differ are the digest and the signature value, and both are proven anew; every other byte must be the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from asn1crypto import parser
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from signing.certificates import HASHES, verifies


@dataclass(frozen=True, slots=True)
class Proven:
    """The bytes before, between and after the two holes; `attributes` is where the signed attributes' content lies."""

    before: bytes
    between: bytes
    after: bytes
    digest: slice
    signature: slice
    attributes: slice
    header: bytes
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    algorithm: str

    @classmethod
    def of(
        cls, container: bytes, signed: bytes, digest: bytes, signature: bytes, key: Any, algorithm: str
    ) -> Proven | None:
        """Keep a container that was just proven; nothing if a hole can't be told from what surrounds it.

        `signed` are the signed attributes as they are signed: as a SET, with the content that lies in the container.
        """
        content = parser.parse(signed, strict=True)[4]
        parts = [digest, signature, content]
        if any(container.count(part) != 1 for part in parts):
            return None
        first, second, third = (slice(at, at + len(part)) for part in parts for at in [container.find(part)])
        if not third.start <= first.start < first.stop <= third.stop <= second.start:
            return None
        return cls(
            before=container[: first.start],
            between=container[first.stop : second.start],
            after=container[second.stop :],
            digest=first,
            signature=second,
            attributes=third,
            header=signed[: -len(content)],
            key=key,
            algorithm=algorithm,
        )

    def is_alike(self, container: bytes, covered: bytes) -> bool:
        """Tell whether `container` is the same signer's signature of `covered`, in exactly the proven form."""
        digest, signature = container[self.digest], container[self.signature]
        if container != self.before + digest + self.between + signature + self.after:
            return False
        if len(signature) != self.signature.stop - self.signature.start:
            return False
        if hashlib.new(self.algorithm, covered).digest() != digest:
            return False
        return verifies(self.key, signature, self.header + container[self.attributes], HASHES[self.algorithm])
