"""Writes docs/CONFORMANCE.md from what the judges said: no dates, no hashes, so that it changes only when a verdict does."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.conformance import judges
from tests.conformance.broken import BROKEN, Broken
from tests.conformance.court import JUDGES, Court
from tests.conformance.documents import KINDS, Kind, papers
from tests.conformance.outside import WAYS
from tests.conformance.permission import STEPS, VARIANTS, Step, Variant, name_of

HEADS = {"3a": "PDF/A-3a", "ua1": "PDF/UA-1", "dss": "EU DSS", "pdfsig": "pdfsig", "qpdf": "qpdf"}
STEP_WORDS = {
    "signed": "signed, B-T",
    "dss": "+ DSS dictionary",
    "archived": "+ document time-stamp",
    "renewed": "+ renewal",
}
KEPT = {
    "pkcs12": "PKCS#12",
    "pkcs11": "PKCS#11",
    "csc": "CSC",
    "ocsp": "PKCS#12 ³",
    "order": "PKCS#12 ⁴",
    "lone": "PKCS#12 ⁵",
}
WARNINGS = {
    "BBB_FC_ISVADMDPD_ANS": "DocMDP",
    "BBB_FC_ISVAFMDPD_ANS": "FieldMDP",
    "BBB_FC_ISVASFLD_ANS": "SigFieldLock",
    "BBB_FC_DSCNUOM_ANS": "undefined changes",
}
OF_THE_MACHINE = re.compile(r"^(\| (?:pdfsig|qpdf) \| ).*$", re.MULTILINE)

PAGE = """# What outside judges say of our papers

Written by `make conformance` (tests/conformance/report.py); a test there compares it with what the judges say today.
It makes the papers with the product itself: the five procedures, played to the end at every level and with both kinds of
key, issued, archived and renewed by its own steps and upkeep. The papers stay in `build/conformance/`, what veraPDF and EU DSS said
of them in `answer.json` beside them.

{versions}

veraPDF and EU DSS are pinned in `tests/conformance/judges/pom.xml`; pdfsig and qpdf are the machine's own.

## Papers

{papers}

*Papers* counts the types of permit that pass through that state. `pass` of EU DSS: every signature TOTAL_PASSED and every
time-stamp PASSED under its own default policy, the level as we claim it, no error, no warning but those named here, and
no change after a signature that it does not know. A dash: nothing there for this judge.

*issued* is version 1 of an office that issues at B-LT, *archived* its version 2 with a document time-stamp, *renewed* version 3, when
the authority's certificate is about to end, by another one. *upgraded*: issued at B-B, when the office had no authority; the
document's time-stamp is then the signatures' only one. PKCS#11 is a SoftHSM2 token with the keys of head and seal, CSC a small service
on loopback with the head's; both make the same objects as the key files do, which a test compares.

¹ In number-after permits EU DSS warns of the head's signature: "changes restricted by /DocMDP", "by /SigFieldLock",
"undefined object modifications". The changes are `/V` of two of the three text fields that the head's lock leaves open.
EU DSS meets them a second time through the structure tree (`/StructTreeRoot` … `/Obj` … `/V`), where its list of permitted
changes has no place for them; met through `/AcroForm` the same change is permitted. The indication stays TOTAL_PASSED, the page
looks the same to it, and a changed page is told apart by "visual difference" (below). Fields apart from their widgets were tried:
then EU DSS sees a visual difference instead, and pyHanko, our inspector, rejects the filling.

³ Another PKI, whose certificates name an OCSP responder; its answers lie in the DSS.

⁴ Number-after procedures in offices that number with the head's order (`number_at_sign`): his signature covers the filled fields.

⁵ As ⁴, without a seal: the head's signature is the only one, and certifies with P=1.

## What EU DSS is given

The roots of our development PKIs, one for each kind of key, as its only trust anchors; no network; and for levels B-B and B-T a current
CRL of each of their CAs, signed with the PKI's own CA keys by `tests/conformance/pki.py`: the development certificates have neither CRL
nor OCSP address. That, and that they name no address of their issuer, are the two warnings that are accepted everywhere
(`BBB_XCV_AIA_PRES`, `BBB_XCV_REVOC_PRES`).
Papers at B-LT and B-LTA carry their own revocation data and are judged with nothing else; their lists were published before anybody
signed, as in life. The time-stamping authority belongs to the RSA PKI.
pdfsig is asked for the signature only: trust is EU DSS's part, and poppler can't check a document time-stamp.

## What may the last signature permit?

Number-first permits, without and with a seal, signed and archived by signing/ with several locks (docs/adr/0013):

{permission}

² As we issue them. `pass` here: no judge finds any fault, at levels B-T, B-LT, B-LTA, B-LTA.

## Signed by a service as a whole document

Measured and told, not demanded: PDF/A after signing is such a service's to keep, and none of ours is declared to do so. The service is our
simulator of BSrE's, with development certificates; what the real one returns has not been seen.

{outside}

## Papers that must not pass

EU DSS only *warns* of forbidden changes under its default policy: the indication stays TOTAL_PASSED. Whoever judges by the
indication alone overlooks a changed page. Ours is the stricter reading. Another value in a locked field is no matter of FieldMDP to
it: it objects to another number only because the seal's lock says P=1.

{broken}
"""


def written(court: Court) -> str:
    """The whole page."""
    return PAGE.format(
        versions=_table(("judge", "version"), judges.versions().items()),
        papers=_table(
            ("paper", "key", "back-end", "level", "papers", *(HEADS[judge] for judge in JUDGES)),
            (_kind(court, kind) for kind in KINDS),
        ),
        permission=_table(
            ("certification", *(STEP_WORDS[step.name] for step in STEPS)),
            ((one.words, *(_archived(court, one, step) for step in STEPS)) for one in VARIANTS),
        ),
        outside=_table(
            ("signed", *(HEADS[judge] for judge in JUDGES)),
            ((way.words, *(_told(words) for words in court.outside(way).values())) for way in WAYS),
        ),
        broken=_table(("fault", "who objects"), ((one.words, _objectors(one)) for one in BROKEN)),
    )


def stable(page: str) -> str:
    """The page without the versions of the machine's own judges."""
    return OF_THE_MACHINE.sub(r"\1", page)


def _kind(court: Court, kind: Kind) -> tuple[str, ...]:
    mine = [paper for paper in papers() if paper.kind == kind]
    cells = []
    for judge in JUDGES:
        found = [court.faults(paper)[judge] for paper in mine]
        words = "–" if found[0] is None else _verdict([faults for faults in found if faults], len(found))
        cells.append(words + ("¹" if judge == "dss" and any(map(court.remarked, mine)) else ""))
    level = kind.level.name if kind.level else "–"
    return kind.stage.name, kind.key or "–", KEPT[kind.way] if kind.key else "–", level, str(len(mine)), *cells


def _verdict(failed: list[list[str]], asked: int) -> str:
    return f"{len(failed)} of {asked} fail: {failed[0][0]}" if failed else "pass"


def _archived(court: Court, variant: Variant, step: Step) -> str:
    signatures = court.answers[name_of(variant, step)]["dss"]["signatures"]
    told = dict.fromkeys(key for one in signatures for key in one["warnings"])
    warnings = [WARNINGS.get(key, key) for key in told if key not in judges.ACCEPTED_WARNINGS]
    if all(one["indication"] == "TOTAL_PASSED" for one in signatures) and warnings:
        return f"TOTAL_PASSED, warns: {', '.join(warnings)}"
    return _verdict([faults] if (faults := court.archive_faults(variant, step)) else [], 1)


def _told(words: list[str]) -> str:
    return "; ".join(words) or "pass"


def _objectors(one: Broken) -> str:
    words = {"dss": f"{HEADS['dss']}: {one.dss_says}"} if one.dss_says else {}
    return "; ".join(words.get(judge, HEADS[judge]) for judge in JUDGES if judge in one.objects)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
