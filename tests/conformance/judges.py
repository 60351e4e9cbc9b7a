"""Asks the judges: veraPDF and EU DSS in one JVM (`judges/`), poppler's pdfsig and qpdf as commands. A judge's answer is a list of faults."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from service.settings import PROJECT

SOURCES = Path(__file__).parent / "judges"
BUILT = PROJECT / "build" / "judges"
PROFILES = {"3a": "PDF/A-3a", "ua1": "PDF/UA-1"}
ACCEPTED_WARNINGS = frozenset({"BBB_XCV_AIA_PRES_ANS", "BBB_XCV_REVOC_PRES_ANS"})
"""The development certificates name no address for their issuer and revocation data; the lists are handed over."""
FILLED_BY_STRUCTURE = re.compile(r"MODIFICATION .*/StructTreeRoot .*/Obj \d+ 0 R /V")
"""EU DSS meets a text field that may be filled a second time, through the structure tree, and there takes its /V for an undefined change."""
REMARKS_ON_FILLING = frozenset({"BBB_FC_ISVADMDPD_ANS", "BBB_FC_ISVASFLD_ANS", "BBB_FC_DSCNUOM_ANS"})
CHANGES = ("annotation_changes", "undefined_changes", "pages_added_or_lost", "pages_overlapped", "pages_look_different")


@dataclass(frozen=True)
class Request:
    """One file, whom to trust (PEM files; none = not asked about signatures), revocation lists that the file lacks."""

    file: Path
    anchors: Sequence[Path] = ()
    crls: Sequence[Path] = field(default=())


def versions() -> dict[str, str]:
    """The judges' versions: two pinned in the pom, two of the machine."""
    pom = (SOURCES / "pom.xml").read_text()
    pinned = {name: re.search(rf"<{name}.version>(.+?)</", pom)[1] for name in ("verapdf", "dss")}
    told = {"pdfsig": ["pdfsig", "-v"], "qpdf": ["qpdf", "--version"]}
    machine = {name: re.search(r"version (\S+)", _told(command))[1] for name, command in told.items()}
    return {"veraPDF": pinned["verapdf"], "EU DSS": pinned["dss"], **machine}


def build() -> None:
    """Compile the Java judges and write their class path, unless that is done; asks the network only for what is missing."""
    classpath = BUILT / "classpath"
    sources = [SOURCES / "pom.xml", *SOURCES.rglob("*.java")]
    if classpath.is_file() and classpath.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return
    subprocess.run(["mvn", "-q", "-B", "compile"], cwd=SOURCES, check=True)


def judge(requests: Sequence[Request], work: Path) -> dict[str, dict]:
    """veraPDF's and EU DSS's answers, by file name."""
    asked = [
        {"file": str(one.file), "anchors": [str(p) for p in one.anchors], "crls": [str(p) for p in one.crls]}
        for one in requests
    ]
    question, answer = work / "question.json", work / "answer.json"
    question.write_text(json.dumps(asked))
    classpath = f"{BUILT / 'classes'}:{(BUILT / 'classpath').read_text()}"
    command = ["java", "-Xmx1g", "-cp", classpath, "teken.judges.Main", question, answer]
    subprocess.run(command, check=True)
    return {Path(one["file"]).name: one for one in json.loads(answer.read_text())}


def page_faults(answer: dict, profile: str) -> list[str]:
    """veraPDF: the rules that a file breaks."""
    return [f"{rule} ({places}x)" for rule, places in sorted(answer["verapdf"][profile].items())]


def signature_faults(answer: dict, level: str, fields: Sequence[str]) -> list[str]:
    """EU DSS: everything that is not as we claim, of each signature and time-stamp."""
    told = answer["dss"]
    faults = [told["fault"]] if "fault" in told else []
    found = [one["fields"] for one in told["signatures"]]
    if found != [[name] for name in fields]:
        faults.append(f"signatures {found}")
    for one in told["signatures"]:
        faults += [f"{one['fields']}: {fault}" for fault in _faults(one, "TOTAL_PASSED")]
        if one["level"] != level:
            faults.append(f"{one['fields']}: level {one['level']}")
    for one in told["timestamps"]:
        faults += [f"{one['type']}: {fault}" for fault in _faults(one, "PASSED")]
    return faults


def remarks_on_filling(one: dict) -> bool:
    """EU DSS remarks on nothing but text fields that were filled where the signature leaves fields open."""
    changes = one.get("undefined_changes") or []
    leaves_open = (one.get("fieldmdp") or {}).get("action") == "EXCLUDE"
    return bool(changes) and leaves_open and all(FILLED_BY_STRUCTURE.fullmatch(change) for change in changes)


def _faults(one: dict, indication: str) -> list[str]:
    filled = remarks_on_filling(one)
    accepted = ACCEPTED_WARNINGS | (REMARKS_ON_FILLING if filled else frozenset())
    faults = []
    if one["indication"] != indication:
        faults.append(f"{one['indication']} {one['sub_indication']}")
    faults += [*one["errors"].values()]
    faults += [words for key, words in one["warnings"].items() if key not in accepted]
    looked_at = [name for name in CHANGES if not (filled and name == "undefined_changes")]
    return faults + [f"{name}: {one[name]}" for name in looked_at if one.get(name)]


def poppler_faults(file: Path, signatures: int, *, archived: bool = False) -> list[str]:
    """pdfsig: each signature is valid (not whether it is trusted: that is EU DSS's part), the last covers the file.

    What archiving appends is not judged: poppler can't check a document time-stamp.
    """
    told = _told(["pdfsig", "-nocert", file])
    words = re.findall(r"Signature Validation: (.+)", told)
    covers = re.findall(r"- ((?:Not t|T)otal document signed)", told)
    faults = [word for word in words[:signatures] if word != "Signature is Valid."]
    if len(words) < signatures or (len(words) > signatures and not archived):
        faults.append(f"{len(words)} signatures")
    if signatures and not archived and covers[-1:] != ["Total document signed"]:
        faults.append("the last signature does not cover the file")
    return faults


def qpdf_faults(file: Path) -> list[str]:
    """qpdf --check: no error and no warning."""
    done = subprocess.run(["qpdf", "--check", file], capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [line for line in done.stderr.splitlines() if line] or [str(done.returncode)]


def _told(command: list) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
