"""What judges say of a paper that a service signs for us as a whole document: measured and told, not demanded.

The service is our own BSrE simulator, which does what integrators report. PDF/A after signing is the service's to keep, and no
capability of ours says that it does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pikepdf

from service.document.markers import HEAD
from signing import Evidence, ExpectedExtension, Order, accept_returned, extend_lta, prove_extension
from tests.conformance.pki import DevelopmentPki
from tests.signing.authorities import Stamper
from tests.signing.simulated import LOOK, SECRET, playing, without_field


@dataclass(frozen=True)
class Way:
    """How the service signs: its switches, whether in our prepared field, and what we accept then (docs/adr of the back-ends)."""

    name: str
    words: str
    switches: tuple[str, ...]
    policy: str
    prepared: bool = False
    raised: bool = False
    """To B-LTA, by us, behind the service's signature."""

    @property
    def file_name(self) -> str:
        return f"outside-bsre-{self.name}.pdf"


WAYS = (
    Way("field", "in our prepared field", (), "strict", prepared=True),
    Way("own", "in a field of its own", ("own_field",), "own_field"),
    Way("field-lta", "in our prepared field, raised by us to B-LTA", (), "strict", prepared=True, raised=True),
    Way("own-lta", "in a field of its own, raised by us to B-LTA", ("own_field",), "own_field", raised=True),
    Way("rewritten", "saved anew, in a field of its own", ("rewritten",), "rewritten"),
)


def make(keys: Path, final: Path, out: Path, stamps: Path) -> None:
    """Let the simulator sign a paper in each way, and accept what it returns. `keys` becomes its PKI; `stamps` is another's."""
    for way in WAYS:
        sent = Order(final.read_bytes() if way.prepared else without_field(), HEAD, _look(final, way), "Izin", "Contoh")
        with playing(keys, *way.switches) as service:
            returned = service.client().sign_document(sent, SECRET)
            sha = hashlib.sha256(service.certificate()).hexdigest()
            accepted = accept_returned(
                sent.pdf,
                returned,
                policy=way.policy,
                field=HEAD,
                certificate_sha256=sha,
                trust=service.trust,
                look=sent.look,
            )
        (out / way.file_name).write_bytes(_raised(accepted.pdf, keys, stamps) if way.raised else accepted.pdf)


def _raised(pdf: bytes, keys: Path, stamps: Path) -> bytes:
    """As the permit's own steps do it: evidence for everybody, a document time-stamp, and our proof of both."""
    now, pkis = datetime.now(UTC), [DevelopmentPki(folder=one) for one in (keys, stamps)]
    evidence = Evidence(crls_der=tuple(der for pki in pkis for der in pki.lists(now).values()))
    longer = extend_lta(pdf, Stamper(pkis[1].own_tsa()), evidence)
    anchors, others = (tuple(getattr(pki, name).der for pki in pkis) for name in ("root", "issuing"))
    prove_extension(longer.pdf, pdf, ExpectedExtension((longer.field,), "B-LTA", evidence, anchors, others))
    return longer.pdf


def _look(final: Path, way: Way):
    if not way.prepared:
        return LOOK
    with pikepdf.open(final) as document:
        [field] = document.Root.AcroForm.Fields
        box = tuple(float(edge) for edge in field.Rect)
    return type(LOOK)(1, box, LOOK.appearance)
