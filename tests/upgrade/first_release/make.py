"""Made the samples in this folder; runs with the code of b8c7e71, the last one that knew the first migration only.

    git archive b8c7e71 | tar -x -C OLD && cd OLD
    PYTHONPATH=. python …/make.py FOLDER                  # on SQLite
    PYTHONPATH=. python …/make.py FOLDER postgresql://…   # into the same archive

Then `teken.db` as SQL (iterdump) and `pg_dump --inserts --no-owner`, the archive without the fonts that still lie in templates/,
and the development PKI's certificates; keys were thrown away. The checkpoint key is the hash of a sentence (world.py).
"""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path

from service.development import certificates
from service.settings import PROJECT
from tests.support.office import client_of, open_office, payload, play, post, row

SENTENCE = b"teken: the first release's sample"
TYPES = (
    ("rokan-hilir", "sip-perekam-medis"),
    ("rokan-hulu", "surat-izin-perekam-medik"),
    ("kudus", "sip-perekam-medis"),
)


def main(folder: Path, database: str = "") -> None:
    home, keys = folder / ("postgresql" if database else "sqlite"), folder / "keys"
    home.mkdir(parents=True)
    (home / "checkpoint.key").write_bytes(hashlib.sha256(SENTENCE).digest())
    (home / "checkpoint.key").chmod(0o600)
    if not keys.exists():
        certificates(PROJECT / "templates", keys, key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
    teken = open_office(home, keys, database=database, archive_url=str(folder / "archive"))
    for office, kind in TYPES:
        permit = post(teken, client_of(teken, office), payload(office, kind, f"LAMA-{office}")).body["id"]
        play(teken, permit)
    client = client_of(teken, "rokan-hilir")
    waiting = post(teken, client, payload("rokan-hilir", "sip-perekam-medis", "LAMA-menunggu")).body["id"]
    play(teken, waiting, until="numbered")
    print(row(teken, waiting).number)
    teken.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
