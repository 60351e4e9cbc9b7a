"""One session of the court: all papers made, all judges asked once; afterwards only looked up."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from pyhanko.sign.signers import SimpleSigner

from certs.make_dev_pki import make_dev_pki
from service.settings import PROJECT
from tests.conformance import broken, documents, judges, outside, permission
from tests.conformance.broken import BROKEN, Broken
from tests.conformance.documents import B_T, KEYS, OCSP, TSA, Paper
from tests.conformance.judges import Request
from tests.conformance.outside import Way
from tests.conformance.permission import STEPS, VARIANTS, Step, Variant
from tests.conformance.pki import revocation_lists

OUT = PROJECT / "build" / "conformance"
JUDGES = ("3a", "ua1", "dss", "pdfsig", "qpdf")


@dataclass(frozen=True)
class Court:
    """The folder of the papers, and what veraPDF and EU DSS said of each."""

    out: Path
    answers: dict[str, dict]
    _found: dict[str, dict[str, list[str] | None]] = field(default_factory=dict, repr=False)

    def faults(self, paper: Paper) -> dict[str, list[str] | None]:
        """By judge; None where there is nothing to judge."""
        level = paper.kind.level
        archived = bool(level and level.self_contained)
        return self._faults(paper.name, level.dss if level else None, paper.signed, archived=archived)

    def archive_faults(self, variant: Variant, step: Step) -> list[str]:
        """What any judge objects to in a step of archiving."""
        name, archived = permission.name_of(variant, step), step.self_contained
        found = self._faults(name, step.dss, variant.signed, archived=archived)
        return [fault for judge in JUDGES for fault in found[judge]]

    def outside(self, way: Way) -> dict[str, list[str]]:
        """What the judges say of a paper that a service signed: for EU DSS its indication and level come first."""
        [signature] = self.answers[way.file_name]["dss"]["signatures"]
        found = self._faults(way.file_name, signature["level"], tuple(signature["fields"]), archived=way.raised)
        return {**found, "dss": [signature["indication"], signature["level"], *found["dss"]]}

    def objections(self, one: Broken) -> dict[str, list[str]]:
        """Who objects to a broken paper, and how."""
        fields = ("ttd_kepala", "segel") if "sealed" in one.paper else ("ttd_kepala",)
        level = "PAdES-BASELINE-LTA" if "archived" in one.paper else B_T.dss
        signed = None if "final" in one.paper else level
        return {
            judge: faults for judge, faults in self._faults(broken.file_name(one), signed, fields).items() if faults
        }

    def remarked(self, paper: Paper) -> bool:
        """EU DSS remarks on text fields that were filled."""
        told = self.answers[paper.name].get("dss", {"signatures": []})
        return any(judges.remarks_on_filling(one) for one in told["signatures"])

    def _faults(
        self, name: str, level: str | None, fields: tuple[str, ...], *, archived: bool = False
    ) -> dict[str, list[str] | None]:
        if name not in self._found:
            self._found[name] = self._judged(name, level, fields, archived=archived)
        return self._found[name]

    def _judged(
        self, name: str, level: str | None, fields: tuple[str, ...], *, archived: bool
    ) -> dict[str, list[str] | None]:
        answer = self.answers[name]
        return {
            "3a": judges.page_faults(answer, "3a"),
            "ua1": judges.page_faults(answer, "ua1"),
            "dss": judges.signature_faults(answer, level, fields) if level else None,
            "pdfsig": judges.poppler_faults(self.out / name, len(fields), archived=archived) if level else None,
            "qpdf": judges.qpdf_faults(self.out / name),
        }


def held() -> Court:
    """Make every paper in build/conformance and ask veraPDF and EU DSS."""
    judges.build()
    shutil.rmtree(OUT, ignore_errors=True)
    keys = OUT / "keys"
    keys.mkdir(parents=True)
    documents.make(OUT, keys, OUT / "home")
    permission.make(keys / TSA, OUT)
    outside.make(keys / "outside", OUT / "000-final.pdf", OUT, keys / TSA)
    _break(keys)
    return Court(OUT, judges.judge(_requests(keys), OUT))


def _break(keys: Path) -> None:
    make_dev_pki(keys / "stranger", key="rsa2048", now=documents.MADE)
    outsider = keys / TSA
    signer = SimpleSigner.load_pkcs12(str(outsider / "malang.kadis.p12"), passphrase=_secret(outsider))
    for one in BROKEN:
        (OUT / broken.file_name(one)).write_bytes(one.spoil((OUT / one.paper).read_bytes(), signer))


def _requests(keys: Path) -> list[Request]:
    """Lists are made last: a list must be younger than the signatures that it is to speak of."""
    roots = [keys / key / "root.pem" for key in (*KEYS, OCSP)]
    lists = [path for key in KEYS for path in revocation_lists(keys / key, OUT / "crl" / key)]
    revoked = x509.load_pem_x509_certificate((keys / TSA / "rokan-hilir.kadis.cert.pem").read_bytes())
    spoilt = revocation_lists(keys / TSA, OUT / "crl" / "revoked", revoked=revoked)
    contexts = {
        "usual": (roots, lists),
        "stranger": ([keys / "stranger" / "root.pem"], lists),
        "revoked": (roots, spoilt),
        "no lists": (roots, []),
    }
    asked = [Request(OUT / one.name, *_told(one, roots, lists)) for one in documents.papers()]
    asked += [
        Request(OUT / permission.name_of(variant, step), roots, [] if step.self_contained else lists)
        for variant in VARIANTS
        for step in STEPS
    ]
    asked += _away(keys, OUT)
    return asked + [Request(OUT / broken.file_name(one), *contexts[one.context]) for one in BROKEN]


def _away(keys: Path, out: Path) -> list[Request]:
    """What a service signed; what was raised carries its own lists."""
    roots = [keys / name / "root.pem" for name in ("outside", TSA)]
    lists = revocation_lists(keys / "outside", out / "crl" / "outside")
    return [Request(out / way.file_name, roots, [] if way.raised else lists) for way in outside.WAYS]


def _told(paper: Paper, roots: list[Path], lists: list[Path]) -> tuple[list[Path], list[Path]]:
    """A level that carries its own revocation data gets none from us."""
    level = paper.kind.level
    return (roots if level else [], [] if level is None or level.self_contained else lists)


def _secret(keys: Path) -> bytes:
    return (keys / "passphrase").read_bytes().strip()
