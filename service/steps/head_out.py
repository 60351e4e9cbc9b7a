"""The head's signature by a service that signs whole documents: what becomes of each document, and of its batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import Connection, Row

from service import batch_ends, batch_signing
from service.keys import Courier
from service.steps import dispatch
from service.steps.dispatch import Errand, Home
from service.store.batch_tables import BatchState
from signing import ProofFailed

if TYPE_CHECKING:
    from service.wiring import Teken

OF_THE_SIGNER: Final = frozenset({"not_registered", "account_inactive", "login_refused", "pin_needed"})
"""What every document of his batch would meet: nothing was signed, and somebody has to mend it first."""
CODE_USED: Final = "code_used"
"""A one-time code that is good for one request signed what went with it; the rest of the batch waits for another."""


class Commit(Protocol):
    """Records a document that came home as the signed one."""

    def __call__(self, connection: Connection, *, home: Home) -> Row[Any]: ...


@dataclass(frozen=True, slots=True)
class Paper:
    """One ordered document, who takes it out, and what records its signature, in the transaction that it is given."""

    courier: Courier
    errand: Errand
    commit: Commit


def sign_out(teken: Teken, courier: Courier, papers: Sequence[Paper]) -> list[Row[Any] | Exception]:
    """Send the papers of one batch in one request; each has its own row, result and transaction."""
    fates = dispatch.send(teken, courier, [paper.errand for paper in papers])
    rows = [_settled(teken, paper, fate) for paper, fate in zip(papers, fates, strict=True)]
    batch = papers[0].errand.batch
    if courier.once and courier.spent and batch is not None:
        home = any(isinstance(fate, Home) for fate in fates)
        batch_signing.spent(teken, batch, CODE_USED if home else getattr(fates[0], "code", CODE_USED))
    return rows


def _settled(teken: Teken, paper: Paper, fate: Home | Exception) -> Row[Any] | Exception:
    try:
        if isinstance(fate, Exception):
            return _unsigned(teken, paper.errand, fate)
        row = dispatch.brought(teken, fate, partial(paper.commit, home=fate))
        if paper.errand.batch is not None and not paper.courier.once:
            batch_signing.proved(teken, paper.errand.batch)
    except Exception as failed:  # noqa: BLE001 - the others of the request came home too; the pipeline tells each its end
        return failed
    return row


def _unsigned(teken: Teken, errand: Errand, fault: Exception) -> Row[Any] | Exception:
    """What speaks against the signer ends his batch; what leaves a doubt pauses it; anything else is this document's own."""
    code = getattr(fault, "code", "")
    if errand.batch is None:
        return fault
    if code in batch_signing.WRONG:
        return batch_signing.refused(teken, errand.work.claim, errand.batch, code)
    if code in OF_THE_SIGNER:
        return batch_signing.refused(teken, errand.work.claim, errand.batch, code, BatchState.PAUSED)
    if code == dispatch.UNKNOWN:
        batch_ends.end_by_id(teken, errand.batch, BatchState.PAUSED, code)
    elif isinstance(fault, ProofFailed):
        batch_ends.end_by_id(teken, errand.batch, BatchState.STOPPED, "proof_mismatch")
    return fault
