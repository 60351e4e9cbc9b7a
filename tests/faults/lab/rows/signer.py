"""The head signs at a service (the BSrE simulator): it is away, slow, wrong, or breaks off after it has signed. Nothing leaves twice."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence

from service.resend import confirm_resend
from service.store import dispatches
from tests.backends.conftest import PASSPHRASE, Desk, bsre_office
from tests.faults.lab.bench import Bench
from tests.faults.lab.rows.untrue import BELIEVED, LIES, Untrue
from tests.faults.lab.scene import Row, Scene
from tests.faults.oracle import read
from tests.signing.simulated import playing

HURTS = (
    "unavailable",
    "too_many",
    "drops_connection",
    "error_with_file",
    "rewritten",
    "wrong_passphrase",
    "not_registered",
    "slow=6",
    "no_retry_after+unavailable",
    "no_retry_after+too_many",
    "text_codes",
    "misspelt_key",
)


def scenes(_bench: Bench, _engine: str, _seed: int) -> Sequence[str]:
    """Each quirk of the service, and each answer that is not the truth."""
    return (*HURTS, *sorted(LIES))


def play(bench: Bench, scene: Scene) -> None:
    """Sign while it misbehaves; then it behaves, the head confirms what nobody knows, and signs what is left."""
    folder = bench.place()
    own = bench.folder / "bsre"
    if not own.exists():
        with playing(own):
            pass
    scene.fault(scene.name)
    with bench.database(scene.engine, folder / "home") as database:
        quirks = () if scene.name in LIES else scene.name.split("+")
        with bsre_office(folder, bench.keys_of_today, own, *quirks, database=database, seconds=3) as desk:
            untrue = Untrue.before(desk.service)
            untrue.name = scene.name if scene.name in LIES else ""
            _, ids = desk.signed(1)
            (permit,) = ids
            desk.tend()
            before = desk.service.requests("sign/pdf")
            scene.expect(before <= 1, f"asked for {before} signatures, and nobody has confirmed one")
            row = desk.row(permit)
            scene.expect(not row.head_sha or scene.name not in LIES - BELIEVED, "a lie was taken for a signature")
            scene.expect(row.queue != "sign" or row.head_sha, f"nobody sees that it waits: {row.state} {row.fault}")
            desk.service.quirks.clear()
            untrue.name = ""
            if row.head_sha is None:
                again(desk, permit)
            scene.expect(desk.to_the_end(permit) == "in_force", f"not issued: {desk.row(permit).state}")
            scene.expect(desk.released(permit) == 1, f"released {desk.released(permit)} times")
            kept(scene, desk, permit)
    shutil.rmtree(folder, ignore_errors=True)


def again(desk: Desk, permit: str) -> None:
    """The head sees what became of it, confirms where a signature may exist, and signs again."""
    with desk.teken.db.read() as connection:
        outcomes = [one.outcome for one in dispatches.of_permit(connection, permit)]
    if outcomes and outcomes[-1] == "unknown":
        confirm_resend(desk.teken, desk.head, permit)
    desk.open([(permit, desk.row(permit).final_sha)], PASSPHRASE)
    desk.sign()
    desk.work()


def kept(scene: Scene, desk: Desk, permit: str) -> None:
    """What was signed is what was read; what came back and was refused is in quarantine and not released."""
    facts = read(desk.teken.settings.database_url or str(desk.teken.settings.home / "teken.db"))
    released = {document["sha"] for document in facts["documents"]}
    scene.expect(not released & {one["sha"] for one in facts["quarantine"]}, "a quarantined document is released")
    row = next(one for one in facts["permits"] if one["id"] == permit)
    scene.expect(hashlib.sha256(desk.teken.archive.get(row["head_sha"])).hexdigest() == row["head_sha"], "other bytes")
    given = [entry for entry in facts["register"] if entry["permit"] == permit]
    scene.expect(len(given) == 1, f"{len(given)} register entries")


ROW = Row(
    "signer",
    (
        "a signing service that is away, too busy, slow, refuses, rewrites the document, breaks off after signing,"
        " returns another document, another one's signature, a spoilt file, or no answer that can be read"
    ),
    "no second request without the head's word; what comes back wrong is quarantined; exactly one document is released",
    scenes,
    play,
)
