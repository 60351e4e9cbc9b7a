"""What a procedure demands of whoever signs, and what each back-end is able to do.

The table says what `signing` declares of itself, which a test compares: this package loads no PDF library to read an office.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.sop.model import Procedure

_KEY: Final = frozenset({"prepared_field", "certify", "vector_appearance", "seal_last", "batch"})
ABLE: Final = {"pkcs12": _KEY, "pkcs11": _KEY, "csc": _KEY, "bsre": frozenset({"batch"})}
DOCUMENTS: Final = frozenset({"bsre"})
"""Those that take a whole document and give one back."""


def demands(procedure: Procedure) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the procedure does, in an operator's words, with the capabilities that it takes."""
    if not procedure.number_first:
        yield "memberi nomor setelah tanda tangan", ("prepared_field", "certify", "seal_last")
    elif procedure.sealed:
        yield "membubuhkan segel setelah tanda tangan", ("seal_last",)


def lacks(backend: str, needs: Sequence[str]) -> tuple[str, ...]:
    """The needs that the back-end can't fulfil."""
    return tuple(need for need in needs if need not in ABLE[backend])
