"""The time-stamping authority refuses, talks nonsense, stamps something else or an older request, or takes its time: a permit waits for its stamp."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from asn1crypto import cms, keys, tsp, x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from service.settings import PROJECT
from tests.faults.lab.bench import Bench
from tests.faults.lab.machines import KINDS, Machine
from tests.faults.lab.scene import Row, Scene
from tests.faults.oracle import read
from tests.procedures.stories import edit
from tests.signing.test_timestamp import honest, serving
from tests.support.office import NOW

MOODS = ("nonsense", "nothing", "refuses", "stamps another digest", "answers another request", "is slow")
TIMES = (1, 2, 4, 7)
REJECTION = bytes.fromhex("30053003020102")  # a TimeStampResp of a status alone (RFC 3161, 2.4.2)
KIND = KINDS[1:2]  # two signatures, so two stamps


def scenes(_bench: Bench, _engine: str, _seed: int) -> Sequence[str]:
    """Each mood for some requests."""
    return [f"{mood}, {times} times" for mood in MOODS for times in TIMES]


def play(bench: Bench, scene: Scene) -> None:
    """Nothing is issued below what the office wants; when the authority is well again, everything is."""
    mood, _, rest = scene.name.partition(", ")
    good, left = honest(authority(bench.rsa_keys)), [int(rest.split()[0])]

    def answer(body: bytes) -> bytes:
        if left[0] == 0:
            return good(body)
        left[0] -= 1
        return spoilt(mood, body, good)

    with bench.office(scene.engine, bench.rsa_keys) as office, serving(answer) as url:
        templates = office.folder / "templates"
        shutil.copytree(PROJECT / "templates", templates)
        edit(templates / KIND[0][0] / "office.toml", 'issue_at_least = "B-B"', 'issue_at_least = "B-T"')
        edit(templates / KIND[0][0] / "office.toml", 'target = "B-B"', 'target = "B-T"')
        machine = Machine(bench, office, KIND, TEKEN_TEMPLATES=templates, TEKEN_TSA_URL=url, TEKEN_KEYS=bench.rsa_keys)
        scene.fault(scene.name)
        machine.to_the_end(scene)
        enough = left[0] < int(rest.split()[0]) if mood == "is slow" else left[0] == 0  # a slow answer is one
        scene.expect(enough, "it was not asked often enough")
        for document in read(office.store)["documents"]:
            levels = {one["level"] for one in json.loads(document["signatures"])}
            scene.expect(levels == {"B-T"}, f"issued at {levels}")
            pdf = (office.home / "archive" / document["sha"][:2] / document["sha"][2:]).read_bytes()
            scene.expect(all(stamped(pdf)), f"stamps that are none: {stamped(pdf)}")


def spoilt(mood: str, body: bytes, good) -> bytes:
    """An answer that is none to this request."""
    if mood == "nonsense":
        return b"\x30\x03apa"
    if mood == "nothing":
        return b""
    if mood == "refuses":
        return REJECTION
    if mood == "is slow":
        time.sleep(0.5)
        return good(body)
    asked = tsp.TimeStampReq.load(body)
    if mood == "stamps another digest":
        asked["message_imprint"]["hashed_message"] = hashlib.sha256(b"lain").digest()
        return good(asked.dump(force=True))
    asked["nonce"] = asked["nonce"].native ^ 1  # what it answered somebody else before
    return good(asked.dump(force=True))


def stamped(pdf: bytes) -> list[bool]:
    """For each signature in a file: whether a token over its value stands beside it."""
    found = []
    for start, length, again, _ in re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", pdf):
        held = bytes.fromhex(pdf[int(start) + int(length) : int(again)].strip(b"<>").decode())
        signer = cms.ContentInfo.load(held)["content"]["signer_infos"][0]
        tokens = [
            one["values"][0] for one in signer["unsigned_attrs"] if one["type"].native == "signature_time_stamp_token"
        ]
        digest = hashlib.sha256(signer["signature"].native).digest()
        imprints = [one["content"]["encap_content_info"]["content"].parsed["message_imprint"] for one in tokens]
        found.append([one["hashed_message"].native for one in imprints] == [digest])
    return found


def authority(folder: Path) -> DummyTimeStamper:
    """The development PKI's own, on the invented day."""
    secret = (folder / "passphrase").read_bytes().strip()
    key, certificate, chain = pkcs12.load_key_and_certificates((folder / "tsa.p12").read_bytes(), secret)
    private = keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    store = SimpleCertificateStore()
    store.register_multiple(x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in chain)
    return DummyTimeStamper(x509.Certificate.load(certificate.public_bytes(Encoding.DER)), private, store, fixed_dt=NOW)


ROW = Row(
    "tsa",
    "an authority that talks nonsense, says nothing, refuses, stamps another digest or another request, is slow; up to seven times",
    "nothing is issued below the office's level; every stamp is one over its signature; then everything is issued",
    scenes,
    play,
)
