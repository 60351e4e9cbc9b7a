"""An independent judge of invariants I1 to I11 (docs: the design's §5).

It shares no line with the product: it reads the tables, the archive's files and what the outside world was told
(the poster's answers, the receiver's log of the feed), and says which invariant does not hold, where and why.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import sqlite3
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
import psycopg
import pypdfium2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg.rows import dict_row

TABLES = {
    "permits": "id",
    "register": "series, seq",
    "series": "name",
    "events": "seq",
    "chains": "name",
    "documents": "permit, version",
    "acts": "id",
    "quarantine": "sha",
    "case_revisions": "permit, revision",
    "prints": "permit, no",
    "mandates": "id",
}
RELEASED = {"in_force", "suspended", "revoked", "replaced"}
VISIBLE = {"returned", "closed", "parked"}
OF_OFFICIALS = {"verify", "paraf", "approve", "sign", "print", "deliver", "handover"}
ORIGIN = "teken/jurnal"
NOTHING = "0" * 64
Row = dict[str, Any]


@dataclass(frozen=True)
class Violation:
    invariant: str
    where: str
    what: str


@dataclass
class Evidence:
    """What is judged. `settled`: everything was given time to end, so nothing may still be due to a machine."""

    database: str  # a SQLite file, or a postgresql:// URL
    archive: Path
    verifier: bytes
    acks: list[Row] = field(default_factory=list)  # {"key", "body": {"id", "upstream_id"}}
    feed: list[Row] = field(default_factory=list)  # events as received, each with "client"
    asked: list[Row] = field(
        default_factory=list
    )  # {"permit", "said", "length"}: answers to codes, and the journal's length after
    secrets: list[bytes] = field(default_factory=list)  # what nobody may keep or tell
    places: list[Path] = field(default_factory=list)  # files and folders where it might be kept or told
    settled: bool = True
    sample: int = 3  # how many released files pdfsig looks at; it takes a while


def judge(evidence: Evidence) -> list[Violation]:
    """Return every violation found; an empty list is a clean world."""
    facts = read(evidence.database)
    rules = (
        _accepted,
        _numbers,
        _one_number,
        _released,
        _files,
        _previewed,
        _told,
        _register_chain,
        _journal_chain,
        _noted,
        _signed_once,
        _answered,
        _mandated,
        _secret,
    )
    return [violation for rule in rules for violation in rule(facts, evidence)]


def read(database: str) -> dict[str, list[Row]]:
    """Return the judged tables as they are in one moment."""
    ask = {table: f"SELECT * FROM {table} ORDER BY {order}" for table, order in TABLES.items()}
    if database.startswith("postgresql"):
        with psycopg.connect(database, row_factory=dict_row) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            return {table: connection.execute(query).fetchall() for table, query in ask.items()}
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")
        return {table: [dict(row) for row in connection.execute(query)] for table, query in ask.items()}
    finally:
        connection.close()


def _accepted(facts, evidence) -> Iterator[Violation]:
    """I1: what was acknowledged exists, once, and has ended or waits where a person sees it."""
    by_id = {row["id"]: row for row in facts["permits"]}
    answers = defaultdict(set)
    for ack in evidence.acks:
        body = ack["body"]
        answers[body["upstream_id"]].add(body["id"])
        if body["id"] not in by_id:
            yield Violation("I1", body["id"], "acknowledged, and not stored")
        elif by_id[body["id"]]["upstream_id"] != body["upstream_id"]:
            yield Violation("I1", body["id"], "acknowledged for another case")
    for upstream_id, ids in answers.items():
        if len(ids) > 1:
            yield Violation("I1", upstream_id, f"acknowledged as {len(ids)} permits")
    for case, count in Counter((row["client"], row["upstream_id"]) for row in facts["permits"]).items():
        if count > 1:
            yield Violation("I1", str(case), f"one case, {count} permits")
    for row in facts["permits"]:
        if evidence.settled and not _ended_or_visible(row):
            yield Violation("I1", row["id"], f"silently stuck: {row['state']}, queue {row['queue']}, {row['fault']}")


def _ended_or_visible(row: Row) -> bool:
    if row["queue"] == "person":
        return row["state"] not in VISIBLE
    if row["queue"] == "none":
        return row["state"] in RELEASED | VISIBLE
    return False


def _numbers(facts, _evidence) -> Iterator[Violation]:
    """I2: each series is first..last, each number once, in order; a void keeps its entry; nobody gets a used number."""
    entries = _by(facts["register"], "series")
    for series in facts["series"]:
        mine = entries.pop(series["name"], [])
        allotted = [entry for entry in mine if entry["kind"] == "allot"]
        numbers = [entry["no"] for entry in allotted]
        if numbers != list(range(series["first_no"], series["last_no"] + 1)):
            yield Violation(
                "I2", series["name"], f"{series['first_no']}..{series['last_no']} expected, found {numbers}"
            )
        if len({entry["number"] for entry in allotted}) != len(allotted):
            yield Violation("I2", series["name"], "two numbers read the same")
        days = [entry["day"] for entry in allotted]
        if days != sorted(days):
            yield Violation("I2", series["name"], "a number is dated before its predecessor")
        yield from _voids(series["name"], mine)
    for name in entries:
        yield Violation("I2", name, "entries of a series that does not exist")


def _voids(name: str, entries: list[Row]) -> Iterator[Violation]:
    given: dict[int, Row] = {}
    voided: set[int] = set()
    for entry in entries:
        if entry["kind"] == "allot":
            given[entry["no"]] = entry
            continue
        before = given.get(entry["no"])
        if before is None or (before["permit"], before["number"]) != (entry["permit"], entry["number"]):
            yield Violation("I2", f"{name} {entry['no']}", "a void of a number that was not given so")
        if entry["no"] in voided:
            yield Violation("I2", f"{name} {entry['no']}", "voided twice")
        voided.add(entry["no"])


def _one_number(facts, _evidence) -> Iterator[Violation]:
    """I3: a permit has at most one number that is not void, it is the register's, and a closed case has none."""
    entries = _by(facts["register"], "permit")
    for row in facts["permits"]:
        mine = entries.get(row["id"], [])
        void = {(entry["series"], entry["no"]) for entry in mine if entry["kind"] == "void"}
        given = [entry for entry in mine if entry["kind"] == "allot"]
        standing = [entry for entry in given if (entry["series"], entry["no"]) not in void]
        if len(standing) > 1:
            yield Violation("I3", row["id"], f"{len(standing)} numbers that are not void")
        if row["state"] == "closed":
            if standing:
                yield Violation("I3", row["id"], "closed without issue, and its number is not void")
            standing = given if row["number"] else []  # its row may still show the number that was voided
        if _own_number(row) not in ([_register_number(entry)] for entry in standing) and (standing or row["number"]):
            yield Violation("I3", row["id"], f"its number {row['number']} is not what the register says")
        if row["state"] in RELEASED and not standing:
            yield Violation("I3", row["id"], "released without a number that stands")


def _register_number(entry: Row) -> tuple:
    return (entry["series"], entry["no"], entry["number"], entry["day"])


def _own_number(row: Row) -> list[tuple]:
    return [(row["series"], row["number_no"], row["number"], row["set_on"])] if row["number"] else []


def _released(facts, evidence) -> Iterator[Violation]:
    """I4 and I5: released means state, document, event and signatures together, and nothing else is released."""
    permits = {row["id"]: row for row in facts["permits"]}
    documents = _by(facts["documents"], "permit")
    issued = Counter(
        (e["permit"], json.loads(e["data"])["sha256"]) for e in facts["events"] if e["type"] == "permit.issued"
    )
    quarantined = {row["sha"] for row in facts["quarantine"]}
    for row in permits.values():
        mine = documents.get(row["id"], [])
        if row["state"] in RELEASED and not mine:
            yield Violation("I5", row["id"], f"{row['state']} without a document")
        if row["state"] not in RELEASED and (mine or row["released_sha"]):
            yield Violation("I5", row["id"], f"a document is released, and it is {row['state']}")
        if mine and row["released_sha"] not in {document["sha"] for document in mine}:
            yield Violation("I5", row["id"], "it shows another document than was released")
        yield from _signed_by_people(row, facts)
    for number, document in enumerate(facts["documents"]):
        where = f"{document['permit']} v{document['version']}"
        if document["version"] == 1 and issued[document["permit"], document["sha"]] != 1:
            yield Violation("I5", where, f"issued {issued[document['permit'], document['sha']]} times")
        if document["sha"] in quarantined:
            yield Violation("I5", where, "a quarantined signature is released")
        for what in _document_faults(document, permits[document["permit"]], evidence, look=number < evidence.sample):
            yield Violation("I4", where, what)


def _signed_by_people(row: Row, facts) -> Iterator[Violation]:
    """A released permit was signed by an official, once, in an act that stands."""
    if row["state"] not in RELEASED:
        return
    signs = [
        act for act in facts["acts"] if act["permit"] == row["id"] and act["verb"] == "sign" and not act["voided_at"]
    ]
    if len(signs) != 1 or not signs[0]["official"]:
        yield Violation("I5", row["id"], f"{len(signs)} signature acts stand")


def _document_faults(document: Row, permit: Row, evidence: Evidence, *, look: bool) -> Iterator[str]:
    path = _path(evidence.archive, document["sha"])
    if not path.is_file():
        yield "the released file is missing"
        return
    pdf = path.read_bytes()
    if hashlib.sha256(pdf).hexdigest() != document["sha"]:
        yield "the released file is not the one that was signed off"
    yield from _signature_faults(pdf, len(json.loads(document["signatures"])))
    try:
        if permit["number"] and permit["number"] not in _visible(pdf):
            yield f"it does not bear {permit['number']}"
    except (pikepdf.PdfError, pypdfium2.PdfiumError) as error:
        yield f"it can't be opened: {type(error).__name__}"
    if look:
        yield from _outside_judge(path)


def _signature_faults(pdf: bytes, expected: int) -> Iterator[str]:
    """Each signature covers what it says, its CMS names that digest, and the last one covers the whole file."""
    ranges = [
        tuple(map(int, found)) for found in re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", pdf)
    ]
    if len(ranges) != expected:
        yield f"{expected} signatures recorded, {len(ranges)} found"
    for start, length, again, rest in ranges:
        hexadecimal = pdf[start + length : again].strip(b"<>")
        signed = pdf[start : start + length] + pdf[again : again + rest]
        try:
            cms = bytes.fromhex(hexadecimal.decode())
        except ValueError:
            yield "a signature's contents are not hexadecimal"
            continue
        if start != 0 or not any(hashlib.new(name, signed).digest() in cms for name in ("sha256", "sha384", "sha512")):
            yield "a signature's digest is not that of the bytes that it covers"
    if ranges and max(again + rest for _, _, again, rest in ranges) != len(pdf):
        yield "bytes follow after the last signature"


def _visible(pdf: bytes) -> str:
    """The page's text, fields included, without line breaks."""
    page_text = []
    paper = pypdfium2.PdfDocument(pdf)
    try:
        for page in paper:
            text = page.get_textpage()
            page_text.append(text.get_text_bounded())
            text.close()
            page.close()
    finally:
        paper.close()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        fields = opened.Root.get("/AcroForm", {}).get("/Fields", [])
        values = [str(one.get("/V")) for one in fields if one.get("/FT") == "/Tx" and "/V" in one]
    return " ".join([*(" ".join(text.split()) for text in page_text), *values])


def _outside_judge(path: Path) -> Iterator[str]:
    said = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False)
    validations = re.findall(r"Signature Validation: (.*)", said.stdout)
    if not validations or any("Signature is Valid" not in one for one in validations):
        yield f"pdfsig: {validations or said.stderr[:200]}"


def _files(facts, evidence) -> Iterator[Violation]:
    """I8: every stored file hashes to its name, and every file that a row names is there."""
    for path in evidence.archive.glob("??/*"):  # what was found spoilt is moved to `damaged/`
        if path.name.startswith(".") or path.parent.name == "checkpoints":
            continue  # a put that was killed before the file had its name; marks have names of their own
        name = path.parent.name + path.name
        if hashlib.sha256(path.read_bytes()).hexdigest() != name:
            yield Violation("I8", name, "the stored bytes are not those that were stored")
    for name in sorted(named(facts)):
        if not _path(evidence.archive, name).is_file():
            yield Violation("I8", name, "a row names this file, and it is not there")


def named(facts: dict[str, list[Row]]) -> set[str]:
    """Return the names of the files that rows name."""
    found = {row[key] for row in facts["permits"] for key in row if key.endswith("_sha")} | {
        row["pin"] for row in facts["permits"]
    }
    found |= {row["sha"] for table in ("documents", "quarantine", "prints") for row in facts[table]}
    found |= {row["photo_sha"] for row in facts["case_revisions"]} | {row["document_sha"] for row in facts["acts"]}
    return found - {None}


def _previewed(facts, evidence) -> Iterator[Violation]:
    """I7: the signed bytes begin with the bytes that the head ordered to sign, as the journal remembers the order."""
    orders: dict[str, str] = {}
    for event in facts["events"]:
        if event["type"] == "permit.sign_ordered":
            orders[event["permit"]] = json.loads(event["data"])["sha256"]
    released = {document["permit"]: document["sha"] for document in facts["documents"] if document["version"] == 1}
    for row in facts["permits"]:
        chain = [orders.get(row["id"]), row["head_sha"], row["sealed_sha"], released.get(row["id"])]
        if row["head_sha"] and row["ordered_sha"] != orders.get(row["id"]):
            yield Violation("I7", row["id"], "what was signed is not what was ordered")
        files = [_path(evidence.archive, sha) for sha in chain if sha]
        if row["head_sha"] and all(path.is_file() for path in files):
            papers = [path.read_bytes() for path in files]
            if any(not after.startswith(before) for before, after in pairwise(papers)):
                yield Violation("I7", row["id"], "the signed bytes do not begin with the bytes that were read")


def _told(facts, evidence) -> Iterator[Violation]:
    """I6: the receiver has every event of its own, under one id, and none that the journal does not know."""
    stored = {event["seq"]: event for event in facts["events"]}
    heard: dict[int, Row] = {}
    for event in evidence.feed:
        known = heard.setdefault(event["seq"], event)
        if known["id"] != event["id"]:
            yield Violation("I6", f"event {event['seq']}", "told under two ids")
        if event["seq"] not in stored or stored[event["seq"]]["id"] != event["id"]:
            yield Violation("I6", f"event {event['seq']}", "told, and not in the journal any more")
    clients = {event["client"] for event in evidence.feed}
    for event in facts["events"]:
        if evidence.settled and event["client"] in clients and event["seq"] not in heard:
            yield Violation("I6", f"event {event['seq']}", f"{event['type']} was never told")
    done = Counter((act["permit"], act["row"], act["verb"]) for act in facts["acts"])
    spoken = [(event["permit"], json.loads(event["data"])) for event in facts["events"]]
    acted = Counter((permit, data["row"], data["verb"]) for permit, data in spoken if "verb" in data)
    for permit, row, verb in (done - acted) + (acted - done):
        yield Violation("I6", permit, f"row {row}, {verb}: done and told are not the same")
    types = _by(facts["events"], "permit")
    given = Counter(entry["permit"] for entry in facts["register"] if entry["kind"] == "allot")
    for row in facts["permits"]:
        told = Counter(event["type"] for event in types.get(row["id"], []))
        if told["case.accepted"] != 1:
            yield Violation("I6", row["id"], f"accepted {told['case.accepted']} times")
        if told["permit.numbered"] != given[row["id"]]:
            yield Violation("I6", row["id"], f"numbered {given[row['id']]} times, told {told['permit.numbered']} times")


def _register_chain(facts, _evidence) -> Iterator[Violation]:
    """I11: each series' entries are one chain to its head, and the journal anchors each entry."""
    anchors = {json.loads(event["data"]).get("register_hash") for event in facts["events"]} - {None}
    entries = _by(facts["register"], "series")
    for series in facts["series"]:
        head, mine = NOTHING, entries.get(series["name"], [])
        for expected, entry in enumerate(mine, start=1):
            content = {name: value for name, value in entry.items() if name != "hash"}
            if (entry["seq"], entry["prev"], entry["hash"]) != (expected, head, _digest(content)):
                yield Violation("I11", f"{series['name']} #{entry['seq']}", "the register was rewritten here")
            if entry["hash"] not in anchors:
                yield Violation("I11", f"{series['name']} #{entry['seq']}", "the journal does not know this entry")
            head = entry["hash"]
        if (series["entries"], series["head"]) != (len(mine), head):
            yield Violation("I11", series["name"], "its head is not its last entry")
    for hash_ in anchors - {entry["hash"] for entry in facts["register"]}:
        yield Violation("I11", hash_[:12], "the journal knows an entry that the register lost")


def _journal_chain(facts, evidence) -> Iterator[Violation]:
    """I11: all events are one chain to its head, each with a signed note of itself."""
    head = NOTHING
    for expected, event in enumerate(facts["events"], start=1):
        content = {name: value for name, value in event.items() if name not in {"hash", "checkpoint"}}
        if (event["seq"], event["prev"], event["hash"]) != (expected, head, _digest(content)):
            yield Violation("I11", f"journal #{event['seq']}", "the journal was rewritten here")
        if _note(event["checkpoint"], evidence.verifier) != (event["seq"], event["hash"]):
            yield Violation("I11", f"journal #{event['seq']}", "its checkpoint is not ours or says something else")
        head = event["hash"]
    journal = next(chain for chain in facts["chains"] if chain["name"] == "journal")
    if (journal["length"], journal["head"]) != (len(facts["events"]), head):
        yield Violation("I11", "journal", "its head is not its last event")


def _noted(facts, evidence) -> Iterator[Violation]:
    """I11: every checkpoint that left the machine still lies on the journal's chain."""
    hashes = {event["seq"]: event["hash"] for event in facts["events"]}
    for event in evidence.feed:
        noted = _note(event["checkpoint"], evidence.verifier)
        if noted is None or hashes.get(noted[0]) != noted[1]:
            yield Violation("I11", f"checkpoint {event['seq']}", "what left the machine is not what is stored now")


def _signed_once(facts, _evidence) -> Iterator[Violation]:
    """I4: the signed document is the one whose signature the journal told, not a late duplicate of it."""
    told: dict[str, str] = {}
    for event in facts["events"]:
        if event["type"] == "permit.signed":
            told[event["permit"]] = json.loads(event["data"])["signed_sha256"]
    for row in facts["permits"]:
        if row["state"] in RELEASED and row["head_sha"] != told.get(row["id"]):
            yield Violation("I4", row["id"], "another signature stands than the journal told")


def _answered(facts, evidence) -> Iterator[Violation]:
    """I5: no code was answered as a permit before its issue was in the journal."""
    issued = {event["permit"]: event["seq"] for event in facts["events"] if event["type"] == "permit.issued"}
    for answer in evidence.asked:
        if (
            answer["said"] not in {"unknown", "undetermined"}
            and issued.get(answer["permit"], answer["length"] + 1) > answer["length"]
        ):
            yield Violation("I5", answer["permit"], f"answered as {answer['said']} before it was issued")


def _mandated(facts, _evidence) -> Iterator[Violation]:
    """I10: whoever acted held that role in that office on that day."""
    offices = {row["id"]: row["office"] for row in facts["permits"]}
    for act in facts["acts"]:
        day = (datetime.fromisoformat(act["at"]) + timedelta(hours=7)).date().isoformat()
        held = any(
            (one["official"], one["office"], one["role"]) == (act["official"], offices[act["permit"]], act["role"])
            and one["valid_from"] <= day <= (one["valid_to"] or "9999")
            for one in facts["mandates"]
        )
        if act["verb"] in OF_OFFICIALS and not act["official"]:
            yield Violation("I10", act["permit"], f"{act['verb']} by nobody")
        if act["official"] and not held:
            yield Violation("I10", act["permit"], f"{act['verb']} by {act['official']}, who was no {act['role']}")


def _secret(facts, evidence) -> Iterator[Violation]:
    """I9: no secret is in any file or row."""
    rows = json.dumps(facts, default=str).encode() if evidence.secrets else b""
    files = [path for place in evidence.places for path in ([place] if place.is_file() else place.rglob("*"))]
    for secret in evidence.secrets:
        if secret in rows:
            yield Violation("I9", "database", "a secret is in a row")
        for path in files:
            if path.is_file() and secret in path.read_bytes():
                yield Violation("I9", path.name, "a secret is in a file")


def _note(text: str, verifier: bytes) -> tuple[int, str] | None:
    """Read a C2SP signed note of the journal; None unless its Ed25519 signature holds."""
    body, _, signature = text.partition("\n\n")
    lines = body.split("\n")
    blob = base64.b64decode(signature.strip().rpartition(" ")[2])
    key_id = hashlib.sha256(f"{ORIGIN}\n".encode() + b"\x01" + verifier).digest()[:4]
    try:
        Ed25519PublicKey.from_public_bytes(verifier).verify(blob[4:], (body + "\n").encode())
    except InvalidSignature:
        return None
    if len(lines) != 3 or lines[0] != ORIGIN or blob[:4] != key_id:
        return None
    return int(lines[1]), base64.b64decode(lines[2]).hex()


def _digest(content: Row) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _path(archive: Path, sha: str) -> Path:
    return archive / sha[:2] / sha[2:]


def _by(rows: list[Row], key: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return dict(found)
