"""Signs several documents with one authorisation: all are composed first, then signed at once, then completed.

That order is what keeps a remote service from waiting for a batch that never fills: it is asked when everything is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from signing.backends import Backend, BatchBackend
from signing.errors import SigningError
from signing.model import SignatureSpec, Signed
from signing.pades import Composed, compose
from signing.timestamp import Timestamper


@dataclass(frozen=True, slots=True)
class Paper:
    """One document of a batch: as the arguments of `fill_and_seal`."""

    pdf: bytes = field(repr=False)
    spec: SignatureSpec
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


def sign_together(
    papers: Sequence[Paper], key: Backend, *, timestamper: Timestamper | None = None, at: datetime | None = None
) -> tuple[Signed | SigningError, ...]:
    """One result per paper, in order. A paper that can't be composed or time-stamped fails alone.

    Raises SigningError when the key signs none; a key that signs one at a time is asked one by one.
    """
    composed = [_composed(paper, key, timestamped=timestamper is not None, at=at) for paper in papers]
    ready = [one for one in composed if isinstance(one, Composed)]
    wanted = [one.attributes for one in ready]
    if isinstance(key, BatchBackend):
        signatures = list(key.sign_many(wanted)) if wanted else []
    else:
        signatures = [key.sign_attributes(one) for one in wanted]
    completed = iter([_completed(one, value, timestamper) for one, value in zip(ready, signatures, strict=True)])
    return tuple(next(completed) if isinstance(one, Composed) else one for one in composed)


def _composed(paper: Paper, key: Backend, *, timestamped: bool, at: datetime | None) -> Composed | SigningError:
    try:
        return compose(paper.pdf, paper.values, key, paper.spec, timestamped=timestamped, at=at)
    except SigningError as error:
        return error


def _completed(one: Composed, signature: bytes, timestamper: Timestamper | None) -> Signed | SigningError:
    try:
        return one.complete(signature, timestamper)
    except SigningError as error:
        return error
