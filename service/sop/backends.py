"""What a procedure demands of whoever signs and of whoever seals, and what each back-end is able to do.

The table says what `signing` declares of itself, which a test compares: this package loads no PDF library to read an office.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from service.sop.model import Procedure, SigningChoice

_KEY: Final = frozenset({"prepared_field", "certify", "vector_appearance", "seal_last", "batch"})
ABLE: Final = {"pkcs12": _KEY, "pkcs11": _KEY, "csc": _KEY, "bsre": frozenset({"batch"})}
DOCUMENTS: Final = frozenset({"bsre"})
"""Those that take a whole document and give one back."""
TAKE_CODES: Final = frozenset({"bsre"})
"""Those that send a person a one-time code on request."""
DRAWS: Final = ("vector_appearance",)
"""What the modules of a QR with a fragment need: a picture of one pixel a point is too coarse for them."""
OWN_FIELD: Final = "own_field"
REWRITTEN: Final = "rewritten"
_HEAD: Final = ("signing", "tanda tangan")
_SEAL: Final = ("signing.seal", "segel")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an office's back-ends can't do for a procedure: a table and key of `office.toml`, a code and its words."""

    table: str
    key: str
    code: str
    params: Mapping[str, object]


def refusals(procedure: Procedure, signing: SigningChoice) -> Iterator[Refusal]:
    """Compare what a procedure demands with the head's back-end and, separately, with the seal's."""
    if procedure.number_after:
        what = "memberi nomor setelah tanda tangan"
        yield from _lacking(what, _HEAD, signing.backend, ("prepared_field", "certify"))
        yield from _lacking(what, _SEAL, signing.seal_backend, ("seal_last",))
    elif procedure.sealed:
        yield from _rewriting(signing)


def last_backend(procedure: Procedure, signing: SigningChoice) -> str:
    """Return whose signature or seal is the last one, and draws the QR."""
    return signing.seal_backend if procedure.sealed else signing.backend


def lacks(backend: str, needs: Sequence[str]) -> tuple[str, ...]:
    """The needs that the back-end can't fulfil."""
    return tuple(need for need in needs if need not in ABLE[backend])


def _lacking(what: str, side: tuple[str, str], backend: str, needs: Sequence[str]) -> Iterator[Refusal]:
    lacking = lacks(backend, needs)
    if lacking:
        table, whose = side
        params = {"what": what, "lacks": ", ".join(lacking), "whose": whose, "backend": backend}
        yield Refusal(table, "backend", "backend_lacks", params)


def _rewriting(signing: SigningChoice) -> Iterator[Refusal]:
    """The seal goes into the field that we prepared, behind a signature that stays: no service may write the file anew.

    A head who certifies forbids every field that he did not see (DocMDP), so behind him no service may make its own.
    """
    if signing.backend in DOCUMENTS and signing.returned == REWRITTEN:
        yield Refusal("signing", "returned", "seal_behind_rewritten", {"backend": signing.backend})
    if signing.seal_backend in DOCUMENTS and signing.seal_returned == REWRITTEN:
        yield Refusal("signing.seal", "returned", "seal_rewrites", {"backend": signing.seal_backend})
    own = signing.seal_backend in DOCUMENTS and signing.seal_returned == OWN_FIELD
    if own and "certify" in ABLE[signing.backend]:
        params = {"backend": signing.seal_backend, "head": signing.backend}
        yield Refusal("signing.seal", "returned", "seal_forbidden", params)
